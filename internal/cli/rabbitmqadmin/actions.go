package rabbitmqadmin

import (
	"context"
	"strings"
)

// action is a verb of the new syntax: `group verb --flag value`.
type action struct {
	group, verb string
	method      string // empty: do does it
	path        string // with flags in braces
	// flags are written name:kind=default>field, where a name with ! must be given. The kind is
	// text unless it is bool, int, json or list. The value goes into a field of the body, or of an
	// object in it, unless the path has it; one without a default is sent only if given.
	flags   []string
	columns []string // of a list
	do      func(p *program, ctx context.Context, values *dict) error
}

func actions() []action {
	var all []action
	for _, group := range [][]action{
		topologyActions(), accessActions(), settingActions(), nodeActions(), trafficActions(),
	} {
		all = append(all, group...)
	}
	return all
}

const (
	get  = "GET"
	put  = "PUT"
	post = "POST"
	del  = "DELETE"
)

func topologyActions() []action {
	ends := []string{"source!", "destination_type!", "destination!", "routing_key!",
		"arguments:json={}"}
	declared := []string{"durable:bool=true", "auto_delete:bool=false", "arguments:json={}"}
	queue := append([]string{"name!", "type=classic>arguments.x-queue-type"}, declared...)
	exchange := append([]string{"name!", "type=direct"}, declared...)
	gone := []string{"name!", "idempotently:bool"}
	bind := "/bindings/{vhost}/e/{source}/{destination_char}/{destination}"
	return []action{
		{group: "queues", verb: "list", method: get, path: "/queues/{vhost?}",
			columns: fields("name vhost type durable auto_delete messages consumers policy")},
		{group: "queues", verb: "show", method: get, path: "/queues/{vhost}/{name}",
			flags: []string{"name!"}},
		{group: "queues", verb: "declare", method: put, path: "/queues/{vhost}/{name}",
			flags: queue},
		{group: "queues", verb: "delete", method: del, path: "/queues/{vhost}/{name}",
			flags: gone},
		{group: "queues", verb: "purge", method: del, path: "/queues/{vhost}/{name}/contents",
			flags: []string{"name!"}},
		{group: "queues", verb: "rebalance", method: post, path: "/rebalance/queues"},
		{group: "streams", verb: "list", method: get, path: "/queues/{vhost?}",
			columns: fields("name vhost type durable messages"), do: listStreams},
		{group: "streams", verb: "declare", method: put, path: "/queues/{vhost}/{name}",
			flags: []string{"name!", "type=stream>arguments.x-queue-type", "durable:bool=true",
				"arguments:json={}", "expiration>arguments.x-max-age",
				"max_length_bytes:int>arguments.x-max-length-bytes"}},
		{group: "streams", verb: "delete", method: del, path: "/queues/{vhost}/{name}",
			flags: gone},
		{group: "exchanges", verb: "list", method: get, path: "/exchanges/{vhost?}",
			columns: fields("name vhost type durable auto_delete internal arguments")},
		{group: "exchanges", verb: "declare", method: put, path: "/exchanges/{vhost}/{name}",
			flags: exchange},
		{group: "exchanges", verb: "delete", method: del, path: "/exchanges/{vhost}/{name}",
			flags: gone},
		{group: "exchanges", verb: "bind", method: post, path: bind, flags: ends},
		{group: "exchanges", verb: "unbind", flags: ends, do: deleteBinding},
		{group: "bindings", verb: "list", method: get, path: "/bindings/{vhost?}",
			columns: fields("vhost source destination destination_type routing_key arguments")},
		{group: "bindings", verb: "declare", method: post, path: bind, flags: ends},
		{group: "bindings", verb: "delete", flags: ends, do: deleteBinding},
	}
}

func fields(text string) []string { return strings.Fields(text) }

