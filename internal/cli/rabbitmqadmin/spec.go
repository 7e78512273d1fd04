package rabbitmqadmin

// list is something that can be listed: whether of one vhost, its columns, and those of them that
// are printed as JSON.
type list struct {
	name    string
	vhost   bool
	columns []string
	json    []string
}

func lists() []list {
	return []list{
		{name: "connections", columns: []string{"name", "user", "channels"}},
		{name: "channels", columns: []string{"name", "user"}},
		{name: "consumers", vhost: true},
		{name: "exchanges", vhost: true, columns: []string{"name", "type"}},
		{name: "queues", vhost: true, columns: []string{"name", "messages"}},
		{name: "bindings", vhost: true,
			columns: []string{"source", "destination", "routing_key"}},
		{name: "users"},
		{name: "vhosts", columns: []string{"name", "messages"}},
		{name: "permissions"},
		{name: "nodes", columns: []string{"name", "type", "mem_used"}},
		{name: "parameters", json: []string{"value"}},
		{name: "policies", json: []string{"definition"}},
		{name: "operator_policies", json: []string{"definition"}},
		{name: "vhost_limits", json: []string{"value"}},
	}
}

func shows() []list {
	return []list{{name: "overview", columns: []string{
		"rabbitmq_version", "cluster_name", "queue_totals.messages", "object_totals.queues",
	}}}
}

// field is an argument of a verb with the value it has when it is not given; nil sends nothing.
type field struct {
	name  string
	value any
}

// form is what a verb takes: arguments of the form name=value, and where they go. One of the
// alternatives of a mandatory argument must be given.
type form struct {
	name      string
	mandatory [][]string
	optional  []field
	json      []string
	uri       string // with arguments in braces
}

func must(names ...string) [][]string {
	list := make([][]string, len(names))
	for i, name := range names {
		list[i] = []string{name}
	}
	return list
}

// declarations are what can be declared.
func declarations() []form {
	none := newDict()
	return []form{
		{name: "exchange", mandatory: must("name", "type"), json: []string{"arguments"},
			optional: []field{{"auto_delete", "false"}, {"durable", "true"},
				{"internal", "false"}, {"arguments", none}},
			uri: "/exchanges/{vhost}/{name}"},
		{name: "queue", mandatory: must("name"), json: []string{"arguments"},
			optional: []field{{"auto_delete", "false"}, {"durable", "true"},
				{"arguments", none}, {"node", nil}, {"queue_type", nil}},
			uri: "/queues/{vhost}/{name}"},
		{name: "binding", mandatory: must("source", "destination"), json: []string{"arguments"},
			optional: []field{{"destination_type", "queue"}, {"routing_key", ""},
				{"arguments", none}},
			uri: "/bindings/{vhost}/e/{source}/{destination_char}/{destination}"},
		{name: "vhost", mandatory: must("name"), optional: []field{{"tracing", nil}},
			uri: "/vhosts/{name}"},
		{name: "user",
			mandatory: [][]string{{"name"}, {"password", "password_hash"}, {"tags"}},
			optional:  []field{{"hashing_algorithm", nil}},
			uri:       "/users/{name}"},
		{name: "permission", mandatory: must("vhost", "user", "configure", "write", "read"),
			uri: "/permissions/{vhost}/{user}"},
		{name: "parameter", mandatory: must("component", "name", "value"),
			json: []string{"value"}, uri: "/parameters/{component}/{vhost}/{name}"},
		policyForm("policy", "/policies/{vhost}/{name}"),
		policyForm("operator_policy", "/operator-policies/{vhost}/{name}"),
		{name: "vhost_limit", mandatory: must("vhost", "name", "value"), json: []string{"value"},
			uri: "/vhost-limits/{vhost}/{name}"},
	}
}

func policyForm(name, uri string) form {
	return form{name: name, mandatory: must("name", "pattern", "definition"),
		json:     []string{"definition", "priority"},
		optional: []field{{"priority", 0}, {"apply-to", nil}}, uri: uri}
}

// deletions are what can be deleted.
func deletions() []form {
	return []form{
		{name: "exchange", mandatory: must("name"), uri: "/exchanges/{vhost}/{name}"},
		{name: "queue", mandatory: must("name"), uri: "/queues/{vhost}/{name}"},
		{name: "binding", mandatory: must("source", "destination_type", "destination"),
			optional: []field{{"properties_key", "~"}},
			uri: "/bindings/{vhost}/e/{source}/{destination_char}/{destination}/" +
				"{properties_key}"},
		{name: "vhost", mandatory: must("name"), uri: "/vhosts/{name}"},
		{name: "user", mandatory: must("name"), uri: "/users/{name}"},
		{name: "permission", mandatory: must("vhost", "user"),
			uri: "/permissions/{vhost}/{user}"},
		{name: "parameter", mandatory: must("component", "name"),
			uri: "/parameters/{component}/{vhost}/{name}"},
		{name: "policy", mandatory: must("name"), uri: "/policies/{vhost}/{name}"},
		{name: "operator_policy", mandatory: must("name"),
			uri: "/operator-policies/{vhost}/{name}"},
		{name: "vhost_limit", mandatory: must("vhost", "name"),
			uri: "/vhost-limits/{vhost}/{name}"},
	}
}

func closings() []form {
	return []form{{name: "connection", mandatory: must("name"), uri: "/connections/{name}"}}
}

func purges() []form {
	return []form{{name: "queue", mandatory: must("name"),
		uri: "/queues/{vhost}/{name}/contents"}}
}

func traffic() []form {
	return []form{
		{name: "publish", mandatory: must("routing_key"), json: []string{"properties"},
			optional: []field{{"payload", nil}, {"properties", newDict()},
				{"exchange", "amq.default"}, {"payload_encoding", "string"}},
			uri: "/exchanges/{vhost}/{exchange}/publish"},
		{name: "get", mandatory: must("queue"),
			optional: []field{{"count", "1"}, {"ackmode", "ack_requeue_true"},
				{"payload_file", nil}, {"encoding", "auto"}},
			uri: "/queues/{vhost}/{queue}/get"},
	}
}

func findForm(forms []form, name string) (form, bool) {
	for _, f := range forms {
		if f.name == name {
			return f, true
		}
	}
	return form{}, false
}
