// Package migrate moves what one broker has declared, and the messages in its queues, to another.
//
// It stands beside the tower: it sees both brokers, whichever they are, only through RabbitMQ's
// HTTP API and AMQP. A message is published at the target, with publisher confirms and mandatory,
// and acknowledged at the source only when it is confirmed: no failure loses one. One that strikes
// between confirm and acknowledgement leaves a message at both ends; an interruption does not,
// since what is on its way is settled first. Called again, it goes on where it ended.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/drift"
)

// DefaultWorkers is how many queues are moved at the same time when Options does not say.
const DefaultWorkers = 2

// Options say what is moved from where to where.
type Options struct {
	// Source and Target answer over the HTTP API.
	Source, Target *apiclient.Client
	// SourceAMQP and TargetAMQP are where they speak AMQP. Without an Address it is found out
	// over the API. Without a User a user is made at the target for the time of the move.
	SourceAMQP, TargetAMQP Endpoint
	// SourceHost and TargetHost stand for addresses of listeners that name no host.
	SourceHost, TargetHost string
	// VHosts are those to move; none means all.
	VHosts []string
	// DryRun changes nothing.
	DryRun bool
	// Keep leaves the messages at the source and copies them.
	Keep bool
	// Skip goes on without what the target cannot have, which is refused otherwise.
	Skip bool
	// AddToExisting lets messages be added to those that are in queues of the target already.
	AddToExisting bool
	// Refuses lists what an import of source would not take at the target; nil knows of nothing.
	Refuses func(ctx context.Context, source, target drift.Definitions) ([]drift.Difference, error)
	// NoMessages leaves out the messages.
	NoMessages bool
	// Workers is how many queues are moved at the same time; zero means DefaultWorkers.
	Workers int
	// Progress is told what happens; it is called concurrently. Nil is told nothing.
	Progress func(Progress)
}

// Progress is how far a move is.
type Progress struct {
	// Step says what is done now.
	Step string
	// Moved and Total count messages.
	Moved, Total uint64
}

// Stage is how far a move came.
type Stage string

// Unchanged has changed nothing at all, Partly broke off in the import of the definitions, so that
// some may be there, Declared has imported all of them, and Finished is the end.
const (
	Unchanged Stage = "unchanged"
	Partly    Stage = "definitions partly"
	Declared  Stage = "definitions"
	Finished  Stage = "finished"
)

// Report is what a move came to.
type Report struct {
	// Stage says what was done.
	Stage Stage `json:"stage"`
	// Refused names what the target cannot have.
	Refused []string `json:"refused,omitempty"`
	// Warnings name what deserves a look.
	Warnings []string `json:"warnings,omitempty"`
	// Changes are what the definitions change at the target.
	Changes []drift.Difference `json:"changes"`
	// Queues are those that hold or held messages.
	Queues []Queue `json:"queues"`
	// Held counts messages that consumers of the source held, and that were left there.
	Held uint64 `json:"held"`
	// Drift is what differs in the end.
	Drift []drift.Difference `json:"drift"`
}

// Queue is what became of the messages of a queue.
type Queue struct {
	VHost string `json:"vhost"`
	Name  string `json:"name"`
	// Source and Target count the messages that are ready before, SourceAfter and TargetAfter
	// after the move.
	Source      uint64 `json:"source"`
	Target      uint64 `json:"target"`
	Moved       uint64 `json:"moved"`
	SourceAfter uint64 `json:"source_after"`
	TargetAfter uint64 `json:"target_after"`
	Error       string `json:"error,omitempty"`

	autoDelete, quorum bool
}

// Agrees reports whether the counts afterwards are those to expect where nobody else publishes
// or consumes.
func (q Queue) Agrees() bool { return q.Error == "" && q.TargetAfter == q.Target+q.Moved }

// move is a migration under way.
type move struct {
	Options
	report Report

	sourceID string     // tells the source from others
	mu       sync.Mutex // guards progress
	state    Progress
}

// Run moves everything. The report is complete up to the point of an error.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers
	}
	m := &move{Options: o, report: Report{Stage: Unchanged}}
	err := m.run(ctx)
	return m.report, err
}

