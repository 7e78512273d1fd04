package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func permissionColumns() []string {
	return []string{"user", "vhost", "configure", "write", "read"}
}

func newPermissionsCommand() *cobra.Command {
	s := &session{}
	return s.noun("permissions", "What users may in a vhost, by patterns of names",
		s.list("List permissions", listing{path: "/permissions", columns: permissionColumns()}),
		s.verb("set USER CONFIGURE WRITE READ", "Give a user access to a vhost", exactArgs(4),
			s.completeUsers(), s.permissionSet),
		s.permissionClear("permissions", "Take a user's access to a vhost away"),
	)
}

func (s *session) permissionSet(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
) error {
	err := api.Put(ctx, apiclient.Path("permissions", s.vhostOr(), args[0]), object{
		"configure": args[1], "write": args[2], "read": args[3],
	})
	if err != nil {
		return err
	}
	s.say(c, "User %q has access to %q.", args[0], s.vhostOr())
	return nil
}

func (s *session) permissionClear(path, short string) *cobra.Command {
	return s.verb("clear USER", short, exactArgs(1), s.completeUsers(),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			if err := api.Delete(ctx, apiclient.Path(path, s.vhostOr(), args[0])); err != nil {
				return about("user", args[0], err)
			}
			s.say(c, "The permissions of %q in %q are gone.", args[0], s.vhostOr())
			return nil
		})
}

func newTopicPermissionsCommand() *cobra.Command {
	s := &session{}
	return s.noun("topic-permissions", "Which routing keys users may use on topic exchanges",
		s.list("List topic permissions", listing{path: "/topic-permissions", columns: []string{
			"user", "vhost", "exchange", "write", "read",
		}}),
		s.verb("set USER EXCHANGE WRITE READ", "Bound the routing keys of a user", exactArgs(4),
			s.completeUsers(), s.topicPermissionSet),
		s.permissionClear("topic-permissions", "Lift the bounds of a user's routing keys"),
	)
}

func (s *session) topicPermissionSet(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
) error {
	err := api.Put(ctx, apiclient.Path("topic-permissions", s.vhostOr(), args[0]), object{
		"exchange": args[1], "write": args[2], "read": args[3],
	})
	if err != nil {
		return err
	}
	s.say(c, "The routing keys of %q on %q are bounded.", args[0], args[1])
	return nil
}
