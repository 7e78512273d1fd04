package management

// answeringBodies are the forms that a POST answers with more than that it is done.
func answeringBodies() []string { return []string{"publish", "get", "move"} }

// bodies are the forms of what clients send, as JSON Schema, by name.
func bodies() map[string]object {
	return map[string]object{
		"action":  schemaOf("action", "text"),
		"binding": schemaOf("routing_key", "text", "arguments", "object"),
		"definitions": schemaOf("users", "list", "vhosts", "list", "permissions", "list",
			"topic_permissions", "list", "parameters", "list", "global_parameters", "list",
			"policies", "list", "queues", "list", "exchanges", "list", "bindings", "list"),
		"exchange": schemaOf("type", "text", "durable", "flag", "auto_delete", "flag",
			"internal", "flag", "arguments", "object"),
		"get": schemaOf("count", "number", "ackmode", "text", "encoding", "text", "truncate",
			"number"),
		"move": schemaOf("queue", "text", "exchange", "text", "routing_key", "text", "count",
			"number"),
		"name":       schemaOf("name", "text"),
		"permission": schemaOf("configure", "text", "write", "text", "read", "text"),
		"policy": schemaOf("pattern", "text", "definition", "object", "priority", "number",
			"apply-to", "text"),
		"publish": schemaOf("routing_key", "text", "payload", "text", "payload_encoding", "text",
			"properties", "object"),
		"queue": schemaOf("durable", "flag", "auto_delete", "flag", "arguments",
			"object"),
		"topic_permission": schemaOf("exchange", "text", "write", "text", "read", "text"),
		"user": schemaOf("password", "text", "password_hash", "text", "hashing_algorithm", "text",
			"tags", "any"),
		"users": schemaOf("users", "list"),
		"value": schemaOf("value", "any"),
		"vhost": schemaOf("description", "text", "tags", "any", "default_queue_type", "text",
			"protected_from_deletion", "flag", "tracing", "flag"),
	}
}

// schemaOf is an object with fields, each a name and one of text, number, flag, list, object, any.
func schemaOf(fields ...string) object {
	types := map[string]object{
		"text": {"type": "string"}, "number": {"type": "integer"}, "flag": {"type": "boolean"},
		"list": {"type": "array"}, "object": {"type": "object"}, "any": {},
	}
	properties := object{}
	for i := 0; i < len(fields); i += 2 {
		properties[fields[i]] = types[fields[i+1]]
	}
	return object{"type": "object", "properties": properties}
}
