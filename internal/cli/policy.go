package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/protocol/control"
)

// policyVerbs set, clear and list policies and operator policies.
func (f *ctlFlags) policyVerbs() []*cobra.Command {
	return []*cobra.Command{
		f.setPolicy("set_policy", "policy",
			"Set what queues and exchanges with matching names do"),
		f.setPolicy("set_operator_policy", "operator policy override",
			"Set limits that policies and arguments cannot exceed"),
		f.clearPolicy("clear_policy", "policy", "Take a policy away"),
		f.clearPolicy("clear_operator_policy", "operator policy", "Take an operator policy away"),
		f.list("list_policies [column ...]", "List the policies of a vhost",
			"Listing policies for vhost \"%s\" ..."),
		f.list("list_operator_policies [column ...]", "List the operator policies of a vhost",
			"Listing operator policy overrides for vhost \"%s\" ..."),
	}
}

// setPolicy is a verb with rabbitmqctl's flags.
func (f *ctlFlags) setPolicy(name, what, short string) *cobra.Command {
	var priority int32
	var applyTo string
	c := &cobra.Command{
		Use: name + " NAME PATTERN DEFINITION", Args: cobra.ExactArgs(3),
		Short:             short,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arguments []string) error {
			f.say(c, "Setting %s \"%s\" for pattern \"%s\" to \"%s\" "+
				"with priority \"%d\" for vhost \"%s\" ...", what, arguments[0],
				arguments[1], arguments[2], priority, f.vhost)
			arguments = append(arguments, strconv.Itoa(int(priority)), applyTo)
			return f.call(c, control.Request{Verb: name, VHost: f.vhost, Arguments: arguments})
		},
	}
	c.Flags().Int32Var(&priority, "priority", 0, "the highest of those that match counts")
	c.Flags().StringVar(&applyTo, "apply-to", "all",
		"all, queues, classic_queues, quorum_queues, streams or exchanges")
	return c
}

func (f *ctlFlags) clearPolicy(name, what, short string) *cobra.Command {
	return &cobra.Command{
		Use: name + " NAME", Args: cobra.ExactArgs(1), Short: short,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arguments []string) error {
			f.say(c, "Clearing %s \"%s\" on vhost \"%s\" ...", what, arguments[0], f.vhost)
			return f.call(c, control.Request{Verb: name, VHost: f.vhost, Arguments: arguments})
		},
	}
}
