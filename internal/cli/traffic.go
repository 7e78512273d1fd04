package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
)

var (
	errNoBinding  = errors.New("there is no such binding: name its routing key and arguments")
	errNotRouted  = errors.New("the message is published, and no queue took it")
	errUserExists = errors.New("there is such a user already")
)

// about says of which object an answer speaks.
func about(noun, name string, err error) error {
	return fmt.Errorf("%s %q: %w", noun, name, err)
}

func newPublishCommand() *cobra.Command {
	s := &session{}
	var exchange string
	var properties, headers jsonFields
	var transient bool
	c := s.verb("publish ROUTING-KEY [PAYLOAD]",
		"Publish a message; without a payload the standard input is one",
		asUsage(cobra.RangeArgs(1, 2)), s.completeInVHost("queues"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			payload, err := payloadOf(c, args[1:])
			if err != nil {
				return err
			}
			fields := object{}
			if !transient {
				fields["delivery_mode"] = 2
			}
			for key, value := range properties.object {
				fields[key] = value
			}
			if len(headers.object) > 0 {
				fields["headers"] = headers.object
			}
			name := exchange
			if name == "" {
				name = "amq.default"
			}
			var answer struct{ Routed bool }
			err = api.Post(ctx, apiclient.Path("exchanges", s.vhostOr(), name, "publish"), object{
				"properties": fields, "routing_key": args[0], "payload_encoding": "base64",
				"payload": base64.StdEncoding.EncodeToString(payload),
			}, &answer)
			if err != nil {
				return err
			}
			if !answer.Routed {
				return errNotRouted
			}
			if s.json {
				return writeJSON(c.OutOrStdout(), object{"routed": true})
			}
			s.say(c, "Published.")
			return nil
		})
	f := c.Flags()
	f.StringVarP(&exchange, "exchange", "e", "", "exchange; empty publishes to a queue by name")
	f.Var(&properties, "property", "property such as `priority=5`; may be repeated")
	f.Var(&headers, "header", "header `KEY=VALUE`; may be repeated")
	f.BoolVar(&transient, "transient", false, "a message that a restart may lose")
	return s.flags(c)
}

func payloadOf(c *cobra.Command, args []string) ([]byte, error) {
	if len(args) == 1 && args[0] != "-" {
		return []byte(args[0]), nil
	}
	return readAll(c.InOrStdin())
}

func newGetCommand() *cobra.Command {
	s := &session{}
	var count int
	var mode string
	var raw bool
	c := s.verb("get QUEUE", "Look at messages of a queue; they stay in it unless told otherwise",
		exactArgs(1), s.completeInVHost("queues"),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			var list []object
			path := apiclient.Path("queues", s.vhostOr(), args[0], "get")
			err := api.Do(ctx, apiclient.Request{Method: http.MethodPost, Path: path, Body: object{
				"count": count, "ackmode": mode, "encoding": "auto",
			}}, &list)
			switch {
			case err != nil:
				return err
			case raw:
				return writePayloads(c.OutOrStdout(), list)
			case s.json:
				return writeJSON(c.OutOrStdout(), list)
			}
			return table.Write(c.OutOrStdout(), []string{
				"exchange", "routing_key", "redelivered", "properties", "payload",
			}, list, table.Style{})
		})
	f := c.Flags()
	f.IntVarP(&count, "count", "n", 1, "most messages to get")
	f.StringVar(&mode, "ack-mode", "ack_requeue_true",
		"ack_requeue_true, ack_requeue_false, reject_requeue_true or reject_requeue_false")
	f.BoolVar(&raw, "raw", false, "print the payloads alone, one after the other")
	_ = c.RegisterFlagCompletionFunc("ack-mode", cobra.FixedCompletions([]string{
		"ack_requeue_true", "ack_requeue_false", "reject_requeue_true", "reject_requeue_false",
	}, cobra.ShellCompDirectiveNoFileComp))
	return s.flags(c)
}

func writePayloads(w io.Writer, list []object) error {
	for _, o := range list {
		text, _ := o["payload"].(string)
		payload := []byte(text)
		if o["payload_encoding"] == "base64" {
			var err error
			if payload, err = base64.StdEncoding.DecodeString(text); err != nil {
				return fmt.Errorf("the payload: %w", err)
			}
		}
		if _, err := w.Write(payload); err != nil {
			return err
		}
		if isTerminal(w) && utf8.Valid(payload) {
			fmt.Fprintln(w)
		}
	}
	return nil
}
