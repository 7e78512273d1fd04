package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/protocol/control"
)

// setPolicy is the verb with rabbitmqctl's flags.
func (f *ctlFlags) setPolicy() *cobra.Command {
	var priority int32
	var applyTo string
	c := &cobra.Command{
		Use: "set_policy NAME PATTERN DEFINITION", Args: cobra.ExactArgs(3),
		Short:             "Set what queues with matching names do not say themselves",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arguments []string) error {
			f.say(c, "Setting policy \"%s\" for pattern \"%s\" to \"%s\" "+
				"with priority \"%d\" for vhost \"%s\" ...", arguments[0],
				arguments[1], arguments[2], priority, f.vhost)
			arguments = append(arguments, strconv.Itoa(int(priority)), applyTo)
			return f.call(c, control.Request{
				Verb: "set_policy", VHost: f.vhost, Arguments: arguments,
			})
		},
	}
	c.Flags().Int32Var(&priority, "priority", 0, "the highest of those that match counts")
	c.Flags().StringVar(&applyTo, "apply-to", "all", "all, queues or classic_queues")
	return c
}
