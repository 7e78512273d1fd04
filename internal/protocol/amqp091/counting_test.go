package amqp091

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

func built(t *testing.T, p amqp.Properties) message.Message {
	t.Helper()
	var b message.Builder
	if err := b.Begin(&message.Arena{}, nil, nil, p.AppendTo(nil), 0); err != nil {
		t.Fatal(err)
	}
	return b.Done()
}

// TestDeliveriesAreCountedInAHeader: what a client wrote there does not count.
func TestDeliveriesAreCountedInAHeader(t *testing.T) {
	ch := &Channel{}
	for _, c := range []struct{ before, after map[string]any }{
		{nil, map[string]any{"x-delivery-count": int64(3)}},
		{map[string]any{"a": "b", "x-delivery-count": "forged"},
			map[string]any{"a": "b", "x-delivery-count": int64(3)}},
	} {
		m := built(t, amqp.Properties{Headers: amqp.NewTable(c.before), DeliveryMode: 2})
		got := ch.counted(&m, 3)
		if !got.Headers().Equal(amqp.NewTable(c.after)) || got.DeliveryMode() != 2 {
			t.Errorf("%v became %v", c.before, got.Headers().Map())
		}
		if string(m.Properties().Headers()) != string(amqp.NewTable(c.before)) {
			t.Errorf("the message itself changed to %v", m.Properties().Headers().Map())
		}
	}
}

// TestCountingCostsNoAllocation is the gate for queues that count.
func TestCountingCostsNoAllocation(t *testing.T) {
	ch := &Channel{}
	m := built(t, amqp.Properties{Headers: amqp.NewTable(map[string]any{"a": "b"})})
	if got := testing.AllocsPerRun(100, func() { ch.counted(&m, 1) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

// TestLargeHeadersAreNotKept reaches countingKeep.
func TestLargeHeadersAreNotKept(t *testing.T) {
	ch := &Channel{}
	large := built(t, amqp.Properties{
		Headers: amqp.NewTable(map[string]any{"a": make([]byte, 10*countingKeep)}),
	})
	small := built(t, amqp.Properties{})
	ch.counted(&large, 1)
	ch.counted(&small, 1)
	if n := cap(ch.counting.headers) + cap(ch.counting.props); n > countingKeep {
		t.Errorf("%d bytes are kept", n)
	}
}
