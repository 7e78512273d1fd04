package amqp

import (
	"bytes"
	"strings"
	"testing"
)

// The broker's hot path must not allocate: these tests are the gate.

func TestParsingAPublishDoesNotAllocate(t *testing.T) {
	in := AppendBasicPublish(nil, 1, "amq.direct", "routing.key", true, false)
	props := Properties{ContentType: "text/plain", DeliveryMode: 2, Headers: NewTable(
		map[string]any{"n": 1, "t": map[string]any{"a": []any{"x", 1.5, nil}}})}
	in = AppendContent(in, 1, props.AppendTo(nil), []byte("0123456789abcdef"), 131072)
	var publish BasicPublishView
	allocs := testing.AllocsPerRun(100, func() {
		b := in
		f, n, err := ParseFrame(b, 131072)
		if err != nil || publish.Decode(f.Payload[MethodIDSize:]) != nil {
			t.Fatal(err)
		}
		b = b[n:]
		f, n, _ = ParseFrame(b, 131072)
		header, err := ParseContentHeader(f.Payload)
		if err != nil || header.BodySize != 16 || header.Properties.DeliveryMode() != 2 {
			t.Fatal(err)
		}
		if v, ok := header.Properties.Headers().Lookup("n"); !ok || v.Type != TypeInt32 {
			t.Fatal("no header")
		}
		f, _, _ = ParseFrame(b[n:], 131072)
		if len(f.Payload) != 16 {
			t.Fatal("no body")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestFormattingADeliveryDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 64<<10)
	exchange, key := []byte("amq.direct"), []byte("routing.key")
	small, large := make([]byte, 16), make([]byte, 20000)
	props := RawProperties{flagDeliveryMode >> 8, 0, 2}
	allocs := testing.AllocsPerRun(100, func() {
		b := AppendBasicDeliver(dst, 1, "tag", 7, true, exchange, key)
		b = AppendContent(b, 1, props, small, 131072)
		b = AppendContent(b, 1, props, large, FrameMinSize)
		b = AppendBasicAck(b, 1, 7, true)
		AppendHeartbeat(b)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestSettlingDoesNotAllocate(t *testing.T) {
	args := (&BasicNack{DeliveryTag: 9, Multiple: true, Requeue: true}).AppendTo(nil)
	var nack BasicNack
	allocs := testing.AllocsPerRun(100, func() {
		if err := nack.Decode(args); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 || nack != (BasicNack{DeliveryTag: 9, Multiple: true, Requeue: true}) {
		t.Errorf("%v allocations, %+v", allocs, nack)
	}
}

func TestLookingIntoPropertiesAndTablesDoesNotAllocate(t *testing.T) {
	table := NewTable(map[string]any{"a": []any{1, 2, 3}, "n": 5, "s": "text"})
	p := Properties{Headers: table, CorrelationID: "c", Priority: 3, Timestamp: 9}
	raw := RawProperties(p.AppendTo(nil))
	other := table.Clone()
	allocs := testing.AllocsPerRun(100, func() {
		sum := int64(0)
		raw.Headers().Each(func(_ []byte, v Value) bool {
			n, _ := v.Int64()
			sum += n
			v.Each(func(element Value) bool {
				n, _ := element.Int64()
				sum += n
				return true
			})
			return true
		})
		id, _ := raw.CorrelationID()
		_, _ = raw.Priority()
		_, _ = raw.Timestamp()
		if sum != 11 || string(id) != "c" || raw.Headers().Validate() != nil {
			t.Fatal(sum, id)
		}
		if v, _ := table.Lookup("s"); !v.Equal(v) || !table.Equal(other) {
			t.Fatal("unequal")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestHotFunctionsWriteWhatMethodsWrite(t *testing.T) {
	for _, c := range []struct {
		tag, exchange, key string
		delivery           uint64
		bit                bool
	}{
		{"", "", "", 0, false},
		{"ctag", "amq.topic", "a.b.c", 1<<63 + 5, true},
		{strings.Repeat("t", 255), strings.Repeat("e", 255), strings.Repeat("k", 255), 1, false},
		{strings.Repeat("t", 256), strings.Repeat("e", 300), strings.Repeat("é", 200), 1, true},
		{"t", strings.Repeat("\xff", 256), strings.Repeat("漢", 100), 1, true},
	} {
		for _, dst := range [][]byte{nil, []byte("x"), make([]byte, 3, 2000)} {
			exchange, key := []byte(c.exchange), []byte(c.key)
			got := AppendBasicDeliver(dst, 513, c.tag, c.delivery, c.bit, exchange, key)
			want := AppendMethodFrame(bytes.Clone(dst), 513, &BasicDeliver{ConsumerTag: c.tag,
				DeliveryTag: c.delivery, Redelivered: c.bit, Exchange: c.exchange,
				RoutingKey: c.key})
			equalBytes(t, "deliver", got, want)
			got = AppendBasicPublish(dst, 513, c.exchange, c.key, c.bit, !c.bit)
			want = AppendMethodFrame(bytes.Clone(dst), 513, &BasicPublish{Exchange: c.exchange,
				RoutingKey: c.key, Mandatory: c.bit, Immediate: !c.bit})
			equalBytes(t, "publish", got, want)
			got = AppendBasicAck(dst, 513, c.delivery, c.bit)
			want = AppendMethodFrame(bytes.Clone(dst), 513,
				&BasicAck{DeliveryTag: c.delivery, Multiple: c.bit})
			equalBytes(t, "ack", got, want)
		}
	}
}

func TestPublishViewReadsWhatThePublishMethodReads(t *testing.T) {
	full := (&BasicPublish{Exchange: "exchange", RoutingKey: "key", Mandatory: true}).AppendTo(nil)
	for n := range len(full) + 2 {
		checkPublish(t, append(full, 0)[:n])
	}
	for bits := range 256 {
		full[len(full)-1] = byte(bits)
		checkPublish(t, full)
	}
}

// checkPublish compares the two decoders of basic.publish.
func checkPublish(t *testing.T, args []byte) {
	t.Helper()
	var view BasicPublishView
	var m BasicPublish
	errView, errMethod := view.Decode(args), m.Decode(args)
	if (errView == nil) != (errMethod == nil) {
		t.Fatalf("%x: view %v, method %v", args, errView, errMethod)
	}
	if errView != nil {
		wantText(t, "view", errView, errMethod.Error())
		return
	}
	got := BasicPublish{string(view.Exchange), string(view.RoutingKey), view.Mandatory,
		view.Immediate}
	if got != m {
		t.Fatalf("%x: view %+v, method %+v", args, got, m)
	}
}

func equalBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot  %x\nwant %x", what, got, want)
	}
}
