package perf

import (
	"bytes"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

// unpack parses what a producer would send and returns the bodies.
func unpack(t *testing.T, b []byte, frameMax uint32) (bodies [][]byte) {
	t.Helper()
	want := uint64(0)
	for len(b) > 0 {
		f, n, err := amqp.ParseFrame(b, frameMax)
		if err != nil || n == 0 {
			t.Fatalf("frame: %d, %v", n, err)
		}
		b = b[n:]
		switch f.Type {
		case amqp.FrameHeader:
			h, err := amqp.ParseContentHeader(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Properties.DeliveryMode(); got != deliveryModePersistent {
				t.Fatalf("delivery mode %d", got)
			}
			want = h.BodySize
			bodies = append(bodies, nil)
		case amqp.FrameBody:
			last := &bodies[len(bodies)-1]
			*last = append(*last, f.Payload...)
			want -= uint64(len(f.Payload))
		}
	}
	if want != 0 {
		t.Fatalf("%d octets are missing", want)
	}
	return bodies
}

func TestTemplateStampsEveryMessage(t *testing.T) {
	const frameMax = 4096
	method := amqp.AppendBasicPublish(nil, channelID, "exchange", "key", true, false)
	origin := stamp{run: 7, producer: 3}
	for _, size := range []int{0, 1, 4, 8, 15, 16, 17, 1000, 4088, 4089, 100_000} {
		p := ProducerOptions{Size: size, Persistent: true}
		tm := newTemplate(method, p, origin, frameMax)
		for _, first := range []uint64{0, 1<<32 - 2} {
			n := min(5, tm.copies)
			bodies := unpack(t, tm.fill(n, first, 99), frameMax)
			if len(bodies) != n {
				t.Fatalf("size %d: %d messages, want %d", size, len(bodies), n)
			}
			for i, got := range bodies {
				want := make([]byte, size)
				for i := range want {
					want[i] = byte(i)
				}
				s := origin
				s.sequence, s.sent = uint32(first)+uint32(i), 99
				putStamp(want, s)
				if !bytes.Equal(got, want) {
					t.Fatalf("size %d, message %d: body %x, want %x", size, i, got[:16], want[:16])
				}
			}
		}
	}
}

func TestTemplateFillsAWriteAndNoMore(t *testing.T) {
	method := amqp.AppendBasicPublish(nil, channelID, "", "key", false, false)
	for size, want := range map[int]int{16: 850, 1000: 62, 1 << 20: 1} {
		tm := newTemplate(method, ProducerOptions{Size: size}, stamp{}, FrameMax)
		if len(tm.buf) > max(WriteSize, tm.frame) || tm.copies < want {
			t.Errorf("size %d: %d messages in %d octets", size, tm.copies, len(tm.buf))
		}
	}
	one := newTemplate(method, ProducerOptions{WriteBatch: 1}, stamp{}, FrameMax)
	if one.copies != 1 {
		t.Errorf("%d messages in a write, want 1", one.copies)
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	method := amqp.AppendBasicDeliver(nil, channelID, consumerTag(0), 0, false, nil, nil)
	p := ProducerOptions{Count: 1, Size: 16}
	tm := newTemplate(method, p, stamp{run: 1}, FrameMax)
	log := newQueueLog(1, p)
	c := &consumer{
		conn:    &conn{buf: tm.buf, frameMax: FrameMax},
		options: ConsumerOptions{MultiAckEvery: 10},
		subs:    []subscription{{log: log}},
	}
	sequence := uint64(0)
	batch := func() {
		tm.fill(tm.copies, sequence, int64(sequence))
		sequence += uint64(tm.copies)
		c.conn.r, c.conn.w, c.out = 0, len(tm.buf), c.out[:0]
		if err := c.batch(int64(sequence) + 1000); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, batch); n > 0 {
		t.Errorf("%v allocations in %d messages, want 0", n, tm.copies)
	}
	if log.received != sequence || log.trackers[0].missing() != 0 {
		t.Errorf("received %d of %d", log.received, sequence)
	}
	w := newWindow(100)
	confirm := func() {
		w.mark(w.reserve(10), 1000)
		w.settle(w.next-1, true, true, 2000)
	}
	if n := testing.AllocsPerRun(100, confirm); n > 0 {
		t.Errorf("%v allocations in a confirmed write, want 0", n)
	}
}

// BenchmarkFill is what a producer spends on a message besides its share of a write.
func BenchmarkFill(b *testing.B) {
	method := amqp.AppendBasicPublish(nil, channelID, "direct", "perf-12345678", false, false)
	tm := newTemplate(method, ProducerOptions{Size: 16}, stamp{}, FrameMax)
	for n := 0; n < b.N; n += tm.copies {
		tm.fill(tm.copies, uint64(n), int64(n))
	}
}

// BenchmarkBatch is what a consumer spends on a message besides its share of a read.
func BenchmarkBatch(b *testing.B) {
	method := amqp.AppendBasicDeliver(nil, channelID, consumerTag(0), 0, false,
		[]byte("direct"), []byte("perf-12345678"))
	p := ProducerOptions{Count: 1, Size: 16}
	tm := newTemplate(method, p, stamp{run: 1}, FrameMax)
	c := &consumer{
		conn:    &conn{buf: tm.buf, frameMax: FrameMax},
		options: ConsumerOptions{AutoAck: true},
		subs:    []subscription{{log: newQueueLog(1, p)}},
	}
	for n := 0; n < b.N; n += tm.copies {
		tm.fill(tm.copies, uint64(n), int64(n))
		c.conn.r, c.conn.w = 0, len(tm.buf)
		if err := c.batch(int64(n) + 1000); err != nil {
			b.Fatal(err)
		}
	}
}
