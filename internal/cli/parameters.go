package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func newParametersCommand() *cobra.Command {
	s := &session{}
	return s.noun("parameters", "Runtime parameters of components, in a vhost",
		s.list("List parameters", listing{path: "/parameters", columns: []string{
			"vhost", "component", "name", "value",
		}}),
		s.verb("set COMPONENT NAME VALUE", "Set a parameter to a JSON value", exactArgs(3), nil,
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				return s.parameterSet(ctx, c, api, args[2],
					apiclient.Path("parameters", args[0], s.vhostOr(), args[1]),
					object{"component": args[0], "vhost": s.vhostOr(), "name": args[1]})
			}),
		s.verb("clear COMPONENT NAME", "Take a parameter away", exactArgs(2), nil,
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				return s.deleteEach(ctx, c, api, "Parameter", args[1:], func(name string) string {
					return apiclient.Path("parameters", args[0], s.vhostOr(), name)
				})
			}),
	)
}

func newGlobalParametersCommand() *cobra.Command {
	s := &session{}
	return s.noun("global-parameters", "Runtime parameters of the whole broker",
		s.list("List global parameters", listing{
			path: "/global-parameters", columns: []string{"name", "value"},
		}),
		s.verb("set NAME VALUE", "Set a parameter to a JSON value", exactArgs(2),
			s.completeNames("/global-parameters"),
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				return s.parameterSet(ctx, c, api, args[1],
					apiclient.Path("global-parameters", args[0]), object{"name": args[0]})
			}),
		s.verb("clear NAME", "Take a parameter away", exactArgs(1),
			s.completeNames("/global-parameters"),
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				return s.deleteEach(ctx, c, api, "Parameter", args, func(name string) string {
					return apiclient.Path("global-parameters", name)
				})
			}),
	)
}

func (s *session) parameterSet(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, text, path string, body object,
) error {
	value, err := parseJSON(text)
	if err != nil {
		return usageError("%q is not JSON: %w", text, err)
	}
	body["value"] = value
	if err := api.Put(ctx, path, body); err != nil {
		return err
	}
	s.say(c, "Parameter %q is set.", body["name"])
	return nil
}

func newLimitsCommand() *cobra.Command {
	s := &session{}
	var user string
	var f listFlags
	list := &cobra.Command{
		Use: "list", Short: "List the limits of vhosts, or with --users of users",
		Args: exactArgs(0), ValidArgsFunction: cobra.NoFileCompletions,
	}
	users := list.Flags().Bool("users", false, "those of users")
	f.add(list, []string{"vhost", "value"})
	list.RunE = s.run(func(
		ctx context.Context, c *cobra.Command, api *apiclient.Client, _ []string,
	) error {
		l := listing{path: "/vhost-limits", perVHost: true, columns: []string{"vhost", "value"}}
		if *users {
			l = listing{path: "/user-limits", columns: []string{"user", "value"}}
		}
		return s.printList(ctx, c, api, l, f)
	})
	path := func(limit string) string {
		if user != "" {
			return apiclient.Path("user-limits", user, limit)
		}
		return apiclient.Path("vhost-limits", s.vhostOr(), limit)
	}
	c := s.noun("limits", "Limits of vhosts and users", list,
		s.verb("set LIMIT VALUE",
			"Set max-connections or max-queues of a vhost, or max-channels of --user",
			exactArgs(2), nil,
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				value, err := strconv.Atoi(args[1])
				if err != nil {
					return usageError("the limit %q is not a whole number", args[1])
				}
				if err := api.Put(ctx, path(args[0]), object{"value": value}); err != nil {
					return err
				}
				s.say(c, "The limit %s is %d.", args[0], value)
				return nil
			}),
		s.verb("clear LIMIT...", "Lift limits", minArgs(1), nil,
			func(
				ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
			) error {
				return s.deleteEach(ctx, c, api, "Limit", args, path)
			}),
	)
	c.PersistentFlags().StringVar(&user, "user", "", "the limits of a user, not of the vhost")
	return c
}
