package exchange

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/warrenmq/warren/amqp"
)

// The stories of testdata/stories tell what an exchange does with what is bound to it:
//
//	new type=T               start with an empty exchange, declared with the arguments below
//	bind D [key=K]           bind queue D, or exchange D when it begins with "x:"
//	unbind D [key=K]
//	route [key=K] [message-id=M] [correlation-id=C] [timestamp=T] [seed=S]
//	                         where a message goes
//	share [count=N]          how many of N keys go where
//	delay                    how long a message with the headers below waits
//	history                  whether it is kept
//	properties-key [key=K]   what names a binding in the HTTP API
//
// Lines below a command are a table: key, type letter, value.
func TestExchangesDoWhatTheStoriesTell(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := story{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
	})
}

type story struct {
	kind   Type
	router Router
	to     Targets
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	key, table := "", storyTable(t, d)
	d.MaybeScanArgs(t, "key", &key)
	binding := func() Binding {
		name, isExchange := strings.CutPrefix(d.CmdArgs[0].Key, "x:")
		return Binding{Source: "x", Destination: name, ToExchange: isExchange,
			RoutingKey: key, Arguments: table}
	}
	switch d.Cmd {
	case "new":
		var name string
		d.ScanArgs(t, "type", &name)
		all := Standard()
		s.kind = all[slices.IndexFunc(all, func(k Type) bool { return k.Name == name })]
		declared, err := s.kind.With(table)
		if err != nil {
			return fmt.Sprintf("%d %s\n", err.Code, err.Text)
		}
		s.kind, s.router = declared, declared.New()
		return s.traits()
	case "bind":
		if s.kind.Validate != nil {
			if err := s.kind.Validate(binding()); err != nil {
				return err.Text + "\n"
			}
		}
		s.router.Bind(binding())
		return ""
	case "unbind":
		s.router.Unbind(binding())
		return ""
	case "route":
		s.to.Reset()
		p := amqp.Properties{Headers: table}
		d.MaybeScanArgs(t, "message-id", &p.MessageID)
		d.MaybeScanArgs(t, "correlation-id", &p.CorrelationID)
		d.MaybeScanArgs(t, "timestamp", &p.Timestamp)
		d.MaybeScanArgs(t, "seed", &s.to.Seed)
		s.router.Route([]byte(key), p.AppendTo(nil), &s.to)
		return storyTargets(&s.to)
	case "share":
		return s.share(t, d)
	case "delay":
		p := amqp.Properties{Headers: table}
		return fmt.Sprintln(DelayOf(p.AppendTo(nil)))
	case "history":
		p := amqp.Properties{Headers: table}
		return fmt.Sprintln(InHistory(p.AppendTo(nil)))
	case "properties-key":
		return Binding{RoutingKey: key, Arguments: table}.PropertiesKey() + "\n"
	}
	t.Fatalf("%s: no such command", d.Pos)
	return ""
}

// share routes many keys, and counts.
func (s *story) share(t *testing.T, d *datadriven.TestData) string {
	count, shares := 10_000, make(map[string]int)
	d.MaybeScanArgs(t, "count", &count)
	for i := range count {
		s.to.Reset()
		s.to.Seed = uint64(i)
		s.router.Route([]byte(strconv.Itoa(i)), nil, &s.to)
		shares[strings.TrimSuffix(storyTargets(&s.to), "\n")]++
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		fmt.Fprintln(&out, name, shares[name])
	}
	return out.String()
}

// traits says what the broker must know of the exchange.
func (s *story) traits() string {
	text := ""
	if s.kind.Declare == nil && !s.kind.Delays {
		return text
	}
	if s.kind.KeyOnly {
		text += "key only\n"
	}
	if s.kind.History > 0 {
		text += fmt.Sprintf("history of %d\n", s.kind.History)
	}
	if s.kind.Delays {
		text += "delays\n"
	}
	return text
}

func storyTargets(to *Targets) string {
	all := slices.Clone(to.Queues())
	for _, x := range to.Exchanges() {
		all = append(all, "x:"+x)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return "nowhere\n"
	}
	return strings.Join(all, " ") + "\n"
}

// storyTable reads the lines below a command.
func storyTable(t *testing.T, d *datadriven.TestData) amqp.Table {
	m := make(map[string]any)
	for line := range strings.Lines(d.Input) {
		part := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(part) < 2 {
			t.Fatalf("%s: want key, type letter and value: %q", d.Pos, line)
		}
		text := ""
		if len(part) == 3 {
			text = part[2]
		}
		v, err := storyValue(part[1], text)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		m[part[0]] = v
	}
	if len(m) == 0 {
		return nil
	}
	return amqp.NewTable(m)
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
	case "u":
		return uint16(n), err
	case "I":
		return int32(n), err
	case "i":
		return uint32(n), err
	case "l":
		return n, err
	case "T":
		return amqp.Timestamp(n), err
	case "f":
		f, err := strconv.ParseFloat(text, 32)
		return float32(f), err
	case "d":
		return strconv.ParseFloat(text, 64)
	case "D":
		var d amqp.Decimal
		_, err := fmt.Sscanf(text, "%d/%d", &d.Value, &d.Scale)
		return d, err
	case "A": // of texts
		return strings.Fields(text), nil
	case "F": // one text in a table
		k, v, _ := strings.Cut(text, "=")
		return map[string]any{k: v}, nil
	}
	return nil, fmt.Errorf("no type letter %q", letter)
}
