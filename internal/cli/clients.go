package cli

import (
	"context"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func newConnectionsCommand() *cobra.Command {
	s := &session{}
	return s.noun("connections", "Connections: list, show, close",
		s.list("List connections", listing{path: "/connections", paged: true, columns: []string{
			"name", "user", "vhost", "state", "protocol", "channels", "ssl",
			"user_provided_name",
		}}),
		s.showOf("connections", "Show everything about a connection"),
		s.connectionClose(),
	)
}

// showOf is the verb that shows one object that belongs to no vhost.
func (s *session) showOf(noun, short string) *cobra.Command {
	return s.verb("show NAME", short, exactArgs(1),
		s.completeNames("/"+noun+"?columns=name"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			return s.showOne(ctx, c, api, apiclient.Path(noun, args[0]))
		})
}

func (s *session) connectionClose() *cobra.Command {
	var user, reason string
	var all bool
	c := s.verb("close [NAME...]", "Close connections, by name, of a user or all of them",
		cobra.ArbitraryArgs, s.completeNames("/connections?columns=name"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			if chosen := boolCount(len(args) > 0, user != "", all); chosen != 1 {
				return usageError("name connections, or --user, or --all")
			}
			if len(args) == 0 {
				var err error
				if args, err = s.connectionNames(ctx, api, user); err != nil {
					return err
				}
			}
			for _, name := range args {
				err := api.Do(ctx, apiclient.Request{
					Method: http.MethodDelete, Path: apiclient.Path("connections", name),
					Header: http.Header{"X-Reason": {reason}},
				}, nil)
				if err != nil && (user == "" && !all || !apiclient.IsNotFound(err)) {
					return about("connection", name, err)
				}
				s.say(c, "Connection %q is closed.", name)
			}
			return nil
		})
	f := c.Flags()
	f.StringVar(&user, "user", "", "all connections of a user")
	f.BoolVar(&all, "all", false, "all connections, of the vhost if one is chosen")
	f.StringVar(&reason, "reason", "Closed by the operator", "what the client is told")
	return c
}

func (s *session) connectionNames(
	ctx context.Context, api *apiclient.Client, user string,
) ([]string, error) {
	var names []string
	path := "/connections"
	if s.vhost != "" {
		path = apiclient.Path("vhosts", s.vhost, "connections")
	}
	var list []object
	if err := api.Get(ctx, path+"?columns=name,user", &list); err != nil {
		return nil, err
	}
	for _, o := range list {
		if name, _ := o["name"].(string); user == "" || o["user"] == user {
			names = append(names, strings.Clone(name))
		}
	}
	return names, nil
}

func boolCount(list ...bool) (count int) {
	for _, b := range list {
		if b {
			count++
		}
	}
	return count
}

func newChannelsCommand() *cobra.Command {
	s := &session{}
	return s.noun("channels", "Channels: list, show",
		s.list("List channels", listing{path: "/channels", paged: true, columns: []string{
			"name", "user", "vhost", "state", "confirm", "transactional", "prefetch_count",
			"messages_unacknowledged", "messages_unconfirmed", "consumer_count",
		}}),
		s.showOf("channels", "Show everything about a channel"),
	)
}

func newConsumersCommand() *cobra.Command {
	s := &session{}
	return s.noun("consumers", "Consumers: list",
		s.list("List consumers", listing{path: "/consumers", perVHost: true, columns: []string{
			"queue.vhost", "queue.name", "consumer_tag", "channel_details.name", "ack_required",
			"prefetch_count", "active", "exclusive",
		}}))
}
