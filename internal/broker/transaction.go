package broker

import (
	"slices"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Transaction publishes messages and acknowledges others together: of what has to survive, a crash
// leaves all or nothing. It belongs to the goroutine of its batch, which nobody else uses
// meanwhile:
//
//	t := b.Begin()
//	t.Publish(route, m, ticket)   // nothing is seen of it yet
//	if t.Bytes() <= ... {         // see store.CommitBytesMax
//		b.Add(q, ack); t.Apply()  // the acknowledgements
//		stable := t.Commit()
//	} else { t.Forget() }
//
// What is not atomic: messages that a delayed exchange takes, and dead letters. They go on by
// themselves, the one after the publishes are logged, the other before its original is let go.
type Transaction struct {
	b     *Batch
	held  []heldMessage
	bytes int // of records
	count int // of numbers that have to be given
}

// heldMessage is a message that is to be published.
type heldMessage struct {
	route   *Route // of its own, shared with those before that go the same way
	message message.Message
	ticket  uint32
	logged  bool
	numbers []uint64 // in the durable queues of its route
	span    *routedSpan
}

// heldRecordBytes is the most that the record of a message takes beside the message and its queues,
// heldQueueBytes what it takes for each queue.
const (
	heldRecordBytes = 64
	heldQueueBytes  = 20
)

// Begin begins a transaction on a batch that has been Run.
func (b *Batch) Begin() *Transaction { return &Transaction{b: b} }

// Publish holds a message for a route that Takes it, until Commit, and takes over the caller's hold
// of it. The ticket is that of PublishFor.
func (t *Transaction) Publish(r *Route, m message.Message, ticket uint32) {
	h := heldMessage{message: m, ticket: ticket}
	var last *Route
	if n := len(t.held); n > 0 {
		last = t.held[n-1].route
	}
	h.route = r.Held(last)
	if s, ok := t.b.spans.routed[memory(&m)]; ok {
		h.span = &s
	}
	if r.keeps == nil {
		t.count += len(r.durable)
		h.logged = len(r.durable) > 0 && m.Persistent()
	}
	if h.logged {
		t.bytes += m.Size() + heldRecordBytes + heldQueueBytes*len(r.durable)
	}
	t.held = append(t.held, h)
}

// Held returns a copy with memory of its own, which stays what it is; or last, a copy from before
// or nil, if it leads to the same.
func (r *Route) Held(last *Route) *Route {
	if r == last || last != nil && last.equal(r) {
		return last
	}
	return &Route{
		queues: slices.Clone(r.queues), durable: slices.Clone(r.durable), syncs: r.syncs,
		refuses: r.refuses, rejects: r.rejects, expires: r.expires, keeps: r.keeps,
		depends: r.depends,
	}
}

// Renew looks again at what holds for the queues of a route that was Held. One that has ended is
// taken out, or replaced by one that has got its name since.
func (r *Route) Renew() {
	queues := r.queues
	r.queues, r.durable = r.queues[:0], r.durable[:0]
	r.syncs, r.refuses, r.rejects, r.expires = false, false, false, false
	for _, q := range queues {
		if q.ended() {
			q = q.vhost.Queue(q.Name())
		}
		if q != nil {
			r.add(q)
		}
	}
	clear(queues[len(r.queues):])
}

// ended reports whether the queue takes no messages any more.
func (q *Queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.machine.Deleted()
}

// Bytes returns the most that the messages take in the log.
func (t *Transaction) Bytes() int { return t.bytes }

// Forget lets go of the messages.
func (t *Transaction) Forget() {
	for i := range t.held {
		t.held[i].message.Release()
	}
	t.held = nil
}

// Apply gives the queues the commands that were added to the batch: acknowledgements, so that the
// messages leave the log with the commit. It is called as often as the batch is Full.
func (t *Transaction) Apply() {
	t.b.applyPending()
	t.b.flush()
}

// Commit writes what has to survive, as one group, and then publishes the messages to their queues.
// The result is that of Batch.Publish. It waits as that does.
func (t *Transaction) Commit() store.LSN {
	b := t.b
	t.Apply()
	written := t.write()
	var stable store.LSN
	for i := range t.held {
		h := &t.held[i]
		if h.span != nil {
			b.onTheWay(&h.message, *h.span)
		}
		switch {
		case h.route.keeps != nil:
			stable = max(stable, b.PublishFor(h.route, &h.message, h.ticket))
		case h.logged && (h.route.syncs || written == Never):
			stable = max(stable, written)
			fallthrough
		default:
			h.enqueue(b)
		}
		if b.Full() {
			b.Run()
		}
	}
	t.held = nil
	b.Run()
	return stable
}

// write writes what has to survive, and says where it is: see Batch.Publish.
func (t *Transaction) write() store.LSN {
	b, c := t.b, t.commit()
	if c.Bytes() == 0 && t.count == 0 {
		return 0
	}
	if b.Hold != nil {
		b.Hold.Begin(WaitLog)
		defer b.Hold.End()
	}
	if lsn := b.m.store.Commit(c); lsn != 0 {
		return lsn
	}
	return Never
}

// commit collects what has to survive.
func (t *Transaction) commit() *store.Commit {
	b, c := t.b, new(store.Commit)
	numbers, heads := make([]uint64, t.count), make([]byte, 0, len(t.held)*message.HeadMax)
	for i := range t.held {
		h := &t.held[i]
		if h.route.keeps != nil {
			continue
		}
		n, at := len(h.route.durable), len(heads)
		h.numbers, numbers = numbers[:n:n], numbers[n:]
		if !h.logged {
			c.Number(h.route.durable, h.numbers)
			continue
		}
		heads = h.message.AppendHead(heads, b.arrival(h.route, &h.message))
		c.Publish(h.route.durable, h.numbers, heads[at:], h.message.Bytes())
	}
	settled := b.settled
	b.settled = nil
	for i := range settled {
		run := &settled[i]
		if run.queue.disk != nil && !c.Settle(run.queue.disk, run.sorted()) {
			b.settled = append(b.settled, *run) // more left than what was acknowledged
		}
	}
	return c
}

// enqueue adds the message to the queues of its route.
func (h *heldMessage) enqueue(b *Batch) {
	h.message.Hold(len(h.route.queues) - 1)
	for _, q := range h.route.queues {
		c := queue.Command{Kind: queue.Enqueue, Message: h.message, Ticket: h.ticket}
		if q.logged() {
			c.Seq, h.numbers = h.numbers[0], h.numbers[1:]
			if h.logged {
				c.Message.ID = c.Seq
			}
		}
		b.Add(q, c)
	}
}