func accessActions() []action {
	user := []string{"name!", "password", "password_hash", "hashing_algorithm", "tags="}
	return []action{
		{group: "users", verb: "list", method: get, path: "/users",
			columns: fields("name tags hashing_algorithm limits")},
		{group: "users", verb: "declare", method: put, path: "/users/{name}", flags: user},
		{group: "users", verb: "delete", method: del, path: "/users/{name}",
			flags: []string{"name!", "idempotently:bool"}},
		{group: "users", verb: "permissions", method: get, path: "/users/{name}/permissions",
			flags: []string{"name!"}, columns: fields("user vhost configure write read")},
		{group: "users", verb: "connections", flags: []string{"username!"}, do: userConnections},
		{group: "users", verb: "limits", method: get, path: "/user-limits/{user}",
			flags: []string{"user!"}, columns: fields("user value")},
		{group: "passwords", verb: "salt-and-hash", flags: []string{"password!"},
			do: hashPassword},
		{group: "permissions", verb: "list", method: get, path: "/permissions",
			columns: fields("user vhost configure write read")},
		{group: "permissions", verb: "declare", method: put, path: "/permissions/{vhost}/{user}",
			flags: []string{"user!", "configure!", "write!", "read!"}},
		{group: "permissions", verb: "delete", method: del, path: "/permissions/{vhost}/{user}",
			flags: []string{"user!", "idempotently:bool"}},
		{group: "user_limits", verb: "list", method: get, path: "/user-limits/{user?}",
			flags: []string{"user"}, columns: fields("user value")},
		{group: "user_limits", verb: "declare", method: put, path: "/user-limits/{user}/{name}",
			flags: []string{"user!", "name!", "value:int!"}},
		{group: "user_limits", verb: "delete", method: del, path: "/user-limits/{user}/{name}",
			flags: []string{"user!", "name!"}},
		{group: "vhosts", verb: "list", method: get, path: "/vhosts",
			columns: fields("name description tags default_queue_type tracing")},
		{group: "vhosts", verb: "declare", method: put, path: "/vhosts/{name}", flags: []string{
			"name!", "default_queue_type", "description", "tags", "tracing:bool=false"}},
		{group: "vhosts", verb: "delete", method: del, path: "/vhosts/{name}",
			flags: []string{"name!", "idempotently:bool"}},
		{group: "vhosts", verb: "enable_deletion_protection", method: post,
			path: "/vhosts/{name}/deletion/protection", flags: []string{"name!"}},
		{group: "vhosts", verb: "disable_deletion_protection", method: del,
			path: "/vhosts/{name}/deletion/protection", flags: []string{"name!"}},
		{group: "vhost_limits", verb: "list", method: get, path: "/vhost-limits/{vhost?}",
			columns: fields("vhost value")},
		{group: "vhost_limits", verb: "declare", method: put, path: "/vhost-limits/{vhost}/{name}",
			flags: []string{"name!", "value:int!"}},
		{group: "vhost_limits", verb: "delete", method: del, path: "/vhost-limits/{vhost}/{name}",
			flags: []string{"name!"}},
	}
}

func settingActions() []action {
	columns := fields("name vhost pattern apply-to priority definition")
	policy := []string{"name!", "pattern!", "apply_to=all>apply-to", "priority:int=0",
		"definition:json!"}
	var all []action
	for _, group := range []string{"policies", "operator_policies"} {
		path := "/" + strings.ReplaceAll(group, "_", "-")
		all = append(all,
			action{group: group, verb: "list", method: get, path: path + "/{vhost?}",
				columns: columns},
			action{group: group, verb: "list_in", method: get, path: path + "/{vhost}",
				columns: columns},
			action{group: group, verb: "show", method: get, path: path + "/{vhost}/{name}",
				flags: []string{"name!"}},
			action{group: group, verb: "declare", method: put, path: path + "/{vhost}/{name}",
				flags: policy},
			action{group: group, verb: "delete", method: del, path: path + "/{vhost}/{name}",
				flags: []string{"name!", "idempotently:bool"}},
		)
	}
	return append(all, []action{
		{group: "parameters", verb: "list_all", method: get, path: "/parameters",
			columns: fields("vhost component name value")},
		{group: "parameters", verb: "list", method: get, path: "/parameters/{component?}",
			flags: []string{"component"}, columns: fields("vhost component name value")},
		{group: "parameters", verb: "set", method: put,
			path:  "/parameters/{component}/{vhost}/{name}",
			flags: []string{"component!", "name!", "value:json!"}},
		{group: "parameters", verb: "clear", method: del,
			path:  "/parameters/{component}/{vhost}/{name}",
			flags: []string{"component!", "name!"}},
		{group: "global_parameters", verb: "list", method: get, path: "/global-parameters",
			columns: fields("name value")},
		{group: "global_parameters", verb: "set", method: put, path: "/global-parameters/{name}",
			flags: []string{"name!", "value:json!"}},
		{group: "global_parameters", verb: "clear", method: del,
			path: "/global-parameters/{name}", flags: []string{"name!"}},
		{group: "definitions", verb: "export", flags: []string{"file!", "transformations:list"},
			do: exportDefinitions},
		{group: "definitions", verb: "export_from_vhost",
			flags: []string{"file!", "transformations:list"}, do: exportDefinitions},
		{group: "definitions", verb: "import", flags: []string{"file!"}, do: importDefinitions},
		{group: "definitions", verb: "import_into_vhost", flags: []string{"file!"},
			do: importDefinitions},
	}...)
}

