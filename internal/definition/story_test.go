package definition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// The stories of testdata/stories tell what comes of what clients ask, in a vhost "/":
//
//	declare-exchange NAME type=T [durable] [auto-delete] [internal]
//	check-exchange NAME
//	delete-exchange NAME [if-unused]
//	declare-queue NAME [durable] [auto-delete] [exclusive] [generated]
//	check-queue NAME
//	delete-queue NAME
//	bind NAME source=X [key=K]     NAME is a queue, or an exchange when it begins with "x:"
//	unbind NAME source=X [key=K]
//	route X [key=K]                where a message published to X goes; below, its headers
//	publish X                      whether a client may
//	exchanges, queues, bindings, from NAME, to NAME
//	restart                        a new state from the snapshot of the old one
//	put-policy NAME [operator] [pattern=RE] [priority=N] [apply-to=KIND]
//	vhost [type=T] [max-queues=N]  its default queue type and limit; neither: none
//	node type=T                    the default queue type of the node
//	clear-policy NAME [operator]   which queues either touched
//	policies [operator]
//	effective NAME                 what holds for a queue, but for what holds for a plain one
//
// With owner=N connection N asks, else connection 1. A name "-" is empty. Lines below a
// command are a table: key, type letter, value.
func TestDefinitionsFollowTheStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := newStory()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
	})
}

type story struct {
	state   *State
	vhost   *VHost
	ids     uint64
	routing Routing
}

func newStory() *story {
	s := &story{state: New(exchange.Standard())}
	s.state.PutVHost("/")
	s.vhost, _ = s.state.VHost("/")
	return s
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	a := newArguments(t, d)
	switch d.Cmd {
	case "declare-exchange":
		created, err := s.vhost.DeclareExchange(Exchange{
			Name: a.name, Type: a.text("type"), Durable: a.has("durable"),
			AutoDelete: a.has("auto-delete"), Internal: a.has("internal"), Arguments: a.table,
		})
		return madeOrRefused(created, err)
	case "check-exchange":
		_, err := s.vhost.CheckExchange(a.name)
		return okOrRefused(err)
	case "delete-exchange":
		removed, err := s.vhost.DeleteExchange(a.name, a.has("if-unused"))
		return goneOrRefused(removed, err)
	case "declare-queue":
		s.ids++
		_, created, err := s.vhost.DeclareQueue(Queue{
			ID: s.ids, Name: a.name, Durable: a.has("durable"), AutoDelete: a.has("auto-delete"),
			Exclusive: a.has("exclusive"), Generated: a.has("generated"), Owner: a.owner,
			Arguments: a.table,
		})
		return madeOrRefused(created, err)
	case "check-queue":
		_, err := s.vhost.CheckQueue(a.name, a.owner)
		return okOrRefused(err)
	case "delete-queue":
		return goneOrRefused(s.vhost.DeleteQueue(a.name), nil)
	case "bind":
		created, err := s.vhost.Bind(a.binding(), a.owner)
		return madeOrRefused(created, err)
	case "unbind":
		removed, err := s.vhost.Unbind(a.binding(), a.owner)
		return goneOrRefused(removed, err)
	case "publish":
		return okOrRefused(s.vhost.CheckPublish([]byte(a.name)))
	case "route":
		return s.route(a)
	case "restart":
		return s.restart(t)
	case "vhost":
		return s.setUp(a)
	case "node":
		s.state.SetDefaultQueueType(a.text("type"))
		return ""
	case "put-policy", "clear-policy", "policies", "effective":
		return s.policies(t, d, a)
	}
	return s.list(t, d, a)
}

func (s *story) setUp(a *arguments) string {
	m := Metadata{DefaultQueueType: a.text("type")}
	if err := CheckMetadata(m); err != nil {
		return err.Text + "\n"
	}
	s.vhost.PutMetadata(m)
	s.vhost.PutLimits(nil)
	if n, err := strconv.ParseInt(a.text("max-queues"), 10, 64); err == nil {
		s.vhost.PutLimits(Limits{MaxQueues: n})
	}
	return "ok\n"
}

func (s *story) list(t *testing.T, d *datadriven.TestData, a *arguments) string {
	var out strings.Builder
	switch d.Cmd {
	case "exchanges":
		for _, x := range s.vhost.Exchanges() {
			fmt.Fprintln(&out, describeExchange(x))
		}
	case "queues":
		for _, q := range s.vhost.Queues() {
			fmt.Fprintln(&out, describeQueue(q))
		}
	case "bindings":
		writeBindings(&out, "", s.vhost.Bindings())
	case "from":
		writeBindings(&out, "", s.vhost.BindingsFrom(a.name))
	case "to":
		name, isExchange := strings.CutPrefix(a.name, "x:")
		writeBindings(&out, "", s.vhost.BindingsTo(name, isExchange))
	default:
		t.Fatalf("%s: no such command", d.Pos)
	}
	if out.Len() == 0 {
		return "none\n"
	}
	return out.String()
}

func (s *story) route(a *arguments) string {
	p := amqp.Properties{Headers: a.table}
	props := amqp.RawProperties(p.AppendTo(nil))
	err := s.vhost.Route([]byte(a.name), []byte(a.text("key")), props, &s.routing)
	if err != nil {
		return err.Text + "\n"
	}
	to := slices.Clone(s.routing.Queues())
	slices.Sort(to)
	if len(to) == 0 {
		to = append(to, "nowhere")
	}
	for _, x := range s.routing.Kept() {
		to = append(to, "(kept by "+x+")")
	}
	for _, x := range s.routing.Delayed() {
		to = append(to, "(delayed by "+x+")")
	}
	if !s.routing.Cacheable() {
		to = append(to, "(this time)")
	}
	return strings.Join(to, " ") + "\n"
}

