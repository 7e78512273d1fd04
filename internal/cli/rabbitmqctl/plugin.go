package rabbitmqctl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// plugins are those of RabbitMQ's whose work is built in. All are always enabled.
func plugins() []string {
	return []string{
		"rabbitmq_auth_mechanism_ssl", "rabbitmq_consistent_hash_exchange",
		"rabbitmq_delayed_message_exchange", "rabbitmq_management", "rabbitmq_management_agent",
		"rabbitmq_prometheus", "rabbitmq_random_exchange", "rabbitmq_recent_history_exchange",
	}
}

func pluginVerbs() []*verb {
	where := []option{flag("offline", ""), flag("online", ""), flag("all", "")}
	return []*verb{
		{name: "list", max: 1, needs: whatever, do: listPlugins, valid: pluginPattern,
			options: []option{
				flag("verbose", "v"), flag("minimal", "m"), flag("enabled", "E"),
				flag("implicitly-enabled", "e"),
			},
			banner: func(t *task) string {
				return "Listing plugins with pattern \"" + t.pluginPattern() + "\" ..."
			}},
		{name: "is_enabled", min: 1, max: -1, needs: whatever, options: where, do: isEnabled,
			banner: func(t *task) string {
				return fmt.Sprintf("Asking node %s if %s enabled...", t.nodeName(),
					pluginNames(t.args))
			}},
		changePlugins("enable", "Enabling", where),
		changePlugins("disable", "Disabling", where),
		changePlugins("set", "Enabling", where),
		{name: "directories", needs: whatever, options: where, do: func(t *task) error {
			return t.message("Plugins are built in: there are no directories")
		}, banner: func(t *task) string {
			return "Listing plugin directories used by node " + t.nodeName()
		}},
	}
}

func pluginNames(names []string) string {
	if len(names) == 1 {
		return "plugin " + names[0] + " is"
	}
	return "plugins " + strings.Join(names, ", ") + " are"
}

func (t *task) pluginPattern() string {
	if len(t.args) == 0 {
		return ".*"
	}
	return t.args[0]
}

func pluginPattern(t *task) error {
	if _, err := regexp.Compile(t.pluginPattern()); err != nil {
		return badArgument("the pattern is no regular expression: %v", err)
	}
	return nil
}

func listPlugins(t *task) error {
	pattern, err := regexp.Compile(t.pluginPattern())
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(plugins(), func(name string) bool {
		return !pattern.MatchString(name)
	})
	up := t.node.running
	version := t.Compatible
	if t.format() == "json" {
		list := []any{}
		for _, name := range names {
			list = append(list, object{
				{"enabled", "enabled"}, {"name", name}, {"running", up},
				{"running_version", version}, {"version", version},
			})
		}
		return t.print(jsonText(object{{"format", "normal"}, {"plugins", list}}))
	}
	if t.options.has("minimal") {
		return t.print(strings.Join(names, "\n"))
	}
	var out strings.Builder
	if !t.quiet() {
		out.WriteString(" Configured: E = explicitly enabled; e = implicitly enabled\n" +
			" | Status: * = running on " + t.nodeName() + "\n |/\n")
	}
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	mark := "E "
	if up {
		mark = "E*"
	}
	for _, name := range names {
		if t.options.has("verbose") {
			fmt.Fprintf(&out, "[%s] %s\n     Version:     \t%s\n     Dependencies:\t[]\n"+
				"     Description: \tBuilt in\n", mark, name, version)
			continue
		}
		fmt.Fprintf(&out, "[%s] %-*s %s\n", mark, width, name, version)
	}
	return t.print(strings.TrimRight(out.String(), "\n"))
}

func isEnabled(t *task) error {
	missing := slices.DeleteFunc(slices.Clone(t.args), func(name string) bool {
		return slices.Contains(plugins(), name)
	})
	if len(missing) > 0 {
		return fail(exitUnavailable, "%s not enabled on node %s. Enabled plugins and "+
			"dependencies: %s", sentence(pluginNames(missing)), t.nodeName(),
			strings.Join(plugins(), ", "))
	}
	return t.message("%s enabled on node %s", sentence(pluginNames(t.args)), t.nodeName())
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// changePlugins takes plugins that are built in and says that nothing is to be done. One that is
// not built in is noted, and no error: scripts that set up a RabbitMQ go on.
func changePlugins(name, doing string, options []option) *verb {
	return &verb{
		name: name, max: -1, needs: whatever, options: options,
		valid: func(t *task) error {
			if len(t.args) == 0 && !t.options.has("all") && name != "set" {
				return usageFailure("not enough arguments.")
			}
			return nil
		},
		banner: func(t *task) string {
			return doing + " plugins on node " + t.nodeName() + ":\n" + strings.Join(t.args, "\n")
		},
		do: func(t *task) error {
			var lines []string
			for _, plugin := range t.args {
				switch built := slices.Contains(plugins(), plugin); {
				case built && name == "disable":
					lines = append(lines, "Note: "+plugin+" is built in and stays enabled")
				case !built && name != "disable":
					lines = append(lines, "Note: "+plugin+" is not there and was not enabled")
				}
			}
			return t.message("%s", strings.Join(append(lines, "Plugin configuration unchanged."),
				"\n"))
		},
	}
}

func upgradeVerbs() []*verb {
	const alone = "Target node seems to be the only one in a single node cluster, " +
		"the command does not apply"
	return []*verb{
		{name: "drain", do: func(t *task) error {
			return t.client.Post(t.ctx, "/warren/drain", nil, nil)
		}, banner: saying("Will put node %n into maintenance mode. " +
			"The node will no longer serve any client traffic!")},
		{name: "revive", do: func(t *task) error {
			return t.client.Post(t.ctx, "/warren/revive", nil, nil)
		}, banner: saying("Will put node %n back into regular operating mode. " +
			"The node will again serve client traffic and host primary queue replicas.")},
		passing("await_online_quorum_plus_one", "Will wait for a quorum + 1 of nodes to be online "+
			"for all quorum queues for 120 seconds...", alone),
		passing("await_online_synchronized_mirror", "Will wait for a synchronised mirror be "+
			"online for all classic mirrored queues for 120 seconds...", alone),
		passing("has_reached_target_cluster_size",
			"Checking if the cluster has reached its target size ...",
			"Cluster has reached its target size: one node"),
		passing("post_upgrade", "Executing post upgrade tasks...\nRebalancing queue masters...",
			"There is nothing to do after an upgrade"),
	}
}
