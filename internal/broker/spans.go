package broker

import (
	"time"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/telemetry"
)

// Messages whose publishers trace them get spans: see package telemetry. Where nobody wants spans,
// there is no tracer, and each place asks for that only. What is in here is seldom reached.

// spans are the messages of a batch that are traced.
type spans struct {
	// receiving is the message that has come and has not been routed yet.
	receiving telemetry.Place
	parent    telemetry.SpanID
	since     time.Time
	// routed are those that are on their way to queues, by their memory. It lasts until the queues
	// have them.
	routed map[*byte]routedSpan
}

// routedSpan is what the spans of the enqueues of a message hang below.
type routedSpan struct {
	telemetry.Place
	at time.Time
}

// spansMax is how many traced messages a queue knows more of than their headers tell: those that a
// consumer holds, and those whose trace began here. More than that, and all are forgotten: the end
// of their traces is missing.
const spansMax = 4096

// memory is what tells a message from all others that are in memory.
func memory(m *message.Message) *byte {
	if b := m.Bytes(); len(b) > 0 {
		return &b[0]
	}
	return nil
}

// Received looks whether a message that has just come is traced. If so, Routed has to follow.
func (b *Batch) Received(m *message.Message) bool { return b.m.tracer != nil && b.received(m) }

func (b *Batch) received(m *message.Message) bool {
	p := b.m.tracer.Begin(m.Properties().Headers())
	if !p.Traced() {
		return false
	}
	b.spans.receiving, b.spans.parent, b.spans.since = p.Child(), p.Span, time.Now()
	return true
}

// Routed says which way a message goes that was Received; it is published next, or not at all.
func (b *Batch) Routed(m *message.Message, exchange []byte, r *Route, vhost string) {
	now := time.Now()
	receiving := b.spans.receiving
	s := telemetry.Span{
		Place: receiving.Child(), Operation: telemetry.Route, Parent: receiving.Span,
		Start: b.spans.since, End: now, State: telemetry.State(m.Properties().Headers()),
		VHost: vhost, Exchange: string(exchange), Key: string(m.RoutingKey()),
		Queues: len(r.queues),
	}
	if r.Err != nil {
		s.Error = r.Err.Text
	}
	b.m.tracer.End(&s)
	if r.Err == nil && r.Takes() {
		b.onTheWay(m, routedSpan{s.Place, now})
	}
	s.Place, s.Parent, s.Operation, s.Bytes = receiving, b.spans.parent, telemetry.Receive,
		len(m.Body())
	b.m.tracer.End(&s)
}

// onTheWay notes that a message is traced which is published next.
func (b *Batch) onTheWay(m *message.Message, s routedSpan) {
	if b.spans.routed == nil {
		b.spans.routed = make(map[*byte]routedSpan)
	}
	b.spans.routed[memory(m)] = s
}

// publishReleased publishes a message that waited in the broker.
func (b *Batch) publishReleased(r *Route, m *message.Message) store.LSN {
	if b.m.tracer != nil {
		if p := b.m.tracer.Of(m.Properties().Headers()); p.Traced() {
			b.onTheWay(m, routedSpan{p, time.Now()})
		}
	}
	return b.PublishFor(r, m, 0)
}

// traceCommands makes spans of what a queue is about to be told; its lock is held.
func (b *Batch) traceCommands(q *Queue, commands []queue.Command) {
	if len(b.spans.routed) == 0 && len(q.spans) == 0 {
		return
	}
	number := q.machine.Newest()
	for i := range commands {
		c := &commands[i]
		switch c.Kind {
		case queue.Enqueue:
			if c.Seq != 0 {
				number = max(number, c.Seq)
				b.traceEnqueue(q, c.Seq, &c.Message)
				continue
			}
			number++
			b.traceEnqueue(q, number, &c.Message)
		case queue.Ack:
			b.traceSettle(q, c.Seq, "ack")
		case queue.Discard:
			b.traceSettle(q, c.Seq, "reject")
		case queue.Return:
			b.traceSettle(q, c.Seq, "requeue")
		}
	}
}

