package cli

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func newExchangesCommand() *cobra.Command {
	s := &session{}
	return s.noun("exchanges", "Exchanges: list, declare, delete",
		s.list("List exchanges", listing{
			path: "/exchanges", perVHost: true, paged: true, columns: []string{
				"vhost", "name", "type", "durable", "auto_delete", "internal", "arguments",
				"policy",
			}}),
		s.showIn("exchanges", "Show everything about an exchange"),
		s.exchangeDeclare(), s.exchangeDelete(), s.bindingsOf("exchanges", "source",
			"List what is bound to an exchange"),
	)
}

// showIn is the verb that shows one object of a vhost.
func (s *session) showIn(noun, short string) *cobra.Command {
	return s.verb("show NAME", short, exactArgs(1), s.completeInVHost(noun),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			return s.showOne(ctx, c, api, apiclient.Path(noun, s.vhostOr(), args[0]))
		})
}

func (s *session) showOne(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, path string,
) error {
	var o object
	if err := api.Get(ctx, path, &o); err != nil {
		return err
	}
	return s.show(c.OutOrStdout(), o)
}

// bindingsOf is the verb that lists the bindings of a queue, or of an exchange as a source.
func (s *session) bindingsOf(noun, side, short string) *cobra.Command {
	l := listing{columns: bindingColumns()}
	var f listFlags
	c := s.verb("bindings NAME", short, exactArgs(1), s.completeInVHost(noun),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			l.path = apiclient.Path(noun, s.vhostOr(), args[0], "bindings")
			if side != "" {
				l.path += apiclient.Path(side)
			}
			return s.printList(ctx, c, api, l, f)
		})
	f.add(c, l.columns)
	return c
}

func (s *session) exchangeDeclare() *cobra.Command {
	var kind, alternate string
	var transient, autoDelete, internal bool
	var arguments jsonFields
	c := s.verb("declare NAME", "Declare an exchange, durable unless told otherwise",
		exactArgs(1), nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			fields := object{}
			if alternate != "" {
				fields["alternate-exchange"] = alternate
			}
			for key, value := range arguments.object {
				fields[key] = value
			}
			err := api.Put(ctx, apiclient.Path("exchanges", s.vhostOr(), args[0]), object{
				"type": kind, "durable": !transient, "auto_delete": autoDelete,
				"internal": internal, "arguments": fields,
			})
			if err != nil {
				return err
			}
			s.say(c, "Exchange %q is declared.", args[0])
			return nil
		})
	f := c.Flags()
	f.StringVarP(&kind, "type", "t", "direct", "direct, fanout, topic, headers or another type")
	f.BoolVar(&transient, "transient", false, "gone when the node stops")
	f.BoolVar(&autoDelete, "auto-delete", false, "gone with its last binding")
	f.BoolVar(&internal, "internal", false, "only other exchanges publish to it")
	f.StringVar(&alternate, "alternate-exchange", "", "exchange for what finds no queue")
	f.Var(&arguments, "argument", "any argument, `KEY=VALUE`; may be repeated")
	return c
}

func (s *session) exchangeDelete() *cobra.Command {
	var ifUnused bool
	c := s.verb("delete NAME...", "Delete exchanges", minArgs(1), s.completeInVHost("exchanges"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			query := url.Values{}
			if ifUnused {
				query.Set("if-unused", "true")
			}
			for _, name := range args {
				path := apiclient.Path("exchanges", s.vhostOr(), name)
				if err := api.Delete(ctx, apiclient.WithQuery(path, query)); err != nil {
					return about("exchange", name, err)
				}
				s.say(c, "Exchange %q is deleted.", name)
			}
			return nil
		})
	c.Flags().BoolVar(&ifUnused, "if-unused", false, "only if nothing is bound to it")
	return c
}
