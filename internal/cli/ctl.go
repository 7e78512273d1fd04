package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/protocol/control"
)

// ctlFlags are the flags that every verb of `warren ctl` takes; short forms and meanings are
// those of rabbitmqctl.
type ctlFlags struct {
	data, vhost, formatter string
	timeout                time.Duration
	quiet, noHeaders       bool
}

func newCtlCommand() *cobra.Command {
	f := &ctlFlags{}
	ctl := &cobra.Command{
		Use:   "ctl",
		Short: "Ask or tell the node that runs on a data directory",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("unknown verb %q; there are %s", args[0], verbs(c))
			}
			return c.Help()
		},
	}
	flags := ctl.PersistentFlags()
	flags.StringVar(&f.data, "data", "warren-data", "data directory of the node")
	flags.StringVarP(&f.vhost, "vhost", "p", "/", "vhost")
	flags.StringVar(&f.formatter, "formatter", "table", "table or json")
	flags.DurationVarP(&f.timeout, "timeout", "t", time.Minute, "how long to wait for the node")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print only the answer")
	flags.BoolVar(&f.noHeaders, "no-table-headers", false, "leave out the names of the columns")
	ctl.AddCommand(
		f.change("accept_queue NAME", 1, "End the quarantine of a queue with what is left of it"),
		f.change("add_vhost VHOST", 1, "Make a vhost, open to nobody yet"),
		f.list("list_bindings [column ...]", "List the bindings of a vhost",
			"Listing bindings for vhost %s..."),
		f.list("list_connections [column ...]", "List connections and what holds them",
			"Listing connections ..."),
		f.list("list_quarantined [column ...]", "List the queues whose messages are damaged",
			"Listing quarantined queues ..."),
		f.list("list_queues [column ...]", "List the queues of a vhost",
			"Listing queues for vhost %s ..."),
		f.change("set_permissions USER CONFIGURE WRITE READ", 4,
			"Give a user access to a vhost, by patterns of names"),
		f.verb("status", "Show what the node is and where it listens", ""),
		f.verb("stop", "Stop the node", "Stopping the node"),
	)
	ctl.AddCommand(f.policyVerbs()...)
	return ctl
}

// verbs names what ctl can do.
func verbs(ctl *cobra.Command) string {
	var names []string
	for _, c := range ctl.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return strings.Join(names, " ")
}

// list is a verb that answers for a vhost and takes names of columns.
func (f *ctlFlags) list(use, short, title string) *cobra.Command {
	name, _, _ := strings.Cut(use, " ")
	return &cobra.Command{
		Use: use, Short: short, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, columns []string) error {
			if f.formatter == "table" {
				f.say(c, "%s", strings.ReplaceAll(title, "%s", f.vhost))
			}
			return f.call(c, control.Request{Verb: name, VHost: f.vhost, Columns: columns})
		},
	}
}

// change is a verb that takes so many arguments and answers with nothing but success.
func (f *ctlFlags) change(use string, count int, short string) *cobra.Command {
	name, _, _ := strings.Cut(use, " ")
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(count),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arguments []string) error {
			return f.call(c, control.Request{Verb: name, VHost: f.vhost, Arguments: arguments})
		},
	}
}

func (f *ctlFlags) verb(name, short, title string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if title != "" {
				f.say(c, "%s", title)
			}
			return f.call(c, control.Request{Verb: name})
		},
	}
}

func (f *ctlFlags) say(c *cobra.Command, format string, args ...any) {
	if !f.quiet {
		fmt.Fprintf(c.OutOrStdout(), format+"\n", args...)
	}
}

// call asks the node and prints its answer.
func (f *ctlFlags) call(c *cobra.Command, request control.Request) error {
	if f.formatter != "table" && f.formatter != "json" {
		return usageError("formatter %q is neither table nor json", f.formatter)
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	response, err := control.Call(ctx, f.data, request)
	if err != nil {
		return &exitError{exitUnavailable, err}
	}
	if f.formatter == "json" {
		return printJSON(c.OutOrStdout(), response)
	}
	printTable(c.OutOrStdout(), response, f.noHeaders)
	return nil
}

// printTable separates columns by tabs, as rabbitmqctl does when it prints for programs.
func printTable(w io.Writer, r control.Response, noHeaders bool) {
	if len(r.Rows) > 0 && !noHeaders {
		fmt.Fprintln(w, strings.Join(r.Columns, "\t"))
	}
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cellText(cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
}

// cellText writes a value; numbers came as JSON and are whole.
func cellText(cell any) string {
	if number, ok := cell.(float64); ok {
		return fmt.Sprintf("%.0f", number)
	}
	return fmt.Sprint(cell)
}

func printJSON(w io.Writer, r control.Response) error {
	list := make([]map[string]any, 0, len(r.Rows))
	for _, row := range r.Rows {
		object := make(map[string]any, len(row))
		for i, cell := range row {
			object[r.Columns[i]] = cell
		}
		list = append(list, object)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(list)
}
