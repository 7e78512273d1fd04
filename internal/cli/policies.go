package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func newPoliciesCommand() *cobra.Command {
	return policyNoun("policies", "Policies: what queues and exchanges with matching names do")
}

func newOperatorPoliciesCommand() *cobra.Command {
	return policyNoun("operator-policies",
		"Operator policies: limits that policies and arguments cannot exceed")
}

func policyNoun(noun, short string) *cobra.Command {
	s := &session{}
	return s.noun(noun, short,
		s.list("List them", listing{path: "/" + noun, perVHost: true, columns: []string{
			"vhost", "name", "pattern", "apply-to", "definition", "priority",
		}}),
		s.showIn(noun, "Show one"), s.policySet(noun),
		s.verb("clear NAME...", "Take them away", minArgs(1), s.completeInVHost(noun),
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				return s.deleteEach(ctx, c, api, "Policy", args, func(name string) string {
					return apiclient.Path(noun, s.vhostOr(), name)
				})
			}),
	)
}

func (s *session) policySet(noun string) *cobra.Command {
	var priority int
	var applyTo string
	c := s.verb("set NAME PATTERN DEFINITION",
		"Set one; the definition is a JSON object, such as {\"max-length\": 1000}",
		exactArgs(3), s.completeInVHost(noun),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			definition, err := parseObject(args[2])
			if err != nil {
				return err
			}
			err = api.Put(ctx, apiclient.Path(noun, s.vhostOr(), args[0]), object{
				"pattern": args[1], "definition": definition, "priority": priority,
				"apply-to": applyTo,
			})
			if err != nil {
				return err
			}
			s.say(c, "Policy %q is set in %q.", args[0], s.vhostOr())
			return nil
		})
	c.Flags().IntVar(&priority, "priority", 0, "the highest of those that match counts")
	c.Flags().StringVar(&applyTo, "apply-to", "all",
		"all, queues, classic_queues, quorum_queues, streams or exchanges")
	_ = c.RegisterFlagCompletionFunc("apply-to", cobra.FixedCompletions([]string{
		"all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges",
	}, cobra.ShellCompDirectiveNoFileComp))
	return c
}
