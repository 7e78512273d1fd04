package rabbitmqctl

// refusedVerbs are known and cannot be done: each says why, and what to do instead. They end
// with the code for an unavailable service, and change nothing.
func refusedVerbs() []*verb {
	const (
		clusters = "This node is alone: there are no clusters to change"
		mirrors  = "There are no mirrored queues"
		streams  = "Streams have no replicas on this node"
		erlang   = "There is no Erlang in this node, so it evaluates no code. " +
			"What scripts use it for has verbs of its own: see 'help'"
		values = "Values of the configuration are not encrypted: " +
			"keep secrets in files or variables"
		attempts = "Logins are counted by the metrics: see auth_attempts"
		logs     = "The log goes to whoever collects it: look there, or see log_location"
	)
	var list []*verb
	for _, row := range []struct {
		why   string
		names []string
	}{
		{clusters, []string{
			"join_cluster", "forget_cluster_node", "change_cluster_node_type",
			"rename_cluster_node", "update_cluster_nodes", "grow", "grow_to_count", "shrink",
			"add_member", "delete_member", "transfer_leadership", "add_replica", "delete_replica",
		}},
		{mirrors, []string{
			"sync_queue", "cancel_sync_queue", "remove_classic_queue_mirroring_from_policies",
		}},
		{streams, []string{"stream_status", "restart_stream", "coordinator_status"}},
		{"Set the policy key max-age or max-length-bytes instead", []string{
			"set_stream_retention_policy",
		}},
		{erlang, []string{"eval", "eval_file", "exec", "remote_shell"}},
		{"There is no Erlang to observe: see 'warren top'", []string{
			"observer", "runtime_thread_stats", "maybe_stuck", "schema_info",
			"erlang_cookie_hash", "erlang_cookie_sources",
		}},
		{values, []string{"encode", "decode", "encrypt_conf_value", "decrypt_conf_value"}},
		{attempts, []string{
			"list_node_auth_attempt_stats", "reset_node_auth_attempt_metrics",
			"enable_auth_attempt_source_tracking", "disable_auth_attempt_source_tracking",
		}},
		{"Sizes of messages are counted by the metrics: see message_size_bytes", []string{
			"message_size_stats",
		}},
		{logs, []string{"log_tail", "log_tail_stream"}},
		{"See 'warren config show --effective'", []string{"environment", "command_line_arguments"}},
		{"Names are resolved by the system", []string{"resolver_info"}},
		{"There is no stream of internal events: the log has them", []string{
			"consume_event_stream",
		}},
		{"Free disk space is always monitored", []string{
			"activate_free_disk_space_monitoring", "deactivate_free_disk_space_monitoring",
		}},
		{"There are no interceptors", []string{
			"list_channel_interceptors", "set_channel_interceptor_priorities",
		}},
	} {
		for _, name := range row.names {
			list = append(list, refusal(name, row.why))
		}
	}
	return list
}

// refusal takes whatever the real verb does.
func refusal(name, why string) *verb {
	return &verb{
		name: name, max: -1, needs: nothing,
		options: []option{
			flag("offline", ""), flag("online", ""), flag("ram", ""), flag("disc", ""),
			flag("errors-only", ""), flag("tracking", ""), flag("all", ""), flag("decode", ""),
			flag("by-source", ""), text("cipher", ""), text("hash", ""), number("iterations", ""),
			text("vhost-pattern", ""), text("queue-pattern", ""), text("membership", ""),
			number("number", "N"), number("duration", "d"), text("pattern", ""),
			number("interval", ""), number("sample-interval", ""), text("file", "f"),
		},
		do: func(*task) error { return fail(exitUnavailable, "%s", why) },
	}
}
