// Package queue is the queue of warren: a pure machine that takes commands and returns
// effects. It keeps order, hands messages to consumers in turn, holds what is unacknowledged
// and puts back what returns. Of a long queue it keeps the head and the tail in memory; the
// rest it leaves to the store, and asks for it again when somebody wants it. What else a queue
// may do, its Settings say: messages expire, limits hold, dead letters are told.
//
// Floor 2, pure: it does no IO, reads no clock, takes no lock and starts nothing. Whoever
// drives it (the broker, a test, later a Raft group) calls Apply with a batch of commands, one
// caller at a time, and performs the effects in their order:
//
//	for more := true; more; commands = nil {
//		effects, more = q.Apply(now, commands, effects[:0])
//		perform(effects)
//	}
package queue

import (
	"fmt"

	"github.com/warrenmq/warren/internal/message"
)

// DeliveriesMax is the number of deliveries after which one Apply stops and says that there is
// more to do, so that a long queue meeting a fast consumer neither collects effects without
// bound nor keeps others out.
const DeliveriesMax = 256

// deliveryBytesMax is the same limit in bytes.
const deliveryBytesMax = 256 << 10

// Queue is a first-in, first-out queue. Its messages have numbers, from 1 on; a message that
// returns goes back to the place its number gives it. The zero Queue is empty and ready. It is
// not safe for concurrent use.
type Queue struct {
	slots    slots
	returned heap   // ready messages below the cursor: they were delivered before, or came late
	cursor   uint64 // what is in memory from here on is ready, and was never delivered
	newest   uint64 // highest number that came; 0: none
	ready    int    // those that are out included
	unacked  int
	bytes    int // of ready and unacknowledged messages
	resident int // cost of the ready messages in memory

	consumers []*Consumer // in order of subscription
	waiting   ring        // those of one priority that can take a message, in turn
	priority  int         // of those
	ranks     *ranks      // those of other priorities; nil: there are none
	exclusive bool
	deleted   bool
	now       int64    // of this Apply
	special   *special // nil: a plain queue

	settling  int // index in the effects of this Apply of the last Settled, plus 1
	gaps      gaps
	out       out
	paging    paging
	purging   purging
	releases  message.Releases
	compacted uint64 // messages below have been compacted, if they were in memory then
}

// Newest returns the highest number of a message that came, 0 when none did.
func (q *Queue) Newest() uint64 { return q.newest }

// Ready returns the number of messages ready for delivery.
func (q *Queue) Ready() int { return q.ready }

// UnackedCount returns the number of messages delivered and not yet acknowledged.
func (q *Queue) UnackedCount() int { return q.unacked }

// Bytes returns the size of all messages the queue holds, whether in memory or not.
func (q *Queue) Bytes() int { return q.bytes }

// ConsumerCount returns the number of subscribed consumers.
func (q *Queue) ConsumerCount() int { return len(q.consumers) }

// Deleted reports whether the queue has ended.
func (q *Queue) Deleted() bool { return q.deleted }

// Apply carries out commands in their order and appends what follows from them to effects. Now is
// the time in ms since 1970. When more is true the queue could deliver further: perform the effects
// and call Apply again, with or without commands.
func (q *Queue) Apply(now int64, commands []Command, effects []Effect) (
	out []Effect, more bool,
) {
	q.now, q.settling = now, 0
	for i := range commands {
		if q.deleted {
			break
		}
		effects = q.apply(&commands[i], effects)
	}
	if q.special != nil {
		effects, more = q.proceed(effects)
	} else {
		effects, more = q.dispatch(effects)
	}
	q.releases.Flush()
	if q.ready > compactBacklog || q.paging.residentMax > 0 || len(q.out.ranges) > 0 ||
		q.purging.any() {
		return q.tidy(effects, more)
	}
	return effects, more
}

// tidy does what a queue that is short, and in memory, need not do.
func (q *Queue) tidy(effects []Effect, more bool) (out []Effect, moreToDo bool) {
	if q.purging.any() {
		effects = q.purgeSome(effects)
		more = more || q.purging.any()
	}
	if q.resident > q.paging.residentMax && q.paging.residentMax > 0 && !q.hasLevels() {
		var unfinished bool
		effects, unfinished = q.pageOut(effects)
		more = more || unfinished
	}
	if len(q.out.ranges) > 0 {
		effects = q.load(effects)
	}
	q.compact()
	q.releases.Flush()
	return effects, more
}

