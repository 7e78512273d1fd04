// Package queue is the queue of warren: a pure machine that takes commands and returns
// effects. It keeps order, hands messages to consumers in turn, holds what is unacknowledged
// and puts back what returns.
//
// Floor 2, pure: it does no IO, reads no clock, takes no lock and starts nothing. Whoever
// drives it (the broker, a test, later a Raft group) calls Apply with a batch of commands, one
// caller at a time, and performs the effects in their order:
//
//	for more := true; more; commands = nil {
//		effects, more = q.Apply(commands, effects[:0])
//		perform(effects)
//	}
package queue

import (
	"fmt"
	"slices"

	"github.com/warrenmq/warren/internal/message"
)

// DeliveriesMax is the number of deliveries after which one Apply stops and says that there is
// more to do, so that a long queue meeting a fast consumer neither collects effects without
// bound nor keeps others out.
const DeliveriesMax = 256

// deliveryBytesMax is the same limit in bytes.
const deliveryBytesMax = 256 << 10

// Queue is a first-in, first-out queue. Its messages have sequence numbers; a message that
// returns goes back to the place its number gives it. The zero Queue is empty and ready.
// It is not safe for concurrent use.
type Queue struct {
	slots    slots
	returned heap   // ready messages that were delivered before: all below cursor
	cursor   uint64 // every message from here to the tail is there and ready
	tail     uint64 // sequence number of the next message
	ready    int
	unacked  int
	bytes    int // of ready and unacknowledged messages

	consumers []*Consumer // in order of subscription
	waiting   ring        // those that can take a message, in turn
	exclusive bool
	deleted   bool
}

// Ready returns the number of messages ready for delivery.
func (q *Queue) Ready() int { return q.ready }

// UnackedCount returns the number of messages delivered and not yet acknowledged.
func (q *Queue) UnackedCount() int { return q.unacked }

// Bytes returns the size of all messages the queue holds.
func (q *Queue) Bytes() int { return q.bytes }

// ConsumerCount returns the number of subscribed consumers.
func (q *Queue) ConsumerCount() int { return len(q.consumers) }

// Deleted reports whether the queue has ended.
func (q *Queue) Deleted() bool { return q.deleted }

// Apply carries out commands in their order and appends what follows from them to effects.
// When more is true the queue could deliver further: perform the effects and call Apply again,
// with or without commands.
func (q *Queue) Apply(commands []Command, effects []Effect) (out []Effect, more bool) {
	for i := range commands {
		if q.deleted {
			break
		}
		effects = q.apply(&commands[i], effects)
	}
	return q.dispatch(effects)
}

func (q *Queue) apply(c *Command, effects []Effect) []Effect {
	switch c.Kind {
	case Enqueue:
		return q.enqueue(&c.Message, effects)
	case Ack, Discard:
		return q.settle(c, effects)
	case Return:
		q.putBack(c)
	case Get:
		return q.get(c.Consumer, effects)
	case Subscribe:
		return q.subscribe(c.Consumer, effects)
	case Cancel:
		return q.cancel(c.Consumer, effects)
	case Resume:
		q.wait(c.Consumer)
	case Purge:
		return q.purge(effects)
	case Delete:
		return q.end(effects)
	}
	return effects
}

// enqueue takes the short way when nothing is ahead of the message and a consumer that needs
// no acknowledgement waits: the message is never stored.
func (q *Queue) enqueue(m *message.Message, effects []Effect) []Effect {
	if q.ready == 0 {
		if c := q.pick(m.Size()); c != nil {
			if c.NoAck {
				return append(effects, Effect{Kind: Deliver, Consumer: c, Message: *m})
			}
			s := q.store(m)
			q.cursor = q.tail
			q.hand(s, c)
			return append(effects,
				Effect{Kind: Deliver, Consumer: c, Seq: q.tail - 1, Message: *m})
		}
	}
	q.store(m).state = slotReady
	q.ready++
	return effects
}

