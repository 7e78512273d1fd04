package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/warrenmq/warren/internal/apiclient"
)

func bindingColumns() []string {
	return []string{"source", "destination", "destination_type", "routing_key", "arguments"}
}

func newBindingsCommand() *cobra.Command {
	s := &session{}
	return s.noun("bindings", "Bindings: list, declare, delete",
		s.list("List bindings", listing{
			path: "/bindings", perVHost: true,
			columns: append([]string{"vhost"}, bindingColumns()...),
		}),
		s.bindingDeclare(), s.bindingDelete(),
	)
}

// bindingFlags name a binding besides its two ends.
type bindingFlags struct {
	toExchange bool
	key        string
	arguments  jsonFields
}

func (b *bindingFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&b.toExchange, "to-exchange", false, "the destination is an exchange")
	f.StringVarP(&b.key, "routing-key", "k", "", "routing key of the binding")
	f.Var(&b.arguments, "argument", "argument of the binding, `KEY=VALUE`; may be repeated")
}

func (b *bindingFlags) path(vhost, source, destination string) string {
	kind := "q"
	if b.toExchange {
		kind = "e"
	}
	return apiclient.Path("bindings", vhost, "e", source, kind, destination)
}

func (s *session) bindingDeclare() *cobra.Command {
	var b bindingFlags
	c := s.verb("declare SOURCE DESTINATION", "Bind a queue or an exchange to an exchange",
		exactArgs(2), s.completeInVHost("exchanges"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			body := object{"routing_key": b.key, "arguments": b.arguments.orEmpty()}
			path := b.path(s.vhostOr(), args[0], args[1])
			if err := api.Post(ctx, path, body, nil); err != nil {
				return err
			}
			s.say(c, "%q is bound to %q.", args[1], args[0])
			return nil
		})
	b.add(c.Flags())
	return c
}

func (s *session) bindingDelete() *cobra.Command {
	var b bindingFlags
	c := s.verb("delete SOURCE DESTINATION", "Take a binding away", exactArgs(2),
		s.completeInVHost("exchanges"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			path := b.path(s.vhostOr(), args[0], args[1])
			var list []object
			if err := api.Get(ctx, path, &list); err != nil {
				return err
			}
			for _, o := range list {
				if o["routing_key"] != b.key || !sameJSON(o["arguments"], b.arguments.orEmpty()) {
					continue
				}
				key, _ := o["properties_key"].(string)
				if err := api.Delete(ctx, path+apiclient.Path(key)); err != nil {
					return err
				}
				s.say(c, "%q is not bound to %q by %q any more.", args[1], args[0], b.key)
				return nil
			}
			return &exitError{exitData, errNoBinding}
		})
	b.add(c.Flags())
	return c
}