func (s *story) restart(t *testing.T) string {
	again := New(exchange.Standard())
	commands := 0
	s.state.Snapshot(func(c Command) {
		commands++
		decoded, err := DecodeCommand(c.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Replay(decoded); err != nil {
			t.Fatal(err)
		}
	})
	s.state = again
	s.vhost, _ = again.VHost("/")
	return fmt.Sprintf("%d commands\n", commands)
}

func okOrRefused(err *amqp.Error) string {
	if err != nil {
		return err.Text + "\n"
	}
	return "ok\n"
}

func madeOrRefused(created bool, err *amqp.Error) string {
	switch {
	case err != nil:
		return err.Text + "\n"
	case created:
		return "created\n"
	}
	return "exists\n"
}

func goneOrRefused(r Removed, err *amqp.Error) string {
	if err != nil {
		return err.Text + "\n"
	}
	var out strings.Builder
	for _, x := range r.Exchanges {
		fmt.Fprintf(&out, "gone: exchange %s\n", x.Name)
	}
	for _, q := range r.Queues {
		fmt.Fprintf(&out, "gone: queue %s\n", q)
	}
	writeBindings(&out, "gone: ", r.Bindings)
	if out.Len() == 0 {
		return "nothing gone\n"
	}
	return out.String()
}

func describeExchange(x *Exchange) string {
	return strings.TrimSpace(fmt.Sprintf("%q %s%s%s%s%s", x.Name, x.Type,
		word(" durable", x.Durable), word(" auto-delete", x.AutoDelete),
		word(" internal", x.Internal), fields(x.Arguments)))
}

func describeQueue(q *Queue) string {
	return strings.TrimSpace(fmt.Sprintf("%d %q %s%s%s%s%s", q.ID, q.Name, q.Type,
		word(" durable", q.Durable), word(" auto-delete", q.AutoDelete),
		word(fmt.Sprintf(" exclusive to %d", q.Owner), q.Exclusive), fields(q.Arguments)))
}

func writeBindings(out *strings.Builder, prefix string, list []exchange.Binding) {
	for i := range list {
		b := &list[i]
		kind := "queue"
		if b.ToExchange {
			kind = "exchange"
		}
		fmt.Fprintf(out, "%s%q to %s %q key %q%s\n",
			prefix, b.Source, kind, b.Destination, b.RoutingKey, fields(b.Arguments))
	}
}

func word(text string, set bool) string {
	if set {
		return text
	}
	return ""
}

func fields(t amqp.Table) string {
	s := ""
	t.Each(func(key []byte, v amqp.Value) bool {
		s += " " + string(key) + "=" + exchange.TermText(v)
		return true
	})
	return s
}

// arguments are what stands behind a command and below it.
type arguments struct {
	d     *datadriven.TestData
	name  string
	owner uint64
	table amqp.Table
}

func newArguments(t *testing.T, d *datadriven.TestData) *arguments {
	a := &arguments{d: d, owner: 1}
	if len(d.CmdArgs) > 0 && d.CmdArgs[0].Key != "-" {
		a.name = d.CmdArgs[0].Key
	}
	d.MaybeScanArgs(t, "owner", &a.owner)
	m := make(map[string]any)
	for line := range strings.Lines(d.Input) {
		part := strings.SplitN(strings.TrimRight(line, "\n")+"  ", " ", 3)
		v, err := storyValue(part[1], strings.TrimRight(part[2], " "))
		if err != nil {
			t.Fatalf("%s: %q: %v", d.Pos, line, err)
		}
		m[part[0]] = v
	}
	if len(m) > 0 {
		a.table = amqp.NewTable(m)
	}
	return a
}

func (a *arguments) has(flag string) bool { return a.d.HasArg(flag) }

func (a *arguments) text(key string) string {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == key && len(arg.Vals) == 1 && arg.Vals[0] != "-" {
			return arg.Vals[0]
		}
	}
	return ""
}

func (a *arguments) binding() exchange.Binding {
	name, isExchange := strings.CutPrefix(a.name, "x:")
	if name == "-" {
		name = ""
	}
	return exchange.Binding{
		Source: a.text("source"), Destination: name, ToExchange: isExchange,
		RoutingKey: a.text("key"), Arguments: a.table,
	}
}

func storyValue(letter, text string) (any, error) {
	n, err := strconv.ParseInt(text, 0, 64)
	switch letter {
	case "S":
		return text, nil
	case "x":
		return []byte(text), nil
	case "V":
		return nil, nil
	case "t":
		return text == "true", nil
	case "b":
		return int8(n), err
	case "B":
		return uint8(n), err
	case "s":
		return int16(n), err
	case "I":
		return int32(n), err
	case "l":
		return n, err
	case "T":
		return amqp.Timestamp(n), err
	case "d":
		return strconv.ParseFloat(text, 64)
	case "A": // of texts
		return strings.Fields(text), nil
	case "F": // one text in a table
		k, v, _ := strings.Cut(text, "=")
		return map[string]any{k: v}, nil
	}
	return nil, fmt.Errorf("no type letter %q", letter)
}
