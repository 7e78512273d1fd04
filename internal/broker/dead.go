package broker

import (
	"fmt"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/deadletter"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// deadMax is the number of messages that die before a batch sends them on: one queue cannot make
// it collect without bound.
const deadMax = 1024

// deadTicket marks the tickets of dead letters that must arrive; those below are the door's.
const deadTicket = 1 << 31

// reasons are how dead letters call them.
var reasons = [...]string{
	queue.Expired: "expired", queue.MaxLen: "maxlen", queue.Rejected: "rejected",
	queue.DeliveryLimit: "delivery_limit",
}

// dead is a message that a queue let go unread. The batch holds it.
type dead struct {
	queue   *Queue
	message message.Message
	seq     uint64
	reason  queue.Reason
	stored  bool
	kept    bool
	failed  bool     // not everybody took it who should
	to      []*Queue // of a kept one that some of several may refuse: where it was sent
}

// die collects a message that q let go; its lock is held.
func (b *Batch) die(q *Queue, e *queue.Effect) {
	kept := e.Kept()
	if kept {
		e.Message.Hold(1)
	}
	b.morgue.dead = append(b.morgue.dead, dead{
		queue: q, message: e.Message, seq: e.Seq, reason: e.Reason, stored: e.Stored, kept: kept,
	})
}

// send publishes one dead letter. The original leaves the log after the letter has come there: what
// a crash takes, it takes from the end, so that one of the two is always left.
func (b *Batch) send(i uint32) {
	d := &b.morgue.sending[i]
	letter, route, err := b.write(d)
	if err == nil && b.m.tracer != nil {
		b.traceDead(d, &letter)
	}
	switch {
	case err != nil:
		d.failed = true
		b.morgue.lose(d, err)
	case d.kept:
		b.sendKept(i, route, letter)
	case route.Err != nil || !route.Takes():
		letter.Release()
	case b.Publish(route, letter) == Never:
		return // the store has the original, and will have it when the node starts again
	}
	b.settleDead(d)
}

// write makes the letter of a dead message, and finds where it goes.
func (b *Batch) write(d *dead) (message.Message, *Route, error) {
	settings := d.queue.settings()
	death := deadletter.Death{
		Queue: d.queue.Name(), Reason: reasons[d.reason], At: amqp.Timestamp(b.now() / 1000),
		Exchange: settings.DeadLetterExchange, Key: settings.DeadLetterKey,
		HasKey: settings.HasDeadLetterKey,
	}
	letter, err := b.morgue.letters.Write(&b.morgue.arena, &d.message, &death)
	if err != nil {
		return letter, nil, err
	}
	if size := letter.Size() + message.HeadMax; size > store.MessageBytesMax {
		letter.Release()
		return letter, nil, fmt.Errorf("letter of %d bytes, at most %d", size,
			store.MessageBytesMax)
	}
	return letter, b.morgue.routes.route(d, &letter, death.Reason, settings), nil
}

// settleDead tells the store that a message is gone that its queue does not keep.
func (b *Batch) settleDead(d *dead) {
	if !d.kept && d.stored {
		b.settle(d.queue, d.seq, d.seq)
	}
}

// deadRoutes finds where dead letters go. It remembers the last way.
type deadRoutes struct {
	cache RouteCache
	union union               // when a letter has several keys, or must not come to a queue again
	past  map[string]struct{} // names of queues where the letter must not come to again

	vhost    *VHost // of what was found last; nil: nothing was
	exchange []byte
	key      []byte
	found    *Route
}

// route returns where a letter goes. No permission is asked: who declared the queue had it. It is
// valid until the next call.
func (r *deadRoutes) route(
	d *dead, letter *message.Message, reason string, s *definition.Effective,
) *Route {
	v := d.queue.vhost
	exchange, key, props := letter.Exchange(), letter.RoutingKey(), letter.Properties()
	if r.vhost != v || string(r.exchange) != string(exchange) || string(r.key) != string(key) ||
		!r.found.current() {
		r.vhost = v
		r.exchange, r.key = append(r.exchange[:0], exchange...), append(r.key[:0], key...)
		r.find(v, exchange, key, props)
	}
	headers := props.Headers()
	copies := false
	if !s.HasDeadLetterKey {
		deadletter.EachKey(headers, func([]byte) { copies = true })
	}
	anyKey := false
	if copies {
		copies, anyKey = v.regardsKeys(exchange)
		copies = !copies
	}
	r.look(d, headers, reason, copies)
	if !copies && !r.cycles() {
		return r.found
	}
	r.union.begin()
	r.addAll()
	if copies {
		searched := 0
		deadletter.EachKey(headers, func(key []byte) {
			searched++
			if r.union.visited > unionQueuesMax ||
				anyKey && (r.cache.routing.Alone() || searched > unionHeadersMax) {
				return // it leads nowhere else, or is too much
			}
			r.find(v, exchange, key, props)
			r.addAll()
		})
		r.vhost = nil
	}
	if r.union.route.check() != nil {
		r.union.begin() // it goes nowhere
	}
	return &r.union.route
}

// find asks for one key. Publishers may not send to an internal exchange; letters may.
func (r *deadRoutes) find(v *VHost, exchange, key []byte, props amqp.RawProperties) {
	r.cache.inside = true
	r.found = r.cache.find(v, exchange, key, props)
}

// pastKept is the number of queues where a letter died up to which their room is kept.
const pastKept = 64

// look reads where a letter has died and must not come to again: all that at once, since both these
// queues and those that it may go to can be many. Most letters go to one queue.
func (r *deadRoutes) look(d *dead, headers amqp.Table, reason string, copies bool) {
	if len(r.past) > pastKept {
		r.past = nil
	}
	clear(r.past)
	one, first := !copies && len(r.found.queues) == 1, !deadletter.HasDied(&d.message)
	switch {
	case one && first && r.found.queues[0] != d.queue:
		return
	case first:
		r.lookFor(d.queue.Name(), headers, reason)
		return
	case one:
		r.lookFor(r.found.queues[0].Name(), headers, reason)
		return
	}
	deadletter.EachCycle(headers, reason, func(queue []byte) bool {
		if _, known := r.past[string(queue)]; !known {
			r.died(string(queue))
		}
		return true
	})
}

// lookFor is look when it is about one queue at most.
func (r *deadRoutes) lookFor(queue string, headers amqp.Table, reason string) {
	if deadletter.Cycles(headers, reason, queue) {
		r.died(queue)
	}
}

func (r *deadRoutes) died(queue string) {
	if r.past == nil {
		r.past = make(map[string]struct{})
	}
	r.past[queue] = struct{}{}
}

// addAll adds what was found, but for the queues that a letter must not come to again. Those that
// are too many for any message it leaves out.
func (r *deadRoutes) addAll() {
	if r.union.visited += len(r.found.queues); r.union.visited > unionQueuesMax {
		return
	}
	r.union.route.keeps = r.union.route.keeps.with(r.found.keeps)
	for _, q := range r.found.queues {
		if _, died := r.past[q.Name()]; !died {
			r.union.addQueue(q)
		}
	}
}

func (r *deadRoutes) cycles() bool {
	for _, q := range r.found.queues {
		if _, died := r.past[q.Name()]; died {
			return true
		}
	}
	return false
}
