package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
)

// queueListing is the list of queues.
func queueListing() listing {
	return listing{path: "/queues", perVHost: true, paged: true, columns: []string{
		"vhost", "name", "type", "state", "messages_ready", "messages_unacknowledged", "messages",
		"consumers", "policy",
	}}
}

func newQueuesCommand() *cobra.Command {
	s := &session{}
	return s.noun("queues", "Queues: list, declare, delete, purge, move",
		s.list("List queues", queueListing()),
		s.showIn("queues", "Show everything about a queue"),
		s.bindingsOf("queues", "", "List what a queue is bound to"),
		s.queueDeclare(), s.queueDelete(), s.queuePurge(), s.queueMove(),
	)
}

// queueFlags are the flags of a declaration that stand for an argument.
type queueFlags struct {
	kind                             string
	transient, autoDelete, singleAct bool
	maxLength, maxBytes, ttl, expire int64
	overflow, dlx, dlk               string
	maxPriority                      int64
	arguments                        jsonFields
}

func (q *queueFlags) add(f *pflag.FlagSet) {
	f.StringVarP(&q.kind, "type", "t", "", "classic or quorum; empty leaves it to the vhost")
	f.BoolVar(&q.transient, "transient", false, "gone when the node stops")
	f.BoolVar(&q.autoDelete, "auto-delete", false, "gone with its last consumer")
	f.BoolVar(&q.singleAct, "single-active-consumer", false, "one consumer at a time")
	f.Int64Var(&q.maxLength, "max-length", 0, "most messages")
	f.Int64Var(&q.maxBytes, "max-length-bytes", 0, "most bytes of bodies")
	f.StringVar(&q.overflow, "overflow", "", "drop-head, reject-publish or reject-publish-dlx")
	f.Int64Var(&q.ttl, "message-ttl", 0, "milliseconds after which messages expire")
	f.Int64Var(&q.expire, "expires", 0, "milliseconds after which an unused queue is deleted")
	f.Int64Var(&q.maxPriority, "max-priority", 0, "the highest priority, 1 to 255")
	f.StringVar(&q.dlx, "dead-letter-exchange", "", "exchange for messages that die")
	f.StringVar(&q.dlk, "dead-letter-routing-key", "", "their routing key")
	f.Var(&q.arguments, "argument", "any argument, `KEY=VALUE`; may be repeated")
}

// body is the declaration as the API takes it.
func (q *queueFlags) body(f *pflag.FlagSet) object {
	arguments := object{}
	for flag, set := range map[string]struct {
		key   string
		value any
	}{
		"type":                    {"x-queue-type", q.kind},
		"single-active-consumer":  {"x-single-active-consumer", q.singleAct},
		"max-length":              {"x-max-length", q.maxLength},
		"max-length-bytes":        {"x-max-length-bytes", q.maxBytes},
		"overflow":                {"x-overflow", q.overflow},
		"message-ttl":             {"x-message-ttl", q.ttl},
		"expires":                 {"x-expires", q.expire},
		"max-priority":            {"x-max-priority", q.maxPriority},
		"dead-letter-exchange":    {"x-dead-letter-exchange", q.dlx},
		"dead-letter-routing-key": {"x-dead-letter-routing-key", q.dlk},
	} {
		if f.Changed(flag) {
			arguments[set.key] = set.value
		}
	}
	for key, value := range q.arguments.object {
		arguments[key] = value
	}
	return object{"durable": !q.transient, "auto_delete": q.autoDelete, "arguments": arguments}
}

func (s *session) queueDeclare() *cobra.Command {
	var q queueFlags
	c := s.verb("declare NAME", "Declare a queue, durable unless told otherwise", exactArgs(1),
		nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			path := apiclient.Path("queues", s.vhostOr(), args[0])
			if err := api.Put(ctx, path, q.body(c.Flags())); err != nil {
				return err
			}
			s.say(c, "Queue %q is declared.", args[0])
			return nil
		})
	q.add(c.Flags())
	return c
}

func (s *session) queueDelete() *cobra.Command {
	var ifEmpty, ifUnused bool
	c := s.verb("delete NAME...", "Delete queues and the messages in them", minArgs(1),
		s.completeInVHost("queues"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			query := url.Values{}
			if ifEmpty {
				query.Set("if-empty", "true")
			}
			if ifUnused {
				query.Set("if-unused", "true")
			}
			for _, name := range args {
				path := apiclient.Path("queues", s.vhostOr(), name)
				if err := api.Delete(ctx, apiclient.WithQuery(path, query)); err != nil {
					return about("queue", name, err)
				}
				s.say(c, "Queue %q is deleted.", name)
			}
			return nil
		})
	c.Flags().BoolVar(&ifEmpty, "if-empty", false, "only if it holds no message")
	c.Flags().BoolVar(&ifUnused, "if-unused", false, "only if it has no consumer")
	return c
}

func (s *session) queuePurge() *cobra.Command {
	return s.verb("purge NAME...", "Drop the messages of queues that nobody holds", minArgs(1),
		s.completeInVHost("queues"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			for _, name := range args {
				path := apiclient.Path("queues", s.vhostOr(), name, "contents")
				if err := api.Delete(ctx, path); err != nil {
					return about("queue", name, err)
				}
				s.say(c, "Queue %q is purged.", name)
			}
			return nil
		})
}

func (s *session) queueMove() *cobra.Command {
	var count int
	c := s.verb("move FROM TO", "Move the messages of a queue to another of the vhost",
		exactArgs(2), s.completeInVHost("queues"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			path := apiclient.Path("warren", "queues", s.vhostOr(), args[0], "move")
			body, answer := object{"queue": args[1]}, object{}
			if count > 0 {
				body["count"] = count
			}
			if err := api.Post(ctx, path, body, &answer); err != nil {
				return err
			}
			if s.json {
				if err := writeJSON(c.OutOrStdout(), answer); err != nil {
					return err
				}
			}
			n, _ := table.Number(answer["moved"])
			s.say(c, "Moved from %q to %q: %s.", args[0], args[1], counted(int64(n), "message"))
			if why, stopped := answer["stopped"]; stopped {
				return fmt.Errorf("it ended early: %v", why)
			}
			return nil
		})
	c.Flags().IntVarP(&count, "count", "n", 0, "most messages; 0 means all that are ready now")
	return c
}