func (m *move) run(ctx context.Context) error {
	m.step("reading the definitions")
	source, target, err := m.definitions(ctx)
	if err != nil {
		return err
	}
	source, err = m.refuse(ctx, source, target)
	if err != nil {
		return err
	}
	for _, d := range drift.Compare(source, target) {
		if d.Action == drift.Missing || d.Action == drift.Changed {
			m.report.Changes = append(m.report.Changes, d)
		}
		if d.Action == drift.Kept {
			m.warn("%s %q in %q exists already and is not alike: %s", d.Kind, d.Name, d.VHost,
				strings.Join(d.Fields, ", "))
		}
	}
	if err := m.findQueues(ctx, source); err != nil {
		return err
	}
	if err := m.refuseToAdd(ctx); err != nil || m.DryRun {
		return err
	}
	return m.perform(ctx, source)
}

// perform changes the target and moves what is to move.
func (m *move) perform(ctx context.Context, source drift.Definitions) error {
	m.step("creating the definitions")
	m.report.Stage = Partly
	if err := m.Target.Post(ctx, "/definitions", source, nil); err != nil {
		return fmt.Errorf("create the definitions: %w", err)
	}
	m.report.Stage = Declared
	if !m.NoMessages {
		if err := m.remember(ctx); err != nil {
			return err
		}
		if err := m.messages(ctx); err != nil {
			m.markUnmoved()
			return err
		}
	}
	if err := m.compare(ctx, source); err != nil {
		return err
	}
	m.report.Stage = Finished
	return nil
}

// markUnmoved has queues that were not begun say so: their counts, which nobody took, agree.
func (m *move) markUnmoved() {
	for i := range m.report.Queues {
		q := &m.report.Queues[i]
		there := m.Keep && q.Target == q.Source
		if q.Error == "" && q.Moved < q.Source && !there {
			q.Error = "not moved"
		}
	}
}

// definitions reads both ends.
func (m *move) definitions(ctx context.Context) (source, target drift.Definitions, err error) {
	if source, err = read(ctx, m.Source); err != nil {
		return nil, nil, fmt.Errorf("the definitions of the source: %w", err)
	}
	if target, err = read(ctx, m.Target); err != nil {
		return nil, nil, fmt.Errorf("the definitions of the target: %w", err)
	}
	m.identify(source)
	if len(m.VHosts) == 0 {
		for _, vhost := range source["vhosts"] {
			name, _ := vhost["name"].(string)
			m.VHosts = append(m.VHosts, name)
		}
		return source, target, nil
	}
	for _, name := range m.VHosts {
		if !slices.ContainsFunc(source["vhosts"], func(o drift.Object) bool {
			return o["name"] == name
		}) {
			return nil, nil, fmt.Errorf("the source has no vhost %q", name)
		}
	}
	return source.Only(m.VHosts), target.Only(m.VHosts), nil
}

func read(ctx context.Context, api *apiclient.Client) (drift.Definitions, error) {
	var text []byte
	if err := api.Get(ctx, "/definitions", &text); err != nil {
		return nil, err
	}
	return drift.Parse(text, "")
}

// compare says what differs in the end.
func (m *move) compare(ctx context.Context, wanted drift.Definitions) error {
	m.step("comparing")
	target, err := read(ctx, m.Target)
	if err != nil {
		return fmt.Errorf("the definitions of the target: %w", err)
	}
	for _, d := range drift.Compare(wanted, target) {
		if d.Action != drift.Extra {
			m.report.Drift = append(m.report.Drift, d)
		}
	}
	var failed []error
	for _, q := range m.report.Queues {
		if q.Error != "" {
			failed = append(failed,
				fmt.Errorf("queue %q in vhost %q: %s", q.Name, q.VHost, q.Error))
		}
	}
	return errors.Join(failed...)
}

func (m *move) warn(format string, args ...any) {
	m.report.Warnings = append(m.report.Warnings, fmt.Sprintf(format, args...))
}

func (m *move) step(text string) { m.progress(func(p *Progress) { p.Step = text }) }

func (m *move) progress(change func(*Progress)) {
	m.mu.Lock()
	change(&m.state)
	now := m.state
	m.mu.Unlock()
	if m.Progress != nil {
		m.Progress(now)
	}
}