func (b *Batch) traceEnqueue(q *Queue, number uint64, m *message.Message) {
	on, ok := b.spans.routed[memory(m)]
	if !ok {
		return
	}
	p := on.Place
	p.Span = telemetry.Queued(q.vhost.name, q.Name(), number)
	if p.Own {
		q.remember(number, p)
	}
	s := q.span(telemetry.Enqueue, m)
	s.Place, s.Parent, s.Start = p, on.Span, on.at
	b.m.tracer.End(&s)
}

// remember keeps what a message does not tell itself; the lock is held.
func (q *Queue) remember(number uint64, p telemetry.Place) {
	if q.spans == nil || len(q.spans) >= spansMax {
		q.spans = make(map[uint64]telemetry.Place)
	}
	q.spans[number] = p
}

// span begins a span about a message and the queue, which ends now.
func (q *Queue) span(operation telemetry.Operation, m *message.Message) telemetry.Span {
	now := time.Now()
	return telemetry.Span{
		Operation: operation, Start: now, End: now, VHost: q.vhost.name, Queue: q.Name(),
		State:    telemetry.State(m.Properties().Headers()),
		Exchange: string(m.Exchange()), Key: string(m.RoutingKey()), Bytes: len(m.Body()),
	}
}

// place returns the span of the enqueue of a message; the lock is held.
func (b *Batch) place(q *Queue, number uint64, m *message.Message) (p telemetry.Place) {
	p = b.m.tracer.Of(m.Properties().Headers())
	if !p.Traced() && len(q.spans) > 0 {
		p = q.spans[number]
	}
	if p.Traced() {
		p.Span = telemetry.Queued(q.vhost.name, q.Name(), number)
	}
	return p
}

// traceDeliveries makes spans of what goes to a consumer; q's lock is held.
func (b *Batch) traceDeliveries(q *Queue, c *queue.Consumer, effects []queue.Effect) {
	for i := range effects {
		e := &effects[i]
		if e.Kind != queue.Deliver {
			continue
		}
		m := &e.Message
		p := b.place(q, e.Seq, m)
		if !p.Traced() {
			continue
		}
		s := q.span(telemetry.Deliver, m)
		s.Parent, s.Place = p.Span, p.Child()
		s.Link = b.m.tracer.Of(m.Properties().Headers()).Span
		s.ConsumerTag, s.Redelivered = c.Tag, e.Redelivered
		b.m.tracer.End(&s)
		if c.NoAck {
			delete(q.spans, e.Seq)
		} else {
			q.remember(e.Seq, s.Place)
		}
	}
}

func (b *Batch) traceSettle(q *Queue, number uint64, outcome string) {
	p, ok := q.spans[number]
	if !ok {
		return
	}
	now := time.Now()
	b.m.tracer.End(&telemetry.Span{
		Place: p.Child(), Parent: p.Span, Operation: telemetry.Settle, Start: now, End: now,
		VHost: q.vhost.name, Queue: q.Name(), Outcome: outcome,
	})
	if outcome == "ack" || !p.Own {
		delete(q.spans, number)
	}
}

// traceDead makes a span of a message that died, which is the parent of what comes of its letter.
func (b *Batch) traceDead(d *dead, letter *message.Message) {
	q := d.queue
	q.mu.Lock()
	p := b.place(q, d.seq, &d.message)
	delete(q.spans, d.seq)
	q.mu.Unlock()
	if !p.Traced() {
		return
	}
	s := q.span(telemetry.DeadLetter, &d.message)
	s.Parent, s.Place = p.Span, p.Child()
	s.Link = b.m.tracer.Of(d.message.Properties().Headers()).Span
	s.Outcome = reasons[d.reason]
	b.m.tracer.End(&s)
	b.onTheWay(letter, routedSpan{s.Place, s.End})
}
