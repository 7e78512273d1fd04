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

// Report is what a move came to.
type Report struct {
	// Refused names what the target cannot have.
	Refused []string `json:"refused,omitempty"`
	// Warnings name what deserves a look.
	Warnings []string `json:"warnings,omitempty"`
	// Changes are what the definitions change at the target.
	Changes []drift.Difference `json:"changes"`
	// Queues are those that hold or held messages.
	Queues []Queue `json:"queues"`
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

// RefusedError says that the target cannot have everything.
type RefusedError struct {
	// Refused names what.
	Refused []string
}

// Error implements error.
func (e *RefusedError) Error() string {
	return "the target cannot have everything:\n  " + strings.Join(e.Refused, "\n  ")
}

// move is a migration under way.
type move struct {
	Options
	report Report

	mu    sync.Mutex // guards progress
	state Progress
}

// Run moves everything. The report is complete up to the point of an error.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers
	}
	m := &move{Options: o}
	err := m.run(ctx)
	return m.report, err
}

func (m *move) run(ctx context.Context) error {
	m.step("reading the definitions")
	source, target, err := m.definitions(ctx)
	if err != nil {
		return err
	}
	source, err = m.refuse(ctx, source)
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
	if m.DryRun {
		return nil
	}
	m.step("creating the definitions")
	if err := m.Target.Post(ctx, "/definitions", source, nil); err != nil {
		return fmt.Errorf("create the definitions: %w", err)
	}
	if !m.NoMessages {
		if err := m.messages(ctx); err != nil {
			return err
		}
	}
	return m.compare(ctx, source)
}

// definitions reads both ends.
func (m *move) definitions(ctx context.Context) (source, target drift.Definitions, err error) {
	if source, err = read(ctx, m.Source); err != nil {
		return nil, nil, fmt.Errorf("the definitions of the source: %w", err)
	}
	if target, err = read(ctx, m.Target); err != nil {
		return nil, nil, fmt.Errorf("the definitions of the target: %w", err)
	}
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

// refuse finds what the target cannot have: it is an error, or left out if that is wished.
func (m *move) refuse(ctx context.Context, d drift.Definitions) (drift.Definitions, error) {
	var overview struct {
		Types []struct{ Name string } `json:"exchange_types"`
	}
	if err := m.Target.Get(ctx, "/overview", &overview); err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	known := map[any]bool{}
	for _, t := range overview.Types {
		known[t.Name] = true
	}
	gone := map[string]bool{} // exchanges and queues left out
	kept := drift.Definitions{}
	for _, kind := range drift.Kinds() {
		for _, o := range d[kind] {
			why := ""
			switch arguments, _ := o["arguments"].(drift.Object); {
			case kind == "exchanges" && !known[o["type"]]:
				why = fmt.Sprintf("is of the type %v, which the target does not know", o["type"])
			case kind == "queues" && arguments["x-queue-type"] == "stream":
				why = "is a stream"
			case kind == "bindings" && (gone[place("exchanges", o["vhost"], o["source"])] ||
				gone[place(fmt.Sprint(o["destination_type"], "s"), o["vhost"], o["destination"])]):
				continue
			case kind == "parameters" && (o["component"] == "shovel" ||
				o["component"] == "federation-upstream"):
				m.warn("the %v %q is copied, but nothing runs it here", o["component"], o["name"])
			}
			if why == "" {
				kept[kind] = append(kept[kind], o)
				continue
			}
			gone[place(kind, o["vhost"], o["name"])] = true
			m.report.Refused = append(m.report.Refused,
				fmt.Sprintf("%s %q in vhost %q %s", strings.TrimSuffix(kind, "s"), o["name"],
					o["vhost"], why))
		}
	}
	if len(m.report.Refused) > 0 && !m.Skip {
		return nil, &RefusedError{m.report.Refused}
	}
	return kept, nil
}

// place names an object of a vhost.
func place(kind string, vhost, name any) string {
	return fmt.Sprint(kind, "\x00", vhost, "\x00", name)
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
