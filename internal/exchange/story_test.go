package exchange

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/warrenmq/warren/amqp"
)

// The stories of testdata/stories tell what an exchange does with what is bound to it:
//
//	new type=T               start with an empty exchange
//	bind D [key=K]           bind queue D, or exchange D when it begins with "x:"
//	unbind D [key=K]
//	route [key=K]            where a message goes
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
		s.router = s.kind.New()
		return ""
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
		s.router.Route([]byte(key), table, &s.to)
		return storyTargets(&s.to)
	case "properties-key":
		return Binding{RoutingKey: key, Arguments: table}.PropertiesKey() + "\n"
	}
	t.Fatalf("%s: no such command", d.Pos)
	return ""
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
