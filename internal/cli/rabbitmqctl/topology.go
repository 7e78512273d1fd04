package rabbitmqctl

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/apiclient"
)

// queueColumns are what list_queues knows; those after "type" are of warren or newer RabbitMQs.
func queueColumns() []column {
	columns := plain("auto_delete", "consumer_capacity", "consumer_utilisation", "consumers",
		"disk_reads", "disk_writes", "durable", "exclusive", "exclusive_consumer_tag",
		"head_message_timestamp", "leader", "memory", "message_bytes",
		"message_bytes_persistent", "message_bytes_ram", "message_bytes_ready",
		"message_bytes_unacknowledged", "messages", "messages_persistent", "messages_ram",
		"messages_ready", "messages_ready_ram", "messages_unacknowledged",
		"messages_unacknowledged_ram", "name", "node", "policy", "state", "type",
		"operator_policy", "state_reason", "durability", "vhost", "messages_paged_out",
		"message_bytes_paged_out")
	columns = append(columns,
		column{name: "arguments", as: asArguments},
		column{name: "effective_policy_definition", as: asText},
		column{name: "pid", as: asProcess},
		column{name: "owner_pid", path: "owner_pid_details.pid", as: asProcess},
		column{name: "exclusive_consumer_pid", as: asProcess},
		column{name: "members", as: asMembers}, column{name: "online", as: asMembers},
		column{name: "slave_pids", as: asMembers},
		column{name: "synchronised_slave_pids", as: asMembers})
	slices.SortFunc(columns, func(a, b column) int { return cmp.Compare(a.name, b.name) })
	return columns
}

// asMembers is a list of nodes; queues without members have none.
func asMembers(v any) any {
	if _, ok := v.([]any); !ok {
		return nil
	}
	return asWords(v)
}

func topologyVerbs() []*verb {
	return []*verb{
		queueList(),
		lister{
			name: "list_exchanges", banner: "Listing exchanges for vhost %v ...", chooses: true,
			path: func(t *task) string { return apiclient.Path("exchanges", t.vhost()) },
			columns: append(plain("name", "type", "durable", "auto_delete", "internal", "policy",
				"vhost"), column{name: "arguments", as: asArguments}),
			usual: []string{"name", "type"},
		}.verb(),
		lister{
			name: "list_bindings", banner: "Listing bindings for vhost %v...", chooses: true,
			path: func(t *task) string { return apiclient.Path("bindings", t.vhost()) },
			columns: []column{
				{name: "source_name", path: "source"},
				{name: "source_kind", path: "source",
					as: func(any) any { return word("exchange") }},
				{name: "destination_name", path: "destination"},
				{name: "destination_kind", path: "destination_type", as: asWord},
				{name: "routing_key"}, {name: "arguments", as: asArguments},
			},
		}.verb(),
		{name: "list_unresponsive_queues", max: -1, format: "table",
			options: []option{flag("local", ""), number("queue-timeout", "")},
			banner:  saying("Listing unresponsive queues for vhost %v ..."),
			do:      func(t *task) error { return t.rows(nil, nil) }},
	}
}

// queueList is list_queues, which tells how long it waits and picks by where queues are.
func queueList() *verb {
	l := lister{
		name: "list_queues", chooses: true, columns: queueColumns(),
		usual:   []string{"name", "messages"},
		path:    func(t *task) string { return apiclient.Path("queues", t.vhost()) },
		options: []option{flag("online", ""), flag("offline", ""), flag("local", "")},
	}
	v := l.verb()
	list := v.do
	v.banner = func(t *task) string {
		wait := t.timeout(time.Minute).Seconds()
		return "Timeout: " + decimal(wait) + " seconds ...\nListing queues for vhost " +
			t.vhost() + " ..."
	}
	v.do = func(t *task) error {
		if t.options.has("offline") && !t.options.has("online") {
			return t.rows(nil, nil)
		}
		return list(t)
	}
	return v
}

func queueVerbs() []*verb {
	return []*verb{
		{name: "delete_queue", min: 1, max: 1, do: deleteQueue,
			options: []option{flag("if-empty", "e"), flag("if-unused", "u")},
			banner: func(t *task) string {
				var conditions []string
				if t.options.has("if-empty") {
					conditions = append(conditions, "if queue is empty ")
				}
				if t.options.has("if-unused") {
					conditions = append(conditions, "if queue is unused ")
				}
				return "Deleting queue '" + t.args[0] + "' on vhost '" + t.vhost() + "' " +
					strings.Join(conditions, "and ") + "..."
			}},
		{name: "purge_queue", min: 1, max: 1,
			banner: saying("Purging queue '%0' in vhost '%v' ..."), do: func(t *task) error {
				err := t.client.Delete(t.ctx,
					apiclient.Path("queues", t.vhost(), t.args[0], "contents"))
				if isMissing(err) {
					return fail(exitUnavailable, "not_found")
				}
				return err
			}},
	}
}

func deleteQueue(t *task) error {
	path := apiclient.Path("queues", t.vhost(), t.args[0])
	o, err := t.getObject(path)
	if isMissing(err) {
		return fail(exitUsage, "Queue not found")
	}
	if err != nil {
		return err
	}
	query := url.Values{}
	if t.options.has("if-empty") {
		query.Set("if-empty", "true")
	}
	if t.options.has("if-unused") {
		query.Set("if-unused", "true")
	}
	err = t.client.Delete(t.ctx, apiclient.WithQuery(path, query))
	switch status := apiclient.Status(err); {
	case isMissing(err):
		return fail(exitUsage, "Queue not found")
	case status == http.StatusBadRequest && t.options.has("if-unused") &&
		o.number("consumers") > 0:
		return fail(exitUsage, "Queue is in use")
	case status == http.StatusBadRequest && t.options.has("if-empty"):
		return fail(exitUsage, "Queue is not empty")
	case err != nil:
		return err
	}
	return t.message("Queue was successfully deleted with %d ready messages",
		o.number("messages_ready"))
}