func nodeActions() []action {
	health := "/health/checks/"
	return []action{
		{group: "nodes", verb: "list", method: get, path: "/nodes",
			columns: fields("name running uptime mem_used disk_free fd_used")},
		{group: "nodes", verb: "memory_breakdown_in_bytes", method: get,
			path: "/nodes/{node}/memory", flags: []string{"node!"}},
		{group: "show", verb: "overview", method: get, path: "/overview"},
		{group: "show", verb: "churn", do: showChurn},
		{group: "connections", verb: "list", method: get, path: "/connections",
			columns: fields("name user vhost state channels protocol client_properties.product")},
		{group: "connections", verb: "close", method: del, path: "/connections/{name}",
			flags: []string{"name!", "reason", "idempotently:bool"}},
		{group: "channels", verb: "list", method: get, path: "/channels",
			columns: fields("name user vhost consumer_count messages_unacknowledged " +
				"prefetch_count")},
		{group: "consumers", verb: "list", method: get, path: "/consumers/{vhost?}",
			columns: fields("queue.vhost queue.name consumer_tag ack_required prefetch_count " +
				"active")},
		{group: "feature_flags", verb: "list", method: get, path: "/feature-flags",
			columns: fields("name state stability desc")},
		{group: "feature_flags", verb: "enable", method: put,
			path: "/feature-flags/{name}/enable", flags: []string{"name!"}},
		{group: "deprecated_features", verb: "list", method: get, path: "/deprecated-features",
			columns: fields("name deprecation_phase provided_by desc")},
		{group: "health_check", verb: "local_alarms", method: get, path: health + "local-alarms"},
		{group: "health_check", verb: "cluster_wide_alarms", method: get, path: health + "alarms"},
		{group: "health_check", verb: "virtual_hosts", method: get,
			path: health + "virtual-hosts"},
		{group: "health_check", verb: "node_is_quorum_critical", method: get,
			path: health + "node-is-quorum-critical"},
		{group: "health_check", verb: "port_listener", method: get,
			path: health + "port-listener/{port}", flags: []string{"port!"}},
		{group: "health_check", verb: "protocol_listener", method: get,
			path: health + "protocol-listener/{protocol}", flags: []string{"protocol!"}},
		{group: "shovels", verb: "list_all", method: get, path: "/shovels",
			columns: fields("name vhost type state")},
		{group: "federation", verb: "list_all_upstreams", method: get,
			path:    "/parameters/federation-upstream",
			columns: fields("name vhost value")},
		{group: "federation", verb: "list_all_links", method: get, path: "/federation-links",
			columns: fields("node upstream exchange queue status")},
	}
}

func trafficActions() []action {
	return []action{
		{group: "publish", verb: "message", method: post,
			path: "/exchanges/{vhost}/{exchange}/publish",
			flags: []string{"exchange=amq.default", "routing_key!", "payload!",
				"payload_encoding=string", "properties:json={}"}},
		{group: "get", verb: "messages", method: post, path: "/queues/{vhost}/{queue}/get",
			flags: []string{"queue!", "count:int=1", "ack_mode=ack_requeue_true>ackmode",
				"encoding=auto"},
			columns: fields("exchange routing_key redelivered properties payload")},
	}
}
