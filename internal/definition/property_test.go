package definition

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// world drives a state as the broker does: it asks as clients, and logs a command for each
// change of what is durable.
type world struct {
	state *State
	log   [][]byte
	slow  slowSnapshot
	ids   uint64
}

func (w *world) add(c Command) { w.log = append(w.log, c.AppendTo(nil)) }

func (w *world) vhost(t *rapid.T) *VHost {
	names := w.state.VHosts()
	if len(names) == 0 {
		t.Skip("no vhost")
	}
	v, _ := w.state.VHost(rapid.SampledFrom(names).Draw(t, "vhost"))
	return v
}

func (w *world) gone(v *VHost, r Removed) {
	for _, x := range r.Exchanges {
		if x.Durable {
			gone := Exchange{Name: x.Name}
			w.add(Command{Kind: DeleteExchangeKind, VHost: v.name, Exchange: gone})
		}
	}
}

var (
	someName     = rapid.SampledFrom([]string{"a", "b", "c", "d"})
	someExchange = rapid.SampledFrom([]string{"a", "b", "c", "d", "amq.direct", "amq.topic"})
	someVHost    = rapid.SampledFrom([]string{"/", "v"})
)

func (w *world) declareExchange(t *rapid.T) {
	v := w.vhost(t)
	x := Exchange{
		Name:    someName.Draw(t, "name"),
		Type:    rapid.SampledFrom([]string{"direct", "fanout"}).Draw(t, "type"),
		Durable: rapid.Bool().Draw(t, "durable"), AutoDelete: rapid.Bool().Draw(t, "auto-delete"),
	}
	if rapid.Bool().Draw(t, "has alternate") {
		x.Arguments = amqp.NewTable(map[string]any{
			alternateArgument: someName.Draw(t, "alternate"),
		})
	}
	if created, _ := v.DeclareExchange(x); created && x.Durable {
		w.add(Command{Kind: DeclareExchangeKind, VHost: v.name, Exchange: x})
	}
}

func (w *world) declareQueue(t *rapid.T) {
	v := w.vhost(t)
	w.ids++
	q, created, _ := v.DeclareQueue(Queue{
		ID: w.ids, Name: someName.Draw(t, "name"), Owner: 1,
		Durable: rapid.Bool().Draw(t, "durable"), Exclusive: rapid.Bool().Draw(t, "exclusive"),
	})
	if created && q.Durable {
		w.add(Command{Kind: DeclareQueueKind, VHost: v.name, Queue: *q})
	}
}

func (w *world) deleteQueue(t *rapid.T) {
	v := w.vhost(t)
	q, ok := v.Queue(someName.Draw(t, "name"))
	if !ok {
		t.Skip("no such queue")
	}
	w.gone(v, v.DeleteQueue(q.Name))
	if q.Durable {
		w.add(Command{Kind: DeleteQueueKind, VHost: v.name, Queue: *q})
	}
}

func (w *world) deleteExchange(t *rapid.T) {
	v := w.vhost(t)
	r, _ := v.DeleteExchange(someName.Draw(t, "name"), rapid.Bool().Draw(t, "if unused"))
	w.gone(v, r)
}

func drawBinding(t *rapid.T) exchange.Binding {
	return exchange.Binding{
		Source: someExchange.Draw(t, "source"), Destination: someName.Draw(t, "destination"),
		ToExchange: rapid.Bool().Draw(t, "to exchange"),
		RoutingKey: rapid.SampledFrom([]string{"k", "l"}).Draw(t, "key"),
	}
}

func (w *world) bind(t *rapid.T) {
	v, b := w.vhost(t), drawBinding(t)
	if created, _ := v.Bind(b, 1); created && v.Durable(b) {
		w.add(Command{Kind: BindKind, VHost: v.name, Binding: b})
	}
}

func (w *world) unbind(t *rapid.T) {
	v, b := w.vhost(t), drawBinding(t)
	durable := v.Durable(b)
	r, err := v.Unbind(b, 1)
	if err != nil {
		t.Fatal(err)
	}
	if durable && len(r.Bindings) > 0 {
		w.add(Command{Kind: UnbindKind, VHost: v.name, Binding: b})
	}
	w.gone(v, r)
}