func (q *Queue) apply(c *Command, effects []Effect) []Effect {
	switch c.Kind {
	case Enqueue:
		return q.enqueue(c, effects)
	case Ack, Discard:
		return q.settle(c, effects)
	case Return:
		return q.putBack(c, effects)
	case Get:
		if q.special != nil {
			q.touch()
			effects, _ = q.dropOver(0, effects)
		}
		return q.get(c.Consumer, effects)
	case Subscribe:
		return q.subscribe(c.Consumer, effects)
	case Cancel:
		return q.cancel(c.Consumer, effects)
	case Resume:
		q.wait(c.Consumer)
	case Purge:
		return q.purge(effects)
	case Touch:
		q.touch()
	case Delete:
		return q.end(effects)
	case DeadDone:
		return q.deadDone(c.Seq, effects)
	case DeadFailed:
		q.deadFailed(c.Seq)
	default:
		return q.applyStore(c, effects)
	}
	return effects
}

// enqueue takes the short way when nothing is ahead of the message and a consumer that needs
// no acknowledgement waits: the message is never kept.
func (q *Queue) enqueue(c *Command, effects []Effect) []Effect {
	m, seq, next := &c.Message, c.Seq, q.newest+1
	if seq == 0 || seq == next {
		seq, q.newest = next, next
	} else {
		q.cameOutOfOrder(seq)
	}
	if q.special != nil || m.MayExpire() {
		return q.enqueueSpecially(seq, c, effects)
	}
	if q.ready == 0 {
		if k := q.pick(m.Size()); k != nil {
			effects = append(effects, Effect{Kind: Deliver, Consumer: k, Seq: seq, Message: *m})
			if !k.NoAck {
				q.cursor = q.newest + 1
				q.hand(q.keep(seq, m), k)
			} else if m.ID != 0 {
				effects = q.settled(seq, effects)
			}
			return effects
		}
	}
	s := q.keep(seq, m)
	s.state = slotReady
	q.ready++
	q.resident += m.Size() + MessageOverhead
	if seq < q.cursor {
		s.late = true
		q.returned.push(seq)
	}
	if len(q.out.ranges) > 0 {
		q.out.came(seq, m.Size()+MessageOverhead)
	}
	return effects
}

// cameOutOfOrder books a number that is not the next one: those between it and the newest are
// missing, or it was missing itself.
func (q *Queue) cameOutOfOrder(seq uint64) {
	if seq > q.newest {
		q.gaps = append(q.gaps, Range{q.newest + 1, seq - 1})
		q.newest = seq
		return
	}
	if q.slots.at(seq) != nil || q.out.touches(seq, seq) {
		panic(fmt.Sprintf("queue: message %d came twice, the newest is %d", seq, q.newest))
	}
	q.gaps.fill(seq)
}

// keep takes the message in; the caller gives the slot a state.
func (q *Queue) keep(seq uint64, m *message.Message) *slot {
	s := q.slots.add(seq)
	s.message = *m
	q.bytes += m.Size()
	return s
}

// hand records that c holds the message in s.
func (q *Queue) hand(s *slot, c *Consumer) {
	s.state = slotUnacked
	s.holder = c
	c.unacked++
	q.unacked++
}

// head returns the first ready message and its number, or nil when it is not in memory; there
// is one.
func (q *Queue) head() (uint64, *slot) {
	if q.hasLevels() {
		return q.headByPriority()
	}
	if len(q.returned) > 0 {
		return q.returned[0], q.slots.at(q.returned[0])
	}
	if s := q.slots.at(q.cursor); s != nil {
		return q.cursor, s
	}
	seq, found := q.slots.next(q.cursor)
	if len(q.out.ranges) > 0 && (!found || q.out.ranges[0].First < seq) {
		return 0, nil
	}
	if !found {
		panic(fmt.Sprintf("queue: %d messages ready, none from %d to %d", q.ready, q.cursor,
			q.newest))
	}
	q.cursor = seq
	return seq, q.slots.at(seq)
}

