package amqp

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// Seeds are in testdata/fuzz: what RabbitMQ's encoder has made, and one file for every kind of
// mistake that a decoder looks for. What every target asks for: no panic, no read or write
// outside the input, an *Error or the same octets again.

func FuzzParseFrame(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte, maxSize uint32) {
		fr, n, err := ParseFrame(b, maxSize)
		if err != nil {
			wantCode(t, "frame", err, FrameError)
		}
		if err != nil || n == 0 {
			if n != 0 || fr.Payload != nil || fr.Type != 0 {
				t.Fatalf("a frame together with %v", err)
			}
			return
		}
		if n > len(b) || (maxSize != 0 && uint64(n) > uint64(maxSize)+FrameTolerance) {
			t.Fatalf("%d octets of %d, at most %d", n, len(b), maxSize)
		}
		again := make([]byte, frameHeaderSize, n)
		putFrameHeader(again, fr.Type, fr.Channel, len(fr.Payload))
		again = append(append(again, fr.Payload...), FrameEnd)
		equalBytes(t, "frame", again, b[:n])
		if _, m, err := ParseFrame(b[:n-1], maxSize); m != 0 || err != nil {
			t.Fatalf("one octet less: %d, %v", m, err)
		}
	})
}

func FuzzParseMethod(f *testing.F) {
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		m, err := ParseMethod(payload)
		equalBytes(t, "input", payload, before)
		if err != nil {
			wantError(t, err)
			return
		}
		// Reserved fields and the octets of bits may differ, so compare one round later.
		frame := AppendMethodFrame(nil, 1, m)
		fr, n, err := ParseFrame(frame, 0)
		if err != nil || n != len(frame) {
			t.Fatalf("%+v makes a frame with %v", m, err)
		}
		if len(fr.Payload) > len(payload) {
			t.Fatalf("%d octets grew to %d", len(payload), len(fr.Payload))
		}
		again, err := ParseMethod(fr.Payload)
		if err != nil || !same(again, m) {
			t.Fatalf("%+v came back as %+v, %v", m, again, err)
		}
		equalBytes(t, "frame", AppendMethodFrame(nil, 1, again), frame)
	})
}

func FuzzBasicPublishView(f *testing.F) {
	f.Fuzz(func(t *testing.T, args []byte) { checkPublish(t, args) })
}

func FuzzParseContentHeader(f *testing.F) {
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, err := ParseContentHeader(payload)
		if err != nil {
			wantError(t, err)
			return
		}
		frame := AppendContent(nil, 1, h.Properties, nil, 0)
		fr, _, err := ParseFrame(frame, 0)
		if err != nil {
			t.Fatal(err)
		}
		copy(fr.Payload[4:], payload[4:contentHeaderSize]) // the body is not there
		equalBytes(t, "header", fr.Payload, payload)
		checkProperties(t, h.Properties)
	})
}

func FuzzProperties(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) { checkProperties(t, raw) })
}

func checkProperties(t *testing.T, raw RawProperties) {
	t.Helper()
	p, err := raw.Decode()
	if err != nil {
		wantError(t, err)
		raw.Headers().Len()
		raw.ClusterID()
		return
	}
	again := RawProperties(p.AppendTo(nil))
	q, err := again.Decode()
	if err != nil || !reflect.DeepEqual(p, q) || len(again) > max(len(raw), 2) {
		t.Fatalf("%+v came back as %+v, %v", p, q, err)
	}
	checkAccessors(t, again, p)
	if len(again) == len(raw) {
		equalBytes(t, "properties", again, raw)
	}
}

func FuzzPropertiesEncode(f *testing.F) {
	f.Fuzz(func(t *testing.T, text, other string, headers []byte, mode, priority uint8,
		timestamp uint64, mask uint16,
	) {
		p := Properties{text, other, headers, mode, priority, other, text, text, other, timestamp,
			text, other, text, other}
		if Table(headers).Validate() != nil {
			p.Headers = nil
		}
		v := reflect.ValueOf(&p).Elem()
		for i := range v.NumField() {
			if mask>>i&1 == 0 || v.Field(i).Kind() == reflect.Slice && v.Field(i).Len() == 0 {
				v.Field(i).SetZero()
			}
		}
		got, err := RawProperties(p.AppendTo(nil)).Decode()
		if err != nil {
			t.Fatal(err)
		}
		if len(text) <= ShortStrMax && len(other) <= ShortStrMax && !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v came back as %+v", p, got)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		table := Table(b)
		err := table.Validate()
		if err != nil {
			wantError(t, err)
		}
		var again []byte
		n := 0
		table.Each(func(key []byte, v Value) bool {
			n++
			again = appendShortstr(again, string(key))
			again = append(again, v.Type)
			if valueSizes[v.Type] == prefixed {
				again = appendTable(again, v.Data)
			} else {
				again = append(again, v.Data...)
			}
			if _, ok := table.Lookup(string(key)); !ok {
				t.Fatalf("%q is not there", key)
			}
			return true
		})
		if n != table.Len() || len(table.Map()) > n || !bytes.HasPrefix(b, again) {
			t.Fatalf("%d fields, %d, %x of %x", n, table.Len(), again, b)
		}
		if err != nil {
			return
		}
		equalBytes(t, "table", again, b)
		sorted := NewTable(table.Map())
		if sorted.Validate() != nil || !sorted.Equal(table) || !table.Equal(sorted) {
			t.Fatalf("%x and %x are not equal", table, sorted)
		}
		equalBytes(t, "sorted", NewTable(sorted.Map()), sorted)
	})
}

func wantError(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || len(e.Text) > ShortStrMax || !e.Hard() || replyName(e.Code) == "" {
		t.Fatalf("%v is no refusal", err)
	}
}
