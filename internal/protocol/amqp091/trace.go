package amqp091

import (
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

// tracing is what a connection needs to have copies of its messages sent while its vhost is traced.
// It is made when that is so.
type tracing struct {
	// published are copies of what the reader got.
	published *broker.Traces
	// waits: there are copies to send of what was delivered.
	waits atomic.Bool
	// Under out.mu: copies of what was delivered, and whether somebody sends such at the moment.
	delivered *broker.Traces
	sending   bool
}

// traces returns the connection's tracing.
func (c *Connection) traces() *tracing {
	if t := c.tracing.Load(); t != nil {
		return t
	}
	c.tracing.CompareAndSwap(nil, new(tracing))
	return c.tracing.Load()
}

// tracePublish copies a message that came in.
func (ch *Channel) tracePublish(route *broker.Route, m *message.Message) {
	c := ch.conn
	tracing := c.traces()
	t := tracing.published
	if t == nil {
		t = c.access.NewTraces(c.showSelf().Name)
		tracing.published = t
	}
	if t.Published(int(ch.id), m, ch.content.copies.further.Keys, route) {
		c.batch.SendTraces(t, t.Take())
	}
}

// traceDeliveries copies what goes to the client, and reports whether somebody has to call Flush
// for that; out.mu is held.
func (k *consumer) traceDeliveries(q *broker.Queue, effects []queue.Effect) (flush bool) {
	ch := k.channel
	c := ch.conn
	if c.out.closed {
		return false
	}
	t := c.traces()
	if t.delivered == nil {
		t.delivered = q.NewTraces(c.showSelf().Name, c.user)
	}
	for i := range effects {
		if e := &effects[i]; e.Kind == queue.Deliver &&
			t.delivered.Delivered(int(ch.id), q, &e.Message, e.Redelivered) {
			flush = true
		}
	}
	if flush {
		t.waits.Store(true)
	}
	return flush
}

// sendTraces sends the copies of what was delivered. If somebody does already, that one goes on
// with what has come: a copy may have a message delivered that is copied, too.
func (c *Connection) sendTraces(t *tracing) {
	batch := c.options.Broker.NewBatch()
	for {
		list := c.takeTraces(t)
		if list == nil {
			break
		}
		batch.SendTraces(t.delivered, list)
		batch.Run()
		c.out.mu.Lock()
		t.sending = false
		c.out.mu.Unlock()
	}
	batch.Release()
}

// takeTraces returns the copies that are to be sent; nil: none, or somebody else sends.
func (c *Connection) takeTraces(t *tracing) []message.Message {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if t.sending || !t.waits.Load() {
		return nil
	}
	t.waits.Store(false)
	t.sending = true
	return t.delivered.Take()
}
