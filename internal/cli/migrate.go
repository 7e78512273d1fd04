package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
	"github.com/warrenmq/warren/internal/drift"
	"github.com/warrenmq/warren/internal/migrate"
)

// migrateFlags are the flags of `warren migrate`.
type migrateFlags struct {
	from, fromAMQP, to, toAMQP          string
	vhosts                              []string
	dryRun, keep, move, skip, only, add bool
	workers                             int
}

func newMigrateCommand() *cobra.Command {
	s := &session{}
	var f migrateFlags
	c := &cobra.Command{
		Use:   "migrate --from http://USER:PASSWORD@HOST:15672",
		Short: "Move everything a RabbitMQ has declared, and its messages, to this node",
		Args:  exactArgs(0), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: s.run(func(
			ctx context.Context, c *cobra.Command, api *apiclient.Client, _ []string,
		) error {
			return s.migrate(ctx, c, api, f)
		}),
		PreRunE: func(*cobra.Command, []string) error {
			if f.to != "" {
				s.context = f.to
			}
			if f.from == "" || f.keep && f.move {
				return usageError("name a source by --from, and one of --keep-source and --move")
			}
			return nil
		},
	}
	s.flags(c)
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "`URL` of the HTTP API of the source, with a login")
	flags.StringVar(&f.fromAMQP, "from-amqp", "",
		"amqp or amqps `URL` of the source; found out over its API without it")
	flags.StringVar(&f.to, "to", "", "context of the target, as --context")
	flags.StringVar(&f.toAMQP, "to-amqp", "",
		"amqp or amqps `URL` of the target; without a login a user is made for the time")
	flags.StringArrayVar(&f.vhosts, "only-vhost", nil,
		"move this vhost alone; may be repeated; --vhost is the same")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and do nothing")
	flags.BoolVar(&f.keep, "keep-source", false, "copy the messages, leave them at the source")
	flags.BoolVar(&f.move, "move", false, "take the messages from the source; so it is anyway")
	flags.BoolVar(&f.only, "no-messages", false, "move the definitions only")
	flags.BoolVar(&f.skip, "skip-unsupported", false,
		"go on without what this broker cannot have, streams for example")
	flags.BoolVar(&f.add, "add-to-existing", false,
		"move messages to queues that have some, which may be the same messages")
	flags.IntVar(&f.workers, "workers", migrate.DefaultWorkers, "queues moved at the same time")
	return c
}

func (s *session) migrate(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, f migrateFlags,
) error {
	options, closeSource, err := s.migrateOptions(c, api, f)
	if err != nil {
		return err
	}
	defer closeSource()
	progress := newBar(c.ErrOrStderr())
	options.Progress = func(p migrate.Progress) { progress.set(p.Step, p.Moved, p.Total) }
	report, err := migrate.Run(ctx, options)
	progress.end()
	if s.json {
		if printed := writeJSON(c.OutOrStdout(), report); printed != nil {
			return printed
		}
	} else {
		printMigration(c.OutOrStdout(), report, f.dryRun, err)
	}
	var existing *migrate.ExistingError
	var refused *migrate.RefusedError
	switch {
	case errors.As(err, &existing):
		return &exitError{exitData, fmt.Errorf("%w\n"+
			"purge them, or have --add-to-existing add to them", err)}
	case errors.As(err, &refused):
		return &exitError{exitData, err}
	case err != nil:
		return err
	}
	return verdict(report, f.dryRun)
}

// verdict is an error where the ends are not alike afterwards.
func verdict(report migrate.Report, dryRun bool) error {
	if dryRun {
		return nil
	}
	strange := len(report.Drift)
	for _, q := range report.Queues {
		if !q.Agrees() {
			strange++
		}
	}
	var wrong []string
	if strange > 0 {
		wrong = append(wrong, counted(strange, "object")+" not as expected")
	}
	if report.Held > 0 {
		wrong = append(wrong, counted(report.Held, "message")+" left, held by consumers")
	}
	if len(wrong) > 0 {
		return &exitError{exitDiffers, errors.New(strings.Join(wrong, "; "))}
	}
	return nil
}

