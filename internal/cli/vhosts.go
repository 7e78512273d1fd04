package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func newVHostsCommand() *cobra.Command {
	s := &session{}
	return s.noun("vhosts", "Virtual hosts: list, add, delete, protect",
		s.list("List vhosts", listing{path: "/vhosts", columns: []string{
			"name", "description", "tags", "default_queue_type", "messages", "tracing",
		}}),
		s.showOf("vhosts", "Show everything about a vhost"),
		s.vhostAdd(), s.vhostDelete(),
		s.vhostProtect("protect", "Refuse to delete a vhost", true),
		s.vhostProtect("unprotect", "Let a vhost be deleted again", false),
	)
}

func (s *session) vhostAdd() *cobra.Command {
	var description, queueType string
	var tags []string
	var tracing bool
	c := s.verb("add NAME", "Make a vhost, or change one; nobody has access to a new one",
		exactArgs(1), nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			body := object{}
			f := c.Flags()
			if f.Changed("description") {
				body["description"] = description
			}
			if f.Changed("tags") {
				body["tags"] = strings.Join(tags, ",")
			}
			if f.Changed("default-queue-type") {
				body["default_queue_type"] = queueType
			}
			if f.Changed("tracing") {
				body["tracing"] = tracing
			}
			if err := api.Put(ctx, apiclient.Path("vhosts", args[0]), body); err != nil {
				return err
			}
			s.say(c, "Vhost %q is there.", args[0])
			return nil
		})
	f := c.Flags()
	f.StringVar(&description, "description", "", "what it is for")
	f.StringSliceVar(&tags, "tags", nil, "words of your own")
	f.StringVar(&queueType, "default-queue-type", "", "type of queues declared without one")
	f.BoolVar(&tracing, "tracing", false, "copy every message to the exchange amq.rabbitmq.trace")
	return c
}

func (s *session) vhostDelete() *cobra.Command {
	return s.verb("delete NAME...", "Delete vhosts with everything in them", minArgs(1),
		s.completeNames("/vhosts?columns=name"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			return s.deleteEach(ctx, c, api, "Vhost", args, func(name string) string {
				return apiclient.Path("vhosts", name)
			})
		})
}

func (s *session) vhostProtect(use, short string, protect bool) *cobra.Command {
	return s.verb(use+" NAME", short, exactArgs(1), s.completeNames("/vhosts?columns=name"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			path := apiclient.Path("vhosts", args[0], "deletion", "protection")
			var err error
			if protect {
				err = api.Post(ctx, path, object{}, nil)
			} else {
				err = api.Delete(ctx, path)
			}
			if err != nil {
				return about("vhost", args[0], err)
			}
			s.say(c, "Vhost %q is %sed.", args[0], use)
			return nil
		})
}
