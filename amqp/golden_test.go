package amqp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The files hold bytes that RabbitMQ's own encoder has made, and what we read in them. Run
// with -rewrite to write the readings anew.

func TestMethodsOfRabbitMQAreReadAndWrittenAlike(t *testing.T) {
	seen := map[MethodID]bool{}
	golden(t, "testdata/rabbitmq_methods", func(d *datadriven.TestData) string {
		payload := unhex(t, d.Input)
		m, err := ParseMethod(payload)
		if err != nil {
			return err.Error()
		}
		seen[m.ID()] = true
		if got := m.AppendTo(payload[:MethodIDSize:MethodIDSize]); !bytes.Equal(got, payload) {
			return fmt.Sprintf("writes %x", got)
		}
		return dump(m.ID().String(), reflect.ValueOf(m).Elem())
	})
	for _, id := range allMethods() {
		if !seen[id] {
			t.Errorf("no golden bytes of %s", id)
		}
	}
}

func TestTablesOfRabbitMQAreReadAndWrittenAlike(t *testing.T) {
	golden(t, "testdata/rabbitmq_tables", func(d *datadriven.TestData) string {
		table := Table(unhex(t, d.Input))
		if err := table.Validate(); err != nil {
			return err.Error()
		}
		var lines []string
		table.Each(func(key []byte, v Value) bool {
			lines = append(lines, fmt.Sprintf("%q %c %s", key, v.Type, show(v.Any())))
			again := appendValue(nil, v.Any()) // maps lose the order of their keys
			if w, _, ok := nextValue(again); !ok || w.Type != v.Type || !w.Equal(v) {
				lines = append(lines, fmt.Sprintf("writes %x", again))
			}
			return true
		})
		return strings.Join(append(lines, fmt.Sprintf("%d fields\n", table.Len())), "\n")
	})
}

func TestPropertiesOfRabbitMQAreReadAndWrittenAlike(t *testing.T) {
	golden(t, "testdata/rabbitmq_properties", func(d *datadriven.TestData) string {
		raw := RawProperties(unhex(t, d.Input))
		p, err := raw.Decode()
		if err != nil {
			return err.Error()
		}
		if again := p.AppendTo(nil); !bytes.Equal(again, raw) {
			return fmt.Sprintf("writes %x", again)
		}
		return dump("properties", reflect.ValueOf(p))
	})
}

func golden(t *testing.T, file string, read func(d *datadriven.TestData) string) {
	datadriven.RunTest(t, file, func(_ *testing.T, d *datadriven.TestData) string {
		return read(d)
	})
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dump writes the fields of a struct that are not zero, one in a line.
func dump(name string, v reflect.Value) string {
	lines := []string{name}
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		lines = append(lines, fmt.Sprintf("  %s: %s", v.Type().Field(i).Name, show(f.Interface())))
	}
	return strings.Join(lines, "\n") + "\n"
}

// show writes strings quoted and everything else plain.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case Table:
		return fmt.Sprintf("%v", v.Map())
	}
	return fmt.Sprintf("%v", v)
}

// allMethods lists what newMethod knows, found by trying all numbers in reach.
func allMethods() []MethodID {
	var ids []MethodID
	for class := range MethodID(256) {
		for method := range MethodID(256) {
			if id := class<<16 | method; newMethod(id) != nil {
				ids = append(ids, id)
			}
		}
	}
	return slices.Clip(ids)
}