// store gives the message the next sequence number.
func (q *Queue) store(m *message.Message) *slot {
	s := q.slots.add(q.tail)
	s.message = *m
	q.tail++
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

// head returns the first ready message and its sequence number; there is one.
func (q *Queue) head() (uint64, *slot) {
	seq := q.cursor
	if len(q.returned) > 0 {
		seq = q.returned[0]
	}
	s := q.slots.at(seq)
	if s == nil || s.state != slotReady {
		panic(fmt.Sprintf("queue: %d messages ready, %d of them returned, but not message %d",
			q.ready, len(q.returned), seq))
	}
	return seq, s
}

// leave takes the message that head returned from the ready ones.
func (q *Queue) leave() {
	if len(q.returned) > 0 {
		q.returned.pop()
	} else {
		q.cursor++
	}
	q.ready--
}

// take gives the message that head returned to c.
func (q *Queue) take(seq uint64, s *slot, c *Consumer) Effect {
	q.leave()
	e := Effect{
		Kind: Deliver, Consumer: c, Seq: seq, Ready: q.ready,
		Redelivered: s.redelivered, Message: s.message,
	}
	if c.NoAck {
		q.forget(seq, s)
	} else {
		q.hand(s, c)
	}
	return e
}

// forget removes a message that is neither ready nor unacknowledged any more.
func (q *Queue) forget(seq uint64, s *slot) {
	q.bytes -= s.message.Size()
	q.slots.remove(seq)
}

// dispatch delivers as long as there are ready messages and consumers that can take them.
func (q *Queue) dispatch(effects []Effect) (out []Effect, more bool) {
	delivered, size := 0, 0
	for q.ready > 0 && q.waiting.len() > 0 {
		if delivered == DeliveriesMax || size >= deliveryBytesMax {
			return effects, true
		}
		seq, s := q.head()
		bytes := s.message.Size()
		c := q.pick(bytes)
		if c == nil {
			break
		}
		effects = append(effects, q.take(seq, s, c))
		delivered++
		size += bytes
	}
	return effects, false
}

// pick returns the consumer whose turn it is to take a message of the given size, and moves it
// to the end of the turn; nil when none can. A consumer that cannot leaves the turn until an
// acknowledgement or a Resume brings it back.
func (q *Queue) pick(size int) *Consumer {
	for q.waiting.len() > 0 {
		c := q.waiting.pop()
		if c.subscribed && c.hasCredit() && (c.Gate == nil || c.Gate.Admit(size)) {
			q.waiting.push(c)
			return c
		}
		c.waiting = false
	}
	return nil
}

// wait puts c into the turn, if it is not there and could take a message.
func (q *Queue) wait(c *Consumer) {
	if c.subscribed && !c.waiting && c.hasCredit() {
		c.waiting = true
		q.waiting.push(c)
	}
}

func (q *Queue) settle(c *Command, effects []Effect) []Effect {
	s := q.slots.at(c.Seq)
	if s == nil || s.state != slotUnacked {
		return effects
	}
	q.release(s)
	if s.message.ID != 0 {
		effects = append(effects, Effect{Kind: Settled, Message: s.message})
	}
	q.forget(c.Seq, s)
	return effects
}

// release takes an unacknowledged message from its holder.
func (q *Queue) release(s *slot) {
	holder := s.holder
	s.holder = nil
	holder.unacked--
	q.unacked--
	q.wait(holder)
}

func (q *Queue) putBack(c *Command) {
	s := q.slots.at(c.Seq)
	if s == nil || s.state != slotUnacked {
		return
	}
	q.release(s)
	s.state = slotReady
	s.redelivered = true
	q.returned.push(c.Seq)
	q.ready++
}

func (q *Queue) get(c *Consumer, effects []Effect) []Effect {
	if q.ready == 0 {
		return append(effects, Effect{Kind: Empty, Consumer: c})
	}
	seq, s := q.head()
	return append(effects, q.take(seq, s, c))
}

func (q *Queue) subscribe(c *Consumer, effects []Effect) []Effect {
	if q.exclusive || c.Exclusive && len(q.consumers) > 0 {
		return append(effects, Effect{Kind: Refused, Consumer: c})
	}
	q.exclusive = c.Exclusive
	q.consumers = append(q.consumers, c)
	c.subscribed = true
	q.wait(c)
	return append(effects, Effect{Kind: Subscribed, Consumer: c})
}

func (q *Queue) cancel(c *Consumer, effects []Effect) []Effect {
	at := slices.Index(q.consumers, c)
	if at < 0 {
		return effects
	}
	c.subscribed = false
	q.consumers = slices.Delete(q.consumers, at, at+1)
	q.waiting.remove(c)
	c.waiting = false
	if c.Exclusive {
		q.exclusive = false
	}
	if len(q.consumers) == 0 {
		effects = append(effects, Effect{Kind: Unused})
	}
	return effects
}

// purge drops the ready messages; unacknowledged ones stay.
func (q *Queue) purge(effects []Effect) []Effect {
	dropped := q.ready
	for q.ready > 0 {
		seq, s := q.head()
		q.leave()
		if s.message.ID != 0 {
			effects = append(effects, Effect{Kind: Settled, Message: s.message})
		}
		q.forget(seq, s)
	}
	return append(effects, Effect{Kind: Purged, Ready: dropped})
}

// end tells the consumers and drops everything. Nothing is reported as settled: the queue's
// end settles all of it at once.
func (q *Queue) end(effects []Effect) []Effect {
	for _, c := range q.consumers {
		c.subscribed, c.waiting, c.unacked = false, false, 0
		effects = append(effects, Effect{Kind: Cancelled, Consumer: c})
	}
	*q = Queue{deleted: true}
	return effects
}
