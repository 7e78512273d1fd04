package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/cli/table"
)

// checkColumns refuses a column that no object of the list has, and that none could have: it is
// misspelled, and silence would look like an answer.
func checkColumns(l listing, list []object, f listFlags, filters []table.Filter) error {
	check := func(flag, column string) error {
		if column == "" || hasColumn(list, column) {
			return nil
		}
		known := knownColumns(l)
		first, _, _ := strings.Cut(column, ".")
		if slices.Contains(known, strings.TrimSuffix(first, "_details")) ||
			slices.Contains(known, first) {
			return nil // not of these objects, but there is such a field
		}
		for _, o := range list {
			known = slices.AppendSeq(known, maps.Keys(o))
		}
		slices.Sort(known)
		return usageError("--%s: there is no column %q%s", flag, column,
			didYouMean(column, slices.Compact(known)))
	}
	for _, column := range f.columns {
		if err := check("columns", column); err != nil {
			return err
		}
	}
	if err := check("sort", strings.TrimPrefix(f.sort, "-")); err != nil {
		return err
	}
	for _, filter := range filters {
		if err := check("filter", filter.Column); err != nil {
			return err
		}
	}
	return nil
}

func hasColumn(list []object, column string) bool {
	return slices.ContainsFunc(list, func(o object) bool {
		_, has := o[column]
		return has || table.Lookup(o, column) != nil
	})
}

// knownColumns are the fields that objects of a list may have: some have a field only at times.
func knownColumns(l listing) []string {
	known := slices.Clone(l.columns)
	words := strings.Split(l.path, "/")
	slices.Reverse(words)
	for _, word := range words {
		if fields := fieldsOf(word); fields != "" {
			return append(known, strings.Fields(fields)...)
		}
	}
	return known
}

// fieldsOf names the fields that the API has for a kind of objects, here or in RabbitMQ, without
// the rates of numbers, which end in _details.
func fieldsOf(kind string) string {
	switch kind {
	case "queues":
		return `name vhost type durable auto_delete exclusive arguments node state policy
operator_policy effective_policy_definition consumers consumer_details consumer_utilisation
consumer_capacity idle_since reductions garbage_collection messages messages_ready
messages_unacknowledged messages_ram messages_ready_ram messages_unacknowledged_ram
messages_persistent messages_paged_out messages_dlx message_bytes message_bytes_ready
message_bytes_unacknowledged message_bytes_ram message_bytes_persistent message_bytes_paged_out
message_bytes_dlx message_stats head_message_timestamp exclusive_consumer_tag
single_active_consumer_tag single_active_consumer_ctag backing_queue_status memory leader members
online open_files slave_nodes synchronised_slave_nodes recoverable_slaves owner_pid_details
deliveries incoming quarantined storage_version delivery_limit`
	case "exchanges":
		return `name vhost type durable auto_delete internal arguments policy message_stats incoming
outgoing user_who_performed_action`
	case "bindings":
		return `source vhost destination destination_type routing_key arguments properties_key`
	case "connections":
		return `name vhost user node pid user_who_performed_action protocol type state state_reason
host port peer_host peer_port auth_mechanism channels channel_max frame_max timeout connected_at
client_properties user_provided_name ssl ssl_protocol ssl_cipher ssl_key_exchange ssl_hash
peer_cert_subject peer_cert_issuer peer_cert_validity reductions recv_cnt recv_oct send_cnt
send_oct send_pend garbage_collection`
	case "channels":
		return `name vhost user node pid number user_who_performed_action connection_details state
transactional confirm consumer_count messages_unacknowledged messages_unconfirmed
messages_uncommitted acks_uncommitted prefetch_count global_prefetch_count idle_since
message_stats pending_raft_commands reductions garbage_collection consumer_details publishes
deliveries`
	case "consumers":
		return `queue channel_details consumer_tag exclusive ack_required prefetch_count active
activity_status arguments consumer_timeout`
	case "users":
		return `name password_hash hashing_algorithm tags limits`
	case "vhosts":
		return `name description tags metadata default_queue_type protected_from_deletion tracing
cluster_state messages messages_ready messages_unacknowledged message_stats recv_oct send_oct`
	case "permissions":
		return `user vhost configure write read`
	case "topic-permissions":
		return `user vhost exchange write read`
	case "policies", "operator-policies":
		return `vhost name pattern definition priority apply-to`
	case "parameters", "global-parameters":
		return `vhost component name value`
	case "vhost-limits", "user-limits":
		return `vhost user value`
	}
	return ""
}