func (w *world) administer(t *rapid.T) {
	name, vhost := someName.Draw(t, "user"), someVHost.Draw(t, "vhost")
	user := User{Name: name, PasswordHash: []byte{1, 2}, Tags: []string{"t"}}
	permission := Permission{User: name, VHost: vhost, Configure: ".*", Write: "", Read: "^a"}
	topic := TopicPermission{name, vhost, someExchange.Draw(t, "exchange"), "^a", ".*"}
	limits := rapid.SampledFrom([]Limits{
		nil, {MaxConnections: 1}, {MaxQueues: -1, MaxChannels: 2},
	}).Draw(t, "limits")
	text := rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "text")
	c := rapid.SampledFrom([]Command{
		{Kind: PutVHostKind, VHost: vhost},
		{Kind: PutVHostKind, VHost: vhost},
		{Kind: DeleteVHostKind, VHost: vhost},
		{Kind: PutUserKind, User: user},
		{Kind: DeleteUserKind, User: User{Name: name}},
		{Kind: PutPermissionKind, Permission: permission},
		{Kind: ClearPermissionKind, Permission: permission},
		{Kind: PutUserLimitsKind, User: user, Limits: limits},
		{Kind: PutVHostLimitsKind, VHost: vhost, Limits: limits},
		{Kind: PutTopicPermissionKind, Topic: topic},
		{Kind: ClearTopicPermissionKind, Topic: topic},
		{Kind: PutMetadataKind, VHost: vhost, Metadata: Metadata{Description: text}},
		{Kind: PutParameterKind, VHost: vhost, Parameter: Parameter{"c", name, text}},
		{Kind: ClearParameterKind, VHost: vhost, Parameter: Parameter{Component: "c", Name: name}},
		{Kind: PutGlobalParameterKind, Parameter: Parameter{"", name, text}},
		{Kind: ClearGlobalParameterKind, Parameter: Parameter{Name: name}},
	}).Draw(t, "command")
	before := snapshot(w.state)
	if err := w.state.Replay(c); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(snapshot(w.state), before) {
		w.add(c)
	}
}

// snapshot returns the commands of a snapshot in one piece.
func snapshot(s *State) []byte {
	var all []byte
	s.Snapshot(func(c Command) { all = append(c.AppendTo(all), '\n') })
	return all
}

func replay(t *rapid.T, s *State, log [][]byte) {
	for _, record := range log {
		c, err := DecodeCommand(record)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Replay(c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogAndSnapshotBringBackWhatIsDurable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{state: New(exchange.Standard())}
		w.state.PutVHost("/")
		w.add(Command{Kind: PutVHostKind, VHost: "/"})
		t.Repeat(map[string]func(*rapid.T){
			"declare exchange": w.declareExchange, "declare queue": w.declareQueue,
			"bind": w.bind, "bind more": w.bind, "unbind": w.unbind,
			"delete exchange": w.deleteExchange, "delete queue": w.deleteQueue,
			"administer":     w.administer,
			"begin snapshot": w.slow.begin(w), "go on with snapshot": w.slow.goOn(w),
			"": w.check,
		})
	})
}

func (w *world) check(t *rapid.T) {
	for _, name := range w.state.VHosts() {
		v, _ := w.state.VHost(name)
		checkBindings(t, v)
		checkRoutes(t, v)
	}
	want := snapshot(w.state)
	fromLog := New(exchange.Standard())
	replay(t, fromLog, w.log)
	if got := snapshot(fromLog); !bytes.Equal(got, want) {
		t.Fatalf("from the log:\n%q\nwant\n%q", got, want)
	}
	var commands [][]byte
	w.state.Snapshot(func(c Command) { commands = append(commands, c.AppendTo(nil)) })
	fromSnapshot := New(exchange.Standard())
	replay(t, fromSnapshot, commands)
	if got := snapshot(fromSnapshot); !bytes.Equal(got, want) {
		t.Fatalf("from the snapshot:\n%q\nwant\n%q", got, want)
	}
	// A log may hold what the snapshot has seen, too.
	from := rapid.IntRange(0, len(w.log)).Draw(t, "overlap from")
	replay(t, fromSnapshot, w.log[from:])
	if got := snapshot(fromSnapshot); !bytes.Equal(got, want) {
		t.Fatalf("from the snapshot and the log after %d:\n%q\nwant\n%q", from, got, want)
	}
	w.slow.check(t, w, want)
}

// slowSnapshot is a snapshot during which the state changes: vhosts are taken one by one.
type slowSnapshot struct {
	commands [][]byte
	from     int      // what was logged when it began
	missing  []string // vhosts still to be taken
	begun    bool
}

func (s *slowSnapshot) emit(c Command) { s.commands = append(s.commands, c.AppendTo(nil)) }

func (s *slowSnapshot) begin(w *world) func(*rapid.T) {
	return func(*rapid.T) {
		*s = slowSnapshot{from: len(w.log), missing: w.state.VHosts(), begun: true}
		w.state.SnapshotNode(s.emit)
	}
}

