package queue

import (
	"bytes"
	"strconv"

	"github.com/warrenmq/warren/internal/message"
)

// poisonPool is a pool of chunks that overwrites what comes back, and makes new ones always.
type poisonPool struct{ made, back int }

func (p *poisonPool) Get() *message.Chunk {
	p.made++
	return nil
}

func (p *poisonPool) Put(c *message.Chunk) {
	p.back++
	b := c.Bytes()
	b = b[:cap(b)]
	for i := range b {
		b[i] = 0xdb
	}
}

// growArena publishes until chunks come from the pool.
func (w *rulesWorld) growArena() {
	w.arena.Pool = &w.pool
	for w.pool.made == 0 {
		m := w.build(0, nil, 1000)
		m.Release()
	}
}

// build makes the message seq: its number is its routing key, and most of its body.
func (w *rulesWorld) build(seq uint64, properties []byte, size int) message.Message {
	var b message.Builder
	key := []byte(strconv.FormatUint(seq, 10))
	if err := b.Begin(&w.arena, nil, key, properties, uint64(size)); err != nil {
		w.t.Fatal(err)
	}
	b.Append(bodyOf(seq, size))
	return b.Done()
}

func bodyOf(seq uint64, size int) []byte { return bytes.Repeat([]byte{byte(seq)}, size) }

// moved returns the message with bytes of its own.
func moved(m message.Message) message.Message {
	m.MoveTo(make([]byte, 0, m.Size()))
	return m
}

// checkMessage: nobody has let go of the message too early.
func (w *rulesWorld) checkMessage(e *Effect) {
	m := &e.Message
	if string(m.RoutingKey()) != strconv.FormatUint(e.Seq, 10) ||
		!bytes.Equal(m.Body(), bodyOf(e.Seq, len(m.Body()))) {
		w.t.Fatalf("message %d has the key %q, body %q", e.Seq, m.RoutingKey(), m.Body())
	}
}

// checkHolds: every message has been let go of, once.
func (w *rulesWorld) checkHolds() {
	for made := w.pool.made; w.pool.made == made; {
		m := w.build(0, nil, 1000)
		m.Release()
	}
	if w.pool.back != w.pool.made-1 {
		w.t.Fatalf("%d chunks of %d came back", w.pool.back, w.pool.made-1)
	}
}