// leave takes the message that head returned from the ready ones.
func (q *Queue) leave(s *slot) {
	q.ready--
	q.resident -= s.message.Size() + MessageOverhead
	if q.special != nil && q.special.left(s) {
		return
	}
	if len(q.returned) > 0 {
		q.returned.pop()
	} else {
		q.cursor++
	}
}

// take gives the message that head returned to c.
func (q *Queue) take(seq uint64, s *slot, c *Consumer, effects []Effect) []Effect {
	q.leave(s)
	q.paging.took = true
	effects = append(effects, Effect{
		Kind: Deliver, Consumer: c, Seq: seq, Ready: q.ready,
		Redelivered: s.redelivered, DeliveryCount: s.deliveries, Message: s.message,
	})
	if c.NoAck {
		return q.forget(seq, s, effects)
	}
	q.hand(s, c)
	if q.special != nil && q.special.timeout(c) > 0 {
		q.watchOver(seq, s, c)
	}
	return effects
}

// forget removes a message that is neither ready nor unacknowledged any more. Its hold is the
// caller's.
func (q *Queue) forget(seq uint64, s *slot, effects []Effect) []Effect {
	if s.stored() {
		effects = q.settled(seq, effects)
	}
	q.bytes -= s.message.Size()
	q.slots.remove(seq)
	return effects
}

// dispatch delivers as long as there are ready messages in memory and consumers that can take
// them.
func (q *Queue) dispatch(effects []Effect) (out []Effect, more bool) {
	if q.paging.gets.len() > 0 {
		effects = q.answerGets(effects)
	}
	delivered, size := 0, 0
	for q.ready > 0 && q.waiting.len() > 0 {
		if delivered == DeliveriesMax || size >= deliveryBytesMax {
			return effects, true
		}
		seq, s := q.head()
		if s == nil {
			break
		}
		if q.special != nil && q.expired(seq) {
			if q.special.dropped >= deadMax {
				return effects, true
			}
			effects = q.dropHead(seq, s, Expired, effects)
			continue
		}
		bytes := s.message.Size()
		c := q.pick(bytes)
		if c == nil {
			break
		}
		effects = q.take(seq, s, c, effects)
		delivered++
		size += bytes
	}
	return effects, false
}

func (q *Queue) settle(c *Command, effects []Effect) []Effect {
	s := q.slots.at(c.Seq)
	if s == nil || !s.heldBy(c.Consumer) {
		return effects
	}
	q.release(s)
	if c.Kind == Discard && q.special != nil {
		return q.bury(c.Seq, s, Rejected, effects)
	}
	q.releases.Add(&s.message)
	return q.forget(c.Seq, s, effects)
}

// release takes an unacknowledged message from its holder.
func (q *Queue) release(s *slot) {
	holder := s.holder
	s.holder = nil
	holder.unacked--
	q.unacked--
	q.wait(holder)
}

func (q *Queue) putBack(c *Command, effects []Effect) []Effect {
	s := q.slots.at(c.Seq)
	if s == nil || !s.heldBy(c.Consumer) {
		return effects
	}
	return q.giveBack(c.Seq, s, effects)
}

// giveBack returns an unacknowledged message to its place.
func (q *Queue) giveBack(seq uint64, s *slot, effects []Effect) []Effect {
	q.release(s)
	s.redelivered = true
	s.deliveries++
	if q.special != nil && q.special.isLast(s.deliveries) {
		return q.bury(seq, s, DeliveryLimit, effects)
	}
	s.state = slotReady
	q.ready++
	q.resident += s.message.Size() + MessageOverhead
	if q.special != nil {
		q.giveBackSpecially(seq, s)
	} else {
		q.returned.push(seq)
	}
	return effects
}

// end tells the consumers and drops everything. Nothing is reported as settled: the queue's
// end settles all of it at once.
func (q *Queue) end(effects []Effect) []Effect {
	for _, c := range q.consumers {
		c.subscribed, c.active, c.waiting, c.unacked = false, false, false, 0
		effects = append(effects, Effect{Kind: Cancelled, Consumer: c})
	}
	for q.paging.gets.len() > 0 {
		effects = append(effects, Effect{Kind: Empty, Consumer: q.paging.gets.pop()})
	}
	if q.special != nil {
		q.special.watch.end()
	}
	*q = Queue{deleted: true}
	return effects
}