func (s *slowSnapshot) goOn(w *world) func(*rapid.T) {
	return func(t *rapid.T) {
		if len(s.missing) == 0 {
			t.Skip("nothing is missing")
		}
		if v, ok := w.state.VHost(s.missing[0]); ok {
			v.Snapshot().Emit(s.emit)
		}
		s.missing = s.missing[1:]
	}
}

// check replays the snapshot, once it is complete, and what was logged since it began.
func (s *slowSnapshot) check(t *rapid.T, w *world, want []byte) {
	if !s.begun || len(s.missing) > 0 {
		return
	}
	state := New(exchange.Standard())
	replay(t, state, s.commands)
	replay(t, state, w.log[s.from:])
	if got := snapshot(state); !bytes.Equal(got, want) {
		t.Fatalf("from a slow snapshot and the log since:\n%q\nwant\n%q", got, want)
	}
}

// checkBindings tells whether both sides of each binding know of it, and both are there.
func checkBindings(t *rapid.T, v *VHost) {
	all, from, to := v.Bindings(), v.BindingsFrom(""), []exchange.Binding(nil)
	for _, x := range v.Exchanges() {
		if x.Name != "" {
			from = append(from, v.BindingsFrom(x.Name)...)
		}
		to = append(to, v.BindingsTo(x.Name, true)...)
	}
	for _, q := range v.Queues() {
		to = append(to, v.BindingsTo(q.Name, false)...)
	}
	for side, list := range map[string][]exchange.Binding{"from": from, "to": to} {
		sortBindings(list)
		if !slices.EqualFunc(list, all, exchange.Binding.Equal) {
			t.Fatalf("bindings %s: %v, all: %v", side, list, all)
		}
	}
}

// checkRoutes compares Route with its slow twin.
func checkRoutes(t *rapid.T, v *VHost) {
	var r Routing
	for _, x := range v.Exchanges() {
		for _, key := range []string{"k", "l", "a"} {
			if err := v.Route([]byte(x.Name), []byte(key), nil, &r); err != nil {
				t.Fatal(err)
			}
			got := slices.Sorted(slices.Values(r.Queues()))
			if want := slowRoute(v, x.Name, key); !slices.Equal(got, want) ||
				r.Cacheable() == (x.Type == "headers") {
				t.Fatalf("exchange %q, key %q: to %q, want %q", x.Name, key, got, want)
			}
		}
	}
}

// slowRoute follows the bindings one by one; keys are words.
func slowRoute(v *VHost, name, key string) []string {
	queues := map[string]bool{}
	seen := map[string]bool{}
	for work := []string{name}; len(work) > 0; work = work[1:] {
		x, ok := v.Exchange(work[0])
		if !ok || seen[x.Name] || x.Name == "" && name != "" {
			continue
		}
		seen[x.Name] = true
		matched := false
		for _, b := range v.BindingsFrom(x.Name) {
			if x.Type != "fanout" && b.RoutingKey != key {
				continue
			}
			matched = true
			if b.ToExchange {
				work = append(work, b.Destination)
			} else {
				queues[b.Destination] = true
			}
		}
		if a := x.Alternate(); !matched && a != "" {
			work = append(work, a)
		}
	}
	var names []string
	for q := range queues {
		names = append(names, q)
	}
	slices.Sort(names)
	return names
}

func TestDeclaringBindingAndDeletingAgainLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(exchange.Standard())
		s.PutVHost("/")
		v, _ := s.VHost("/")
		n := rapid.IntRange(1, 20).Draw(t, "exchanges")
		for i := range n {
			x := Exchange{Name: strconv.Itoa(i), Type: "topic", AutoDelete: true}
			if _, err := v.DeclareExchange(x); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := v.DeclareQueue(Queue{ID: 1, Name: "q"}); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			// Each is bound to the one before, so that all end at the queue.
			b := exchange.Binding{Source: strconv.Itoa(i), Destination: strconv.Itoa(i - 1),
				ToExchange: i > 0, RoutingKey: fmt.Sprintf("%d.#", i)}
			if i == 0 {
				b.Destination = "q"
			}
			if _, err := v.Bind(b, 0); err != nil {
				t.Fatal(err)
			}
		}
		removed := v.DeleteQueue("q")
		if len(removed.Exchanges) != n || len(removed.Bindings) != n || len(v.Bindings()) != 0 ||
			len(v.Exchanges()) != len(predeclared) {
			t.Fatalf("removed %+v, left %v", removed, v.Exchanges())
		}
	})
}
