package broker

import (

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/deadletter"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
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
	failed  bool // no queue took it
}

// morgue is what a Batch needs to send dead messages on.
type morgue struct {
	dead    []dead
	sending []dead
	busy    bool
	letters deadletter.Writer
	arena   message.Arena
	routes  deadRoutes
	// rejected says which of those that are being sent a queue refused.
	rejected []uint32
	// unfinished are queues that have more to do once what died so far has been sent on.
	unfinished []*Queue
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

// bury sends on what died, and what dies of that, until nothing more does. That ends: a message
// that comes to a queue where it died before without a client's doing goes no further.
func (b *Batch) bury() {
	g := &b.morgue
	if g.busy {
		return // whoever is at it goes on with what has come
	}
	g.busy = true
	for len(g.dead) > 0 || len(g.unfinished) > 0 {
		g.sending, g.dead = g.dead, g.sending[:0]
		for i := range g.sending {
			b.send(uint32(i))
		}
		b.applyPending()
		b.sendOut()
		b.release()
		unfinished := g.unfinished
		g.unfinished = nil
		for _, q := range unfinished {
			b.apply(q, nil)
		}
		b.sendOut()
	}
	g.busy = false
}

// send publishes one dead letter. The original leaves the log after the letter has come there: what
// a crash takes, it takes from the end, so that one of the two is always left.
func (b *Batch) send(i uint32) {
	d := &b.morgue.sending[i]
	settings := d.queue.settings()
	death := deadletter.Death{
		Queue: d.queue.Name(), Reason: reasons[d.reason], At: amqp.Timestamp(b.now() / 1000),
		Exchange: settings.DeadLetterExchange, Key: settings.DeadLetterKey,
		HasKey: settings.HasDeadLetterKey,
	}
	letter, err := b.morgue.letters.Write(&b.morgue.arena, &d.message, &death)
	switch {
	case err != nil:
		b.m.log.Error("dead letter", "vhost", d.queue.VHostName(), "queue", d.queue.Name(),
			"error", err)
		d.failed = true
	default:
		b.sendLetter(i, letter, &death, settings)
	}
	if !d.kept && d.stored {
		b.settle(d.queue, d.seq, d.seq)
	}
}

// sendLetter takes over the caller's hold of the letter.
func (b *Batch) sendLetter(
	i uint32, letter message.Message, death *deadletter.Death, settings *definition.Effective,
) {
	d := &b.morgue.sending[i]
	route := b.morgue.routes.route(d, &letter, death.Reason, settings)
	switch {
	case route.Err != nil || !route.Takes():
		letter.Release()
		d.failed = true
	case d.kept:
		b.PublishFor(route, letter, deadTicket|i)
	default:
		b.Publish(route, letter)
	}
}

// release lets go of the originals, or tells their queue what became of them.
func (b *Batch) release() {
	g := &b.morgue
	for _, i := range g.rejected {
		g.sending[i].failed = true
	}
	g.rejected = g.rejected[:0]
	for i := range g.sending {
		d := &g.sending[i]
		b.releases.Add(&d.message)
		switch {
		case !d.kept:
		case d.failed:
			b.Add(d.queue, queue.Command{Kind: queue.DeadFailed, Seq: d.seq})
		default:
			b.Add(d.queue, queue.Command{Kind: queue.DeadDone, Seq: d.seq})
		}
	}
	clear(g.sending)
	b.releases.Flush()
	b.applyPending()
	b.sendOut()
}

// deadRoutes finds where dead letters go. It remembers the last way.
type deadRoutes struct {
	cache RouteCache
	union union // when a letter has several keys, or must not come to a queue again

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
	if !copies && !r.cycles(d, headers, reason) {
		return r.found
	}
	r.union.begin()
	r.addAll(headers, reason)
	if copies {
		deadletter.EachKey(headers, func(key []byte) {
			r.find(v, exchange, key, props)
			r.addAll(headers, reason)
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

// addAll adds what was found, but for the queues that a letter must not come to again.
func (r *deadRoutes) addAll(headers amqp.Table, reason string) {
	r.union.route.keeps = r.union.route.keeps.with(r.found.keeps)
	for _, q := range r.found.queues {
		if !deadletter.Cycles(headers, reason, q.Name()) {
			r.union.addQueue(q)
		}
	}
}

// cycles reports whether a queue that was found must not get the letter. Of a message that dies for
// the first time it can only be the one it died in.
func (r *deadRoutes) cycles(d *dead, headers amqp.Table, reason string) bool {
	again := deadletter.HasDied(&d.message)
	for _, q := range r.found.queues {
		if (again || q == d.queue) && deadletter.Cycles(headers, reason, q.Name()) {
			return true
		}
	}
	return false
}