func (s *session) migrateOptions(
	c *cobra.Command, api *apiclient.Client, f migrateFlags,
) (o migrate.Options, done func(), err error) {
	from := storedContext{URI: f.from, CA: s.ca, Insecure: s.insecure}
	source, err := from.client(c, s.timeout)
	if err != nil {
		return o, nil, err
	}
	o = migrate.Options{
		Source: source, Target: api, VHosts: f.vhosts, DryRun: f.dryRun, Keep: f.keep,
		Skip: f.skip, NoMessages: f.only, AddToExisting: f.add, Workers: f.workers,
		SourceHost: hostOf(f.from), TargetHost: hostOf(s.chosen.URI),
	}
	o.Refuses = func(
		ctx context.Context, source, target drift.Definitions,
	) ([]drift.Difference, error) {
		return s.refusals(ctx, api, source, target)
	}
	if s.vhost != "" {
		o.VHosts = append(o.VHosts, s.vhost)
	}
	if f.fromAMQP != "" {
		o.SourceAMQP, err = migrate.ParseEndpoint(f.fromAMQP)
	}
	if f.toAMQP != "" && err == nil {
		o.TargetAMQP, err = migrate.ParseEndpoint(f.toAMQP)
	}
	if err != nil {
		source.Close()
		return o, nil, usageError("%w", err)
	}
	if o.SourceAMQP.User == "" {
		o.SourceAMQP.User, o.SourceAMQP.Password = source.Login()
	}
	return o, source.Close, nil
}

// hostOf is the host of a URL, "" if there is none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// outcome says what was done and what not, when a move failed.
func outcome(stage migrate.Stage) string {
	switch stage {
	case migrate.Unchanged:
		return "Nothing is changed at the target, and no message is moved."
	case migrate.Partly:
		return "Failed: the definitions are not imported, or only some of them; " +
			"no message is moved."
	}
	return "Failed: the definitions are imported; not all messages are moved and compared."
}

func printMigration(w io.Writer, r migrate.Report, dryRun bool, failed error) {
	if failed != nil {
		fmt.Fprintln(w, outcome(r.Stage))
	}
	changed := failed == nil || r.Stage == migrate.Declared
	plan := !changed || dryRun
	switch {
	case plan:
		fmt.Fprintf(w, "Definitions to create or change: %d\n", len(r.Changes))
		for _, d := range r.Changes {
			fmt.Fprintln(w, " ", differenceLine(d))
		}
	default:
		fmt.Fprintf(w, "Definitions created or changed: %d\n", len(r.Changes))
	}
	printQueues(w, r, plan)
	var refused *migrate.RefusedError
	if !errors.As(failed, &refused) { // which says it
		for _, text := range r.Refused {
			fmt.Fprintln(w, "Left out:", text)
		}
	}
	for _, text := range r.Warnings {
		fmt.Fprintln(w, "Note:", text)
	}
	for _, d := range r.Drift {
		fmt.Fprintln(w, "Drift:", differenceLine(d))
	}
}

// printQueues prints the messages of queues; of a plan only those at the source.
func printQueues(w io.Writer, r migrate.Report, plan bool) {
	var list []object
	for _, q := range r.Queues {
		agrees := "yes"
		if !q.Agrees() {
			agrees = "no: " + q.Error
		}
		list = append(list, object{
			"vhost": q.VHost, "queue": q.Name, "source": float64(q.Source),
			"moved": float64(q.Moved), "source after": float64(q.SourceAfter),
			"target before": float64(q.Target), "target after": float64(q.TargetAfter),
			"as expected": agrees,
		})
	}
	columns := []string{"vhost", "queue", "source"}
	if !plan {
		columns = append(columns, "moved", "source after", "target before", "target after",
			"as expected")
	}
	if len(list) > 0 {
		fmt.Fprintln(w, "Messages:")
		_ = table.Write(w, columns, list, table.Style{})
	}
}
