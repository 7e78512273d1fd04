package queue

import "github.com/warrenmq/warren/internal/message"

// Kind says what a Command asks for.
type Kind uint8

// The complete list of what can happen to a queue.
const (
	// Enqueue adds Message at the tail.
	Enqueue Kind = iota + 1
	// Subscribe adds Consumer; it is answered by Subscribed or Refused.
	Subscribe
	// Cancel removes Consumer; what it holds unacknowledged stays with its channel.
	Cancel
	// Get hands the head of the queue to Consumer, which is not a subscriber; it is answered
	// by Deliver or Empty.
	Get
	// Ack settles the message at Seq: it is gone.
	Ack
	// Return puts the unacknowledged message at Seq back to its original place.
	Return
	// Discard settles the message at Seq as rejected: it is gone.
	Discard
	// Purge drops every ready message; it is answered by Purged.
	Purge
	// Resume offers messages again to Consumer, whose gate had refused one.
	Resume
	// Delete ends the queue: consumers are told, every later command is without effect.
	Delete
)

// Command is one thing that happens to a queue. Which fields count depends on Kind.
type Command struct {
	Kind     Kind
	Consumer *Consumer
	Seq      uint64
	Message  message.Message
}

// EffectKind says what an Effect wants done.
type EffectKind uint8

// What a queue can want of the world.
const (
	// Deliver sends Message to Consumer; Seq names it in the later Ack, Return or Discard,
	// unless the consumer takes messages without acknowledgement. Ready is the number of
	// messages that remain ready.
	Deliver EffectKind = iota + 1
	// Empty answers a Get on a queue with nothing ready.
	Empty
	// Subscribed answers a Subscribe.
	Subscribed
	// Refused answers a Subscribe that another consumer's exclusive access forbids.
	Refused
	// Settled tells that the message with log identity Message.ID left the queue for ever.
	// It appears only for messages that have such an identity, and neither after a Deliver to
	// a consumer without acknowledgement, which says the same, nor when the queue ends.
	Settled
	// Purged answers a Purge; Ready is the number of messages dropped.
	Purged
	// Cancelled tells Consumer that its queue is gone.
	Cancelled
	// Unused tells that the last consumer left.
	Unused
)

// Effect is one thing a queue wants done, in order. Effects of one queue must be performed in
// the order in which they came out.
type Effect struct {
	Kind        EffectKind
	Redelivered bool
	Consumer    *Consumer
	Seq         uint64
	Ready       int
	Message     message.Message
}

// Gate lets a consumer's owner hold deliveries back.
type Gate interface {
	// Admit is asked once before each delivery of size bytes and reserves it; false holds the
	// consumer back until a Resume, or until one of its own messages is settled or returns,
	// when it is asked again. A Get does not ask. It is called while the queue is locked: it
	// must not block and must not call back.
	Admit(size int) bool
}

// Consumer is one subscription, or who asks for a Get. The fields are set before the first
// command that names it and belong to the queue from then on. It deals with one queue at a time.
type Consumer struct {
	// Tag is the consumer's name on its channel.
	Tag string
	// Prefetch is how many messages the consumer may hold unacknowledged; 0: no limit.
	Prefetch int
	// NoAck: a message counts as acknowledged as soon as it is sent.
	NoAck bool
	// Exclusive: no other consumer may subscribe as long as this one is there.
	Exclusive bool
	// Gate may hold deliveries back; nil admits everything.
	Gate Gate
	// Owner is whatever the door needs to find itself again; the queue never looks at it.
	Owner any

	unacked    int
	subscribed bool
	waiting    bool // in the ring of consumers that can take a message
}

// Unacked returns how many deliveries the consumer holds unacknowledged. Only valid under
// the lock that guards the queue.
func (c *Consumer) Unacked() int { return c.unacked }

func (c *Consumer) hasCredit() bool { return c.Prefetch == 0 || c.unacked < c.Prefetch }
