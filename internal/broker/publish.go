package broker

import (
	"math"
	"slices"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// Publish collects one message for every queue of r, which Takes it, and takes over the caller's
// hold of it. A message that has to survive goes to the log first, in one record for all its
// durable queues; the group of that record is returned (0 when there is none): the message is on
// stable storage when the log is stable up to there. It is 0 as well if no queue of the route wants
// to wait for that, and Never when the log has failed or is closed. Where it has to wait for the
// log, it runs the batch before.
func (b *Batch) Publish(r *Route, m message.Message) store.LSN { return b.PublishFor(r, &m, 0) }

// PublishFor is Publish of a message that a queue of the route may refuse (see Route.Rejects), for
// somebody who wants to know: after Run, TakeRejected has the ticket, which is not 0. It does not
// keep m itself.
func (b *Batch) PublishFor(r *Route, m *message.Message, ticket uint32) store.LSN {
	switch {
	case r.keeps != nil:
		return b.keep(r, m, ticket)
	case len(r.durable) > 0:
		return b.publish(r, m, ticket)
	}
	m.Hold(len(r.queues) - 1)
	for _, q := range r.queues {
		b.enqueue(q, m, ticket)
	}
	return 0
}

// publish is PublishFor to the queues of r, of which some are durable or none.
func (b *Batch) publish(r *Route, m *message.Message, ticket uint32) store.LSN {
	m.Hold(len(r.queues) - 1)
	logged := m.Persistent() && len(r.durable) > 0
	var stable store.LSN
	if logged {
		lsn := b.log(r.durable, m, b.arrival(r, m))
		switch {
		case lsn == 0:
			stable = Never
		case r.syncs:
			stable = lsn
		}
	}
	next := 0
	for _, q := range r.queues {
		c := b.enqueue(q, m, ticket)
		switch {
		case !q.logged():
		case logged:
			c.Seq, c.Message.ID = b.numbers[next], b.numbers[next]
			next++
		default:
			c.Seq = q.disk.Number()
		}
	}
	return stable
}

// arrival returns when a message came, for the log, if it may expire; else 0.
func (b *Batch) arrival(r *Route, m *message.Message) int64 {
	if m.MayExpire() || r.expires {
		return b.now()
	}
	return 0
}

// TakeRejected returns the tickets of messages that a queue refused, each once for each of its
// queues that did, since it was called last. It is valid until the next Run.
func (b *Batch) TakeRejected() []uint32 {
	taken := b.rejected
	b.rejected = b.rejected[:0]
	return taken
}

// log publishes a message. If that has to wait, whoever looks sees it, and what was collected
// before does not wait too: on a full disk, those who settle it may be who makes room.
func (b *Batch) log(queues []*store.Queue, m *message.Message, at int64) store.LSN {
	b.numbers = slices.Grow(b.numbers[:0], len(queues))[:len(queues)]
	head := m.AppendHead(b.head[:0], at)
	if lsn, ok := b.m.store.TryPublish(queues, b.numbers, head, m.Bytes()); ok {
		return lsn
	}
	traced, ok := b.spans.routed[memory(m)]
	b.Run()
	if ok {
		b.onTheWay(m, traced)
	}
	if b.Hold != nil {
		b.Hold.Begin(WaitLog)
		defer b.Hold.End()
	}
	head = m.AppendHead(b.head[:0], at) // others were made meanwhile, and given numbers
	b.numbers = slices.Grow(b.numbers[:0], len(queues))[:len(queues)]
	return b.m.store.Publish(queues, b.numbers, head, m.Bytes())
}

// Never is the position of what the log could not take: waiting for it ends with an error.
const Never = store.LSN(math.MaxUint64)

// reject notes that q refused a message.
func (b *Batch) reject(q *Queue, ticket uint32) {
	switch {
	case ticket == 0:
	case ticket >= deadTicket:
		b.morgue.rejected = append(b.morgue.rejected, rejection{ticket - deadTicket, q})
	default:
		b.rejected = append(b.rejected, ticket)
	}
}
