package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/drift"
)

// RefusedError says that the target cannot have everything.
type RefusedError struct {
	// Refused names what.
	Refused []string
}

// Error implements error.
func (e *RefusedError) Error() string {
	return "the target cannot have everything:\n  " + strings.Join(e.Refused, "\n  ")
}

// ExistingError says that queues of the target have messages, which those of the source would be
// added to: they may be the same.
type ExistingError struct {
	// Queues names them.
	Queues []string
}

// Error implements error.
func (e *ExistingError) Error() string {
	return "queues of the target have messages already, which may be the same ones:\n  " +
		strings.Join(e.Queues, "\n  ")
}

// refuse finds what the target cannot have: it is an error, or left out if that is wished.
func (m *move) refuse(
	ctx context.Context, d, target drift.Definitions,
) (drift.Definitions, error) {
	var refused []drift.Difference
	if m.Refuses != nil {
		var err error
		if refused, err = m.Refuses(ctx, d, target); err != nil {
			return nil, fmt.Errorf("the target: %w", err)
		}
	}
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
				why = whyOf(refused, kind, o)
			}
			if why == "" {
				kept[kind] = append(kept[kind], o)
				continue
			}
			gone[place(kind, o["vhost"], o["name"])] = true
			m.report.Refused = append(m.report.Refused,
				fmt.Sprintf("%s %q in vhost %q %s", singular(kind), drift.Name(kind, o),
					o["vhost"], why))
		}
	}
	if len(m.report.Refused) > 0 && !m.Skip {
		return nil, &RefusedError{m.report.Refused}
	}
	return kept, nil
}

// singular is the noun for one object of a kind.
func singular(kind string) string {
	if stem, ok := strings.CutSuffix(kind, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(kind, "s")
}

// whyOf is the reason for which an object is refused, "" if it is not.
func whyOf(refused []drift.Difference, kind string, o drift.Object) string {
	vhost, _ := o["vhost"].(string)
	this := drift.Difference{Kind: kind, VHost: vhost, Name: drift.Name(kind, o)}
	for _, r := range refused {
		if r.Is(this) {
			return "is refused: " + r.Why
		}
	}
	return ""
}

// place names an object of a vhost.
func place(kind string, vhost, name any) string {
	return fmt.Sprint(kind, "\x00", vhost, "\x00", name)
}

// Ways of taking messages from a source.
const (
	moved  = "move"
	copied = "copy"
)

// record is what a target remembers of the last move to it, as a global parameter: from which
// source, and how the messages of each vhost came last. Those that were moved have left the
// source and cannot come twice; those that were copied would.
type record struct {
	Source string            `json:"source"`
	VHosts map[string]string `json:"vhosts"`
}

func recordPath() string { return apiclient.Path("global-parameters", drift.MigrationParameter) }

// identify finds what tells the source from others.
func (m *move) identify(source drift.Definitions) {
	m.sourceID = m.SourceHost
	for _, p := range source["global_parameters"] {
		if id, ok := p["value"].(string); ok && p["name"] == "internal_cluster_id" {
			m.sourceID = id
		}
	}
	// What the source remembers of a move to it is no news for the target.
	source["global_parameters"] = slices.DeleteFunc(source["global_parameters"],
		func(o drift.Object) bool { return o["name"] == drift.MigrationParameter })
}

// recall reads what the target remembers of moves from this source.
func (m *move) recall(ctx context.Context) (record, error) {
	empty := record{Source: m.sourceID, VHosts: map[string]string{}}
	var parameter struct{ Value json.RawMessage }
	err := m.Target.Get(ctx, recordPath(), &parameter)
	if apiclient.IsNotFound(err) {
		return empty, nil
	}
	var r record
	if err != nil {
		return r, fmt.Errorf("what the target remembers of a move: %w", err)
	}
	if json.Unmarshal(parameter.Value, &r) != nil || r.Source != m.sourceID || r.VHosts == nil {
		return empty, nil // of another source, or of somebody else's making
	}
	return r, nil
}

// remember has the target remember how messages come to it.
func (m *move) remember(ctx context.Context) error {
	r, err := m.recall(ctx)
	if err != nil {
		return err
	}
	way := moved
	if m.Keep {
		way = copied
	}
	for _, vhost := range m.VHosts {
		r.VHosts[vhost] = way
	}
	err = m.Target.Put(ctx, recordPath(), apiclient.Object{
		"name": drift.MigrationParameter, "value": r,
	})
	if err != nil {
		return fmt.Errorf("have the target remember the move: %w", err)
	}
	return nil
}

// refuseToAdd refuses to move messages to queues that have some, unless these were moved from
// the same source. Copies are refused queue by queue, where the counts say that they are there.
func (m *move) refuseToAdd(ctx context.Context) error {
	if m.NoMessages || m.Keep || m.AddToExisting {
		return nil
	}
	r, err := m.recall(ctx)
	if err != nil {
		return err
	}
	var list []struct {
		VHost, Name string
		Messages    uint64
	}
	if err := m.Target.Get(ctx, "/queues?columns=vhost,name,messages", &list); err != nil {
		return fmt.Errorf("the queues of the target: %w", err)
	}
	there := map[string]uint64{}
	for _, q := range list {
		there[place("queues", q.VHost, q.Name)] = q.Messages
	}
	var full []string
	for _, q := range m.report.Queues {
		n := there[place("queues", q.VHost, q.Name)]
		if n > 0 && r.VHosts[q.VHost] != moved {
			full = append(full, fmt.Sprintf("queue %q in vhost %q has %d", q.Name, q.VHost, n))
		}
	}
	if len(full) > 0 {
		return &ExistingError{full}
	}
	return nil
}
