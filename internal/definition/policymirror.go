package definition

import (
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// The keys of classic mirrored queues. RabbitMQ 3 takes them on a single node, too, where they
// change nothing; RabbitMQ 4 does not know them. Here they are checked, kept and shown.
const (
	haMode              = "ha-mode"
	haParams            = "ha-params"
	haSyncMode          = "ha-sync-mode"
	haSyncBatchSize     = "ha-sync-batch-size"
	haPromoteOnShutdown = "ha-promote-on-shutdown"
	haPromoteOnFailure  = "ha-promote-on-failure"
)

// checkMirroring says what is wrong with the keys of mirrored queues, "" for nothing.
func checkMirroring(settings amqp.Table) string {
	mode, has := settings.Lookup(haMode)
	if !has {
		for _, key := range []string{
			haParams, haSyncMode, haSyncBatchSize, haPromoteOnShutdown, haPromoteOnFailure,
		} {
			if _, ok := settings.Lookup(key); ok {
				return "ha-mode must be specified to specify ha-params, ha-sync-mode or " +
					"ha-promote-on-shutdown"
			}
		}
		return ""
	}
	if !isOneOf("all", "exactly", "nodes")(mode) {
		return jsonTerm(mode) + " is not a valid ha-mode value"
	}
	params, has := settings.Lookup(haParams)
	if wrong := checkMirrorParams(string(mode.Data), params, has); wrong != "" {
		return wrong
	}
	for _, key := range []struct{ name, one, other string }{
		{haSyncMode, "manual", "automatic"},
		{haPromoteOnShutdown, "always", "when-synced"},
		{haPromoteOnFailure, "always", "when-synced"},
	} {
		v, ok := settings.Lookup(key.name)
		if ok && !isOneOf(key.one, key.other)(v) {
			return key.name + ` must be "` + key.one + `" or "` + key.other + `", got ` +
				jsonTerm(v)
		}
	}
	if v, ok := settings.Lookup(haSyncBatchSize); ok && !isAtLeast(1)(v) {
		return "ha-sync-batch-size takes an integer greater than 0, " + jsonTerm(v) + " given"
	}
	return ""
}

func checkMirrorParams(mode string, params amqp.Value, has bool) string {
	given := "none"
	if has {
		given = jsonTerm(params)
	}
	switch mode {
	case "all":
		if has {
			return `ha-mode="all" does not take parameters`
		}
	case "exactly":
		if !has || !isAtLeast(1)(params) {
			return `ha-mode="exactly" takes an integer, ` + given + " given"
		}
	case "nodes":
		return checkMirrorNodes(params, has, given)
	}
	return ""
}

func checkMirrorNodes(params amqp.Value, has bool, given string) (wrong string) {
	if !has || params.Type != amqp.TypeArray {
		return `ha-mode="nodes" takes a list, ` + given + " given"
	}
	count := 0
	var others []string
	params.Each(func(node amqp.Value) bool {
		count++
		if !isText(node) {
			others = append(others, jsonTerm(node))
		}
		return true
	})
	switch {
	case count == 0:
		return `ha-mode="nodes" list must be non-empty`
	case len(others) > 0:
		return `ha-mode="nodes" takes a list of strings, [` + strings.Join(others, ",") +
			"] was not a string"
	}
	return ""
}
