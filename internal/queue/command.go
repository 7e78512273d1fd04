package queue

import "github.com/warrenmq/warren/internal/message"

// Kind says what a Command asks for.
type Kind uint8

// The complete list of what can happen to a queue.
const (
	// Enqueue adds Message, of which the queue gets a hold. Seq is its number, which no message of
	// the queue had before; 0: the queue gives it the next one. All messages of a queue are
	// numbered the one way or the other. A number that comes after greater ones takes its place
	// in their order.
	Enqueue Kind = iota + 1
	// Subscribe adds Consumer; it is answered by Subscribed or Refused.
	Subscribe
	// Cancel removes Consumer; what it holds unacknowledged stays with its channel. It also
	// withdraws a Get of Consumer that has no answer yet.
	Cancel
	// Get hands the head of the queue to Consumer, which is not a subscriber; it is answered
	// by Deliver, Empty or Unavailable: at once, or after a LoadDone when the head is not in
	// memory. Consumer has no other Get without an answer.
	Get
	// Ack settles the message at Seq: it is gone.
	Ack
	// Return puts the unacknowledged message at Seq back to its original place.
	Return
	// Discard settles the message at Seq as rejected: it is gone, or dead.
	Discard
	// Purge drops every ready message; it is answered by Purged.
	Purge
	// Resume offers messages again to Consumer, whose gate had refused one.
	Resume
	// Delete ends the queue: consumers are told, every later command is without effect.
	Delete
	// LoadDone answers a Load with what was read: Loaded.
	LoadDone
	// LoadFailed answers the Load from Seq on: it could not be read. The queue asks for nothing
	// more until a Retry.
	LoadFailed
	// Spilled answers a run of Spill that begins with Seq: the store has all of it.
	Spilled
	// SpillFailed answers a run of Spill that begins with Seq: the store does not have all of
	// it. The messages stay in memory; the queue spills nothing more until a Retry.
	SpillFailed
	// Retry lets a queue load and spill again after it has been told of a failure.
	Retry
	// Touch tells that the queue was declared again, or looked at: it was used. So does a Get, and
	// the Cancel of its last consumer.
	Touch
	// DeadDone answers the Dead of the message at Seq, which is Kept: the dead letter is where it
	// belongs. The message is gone, and Settled if the store has it.
	DeadDone
	// DeadFailed answers it too: nobody took the dead letter. The queue tells Dead again after 5 s.
	DeadFailed
)

// Command is one thing that happens to a queue. Which fields count depends on Kind.
type Command struct {
	Kind Kind
	// Ticket names an Enqueue in the RefusedPublish that may follow; 0: nobody waits for it.
	Ticket uint32
	// Consumer of an Ack, Discard or Return, if it is not nil, is who must hold the message:
	// held by another it stays where it is.
	Consumer *Consumer
	Seq      uint64
	Message  message.Message
	Loaded   *Loaded
}

// Loaded is what the store has of the numbers of a Load. The queue keeps nothing of it but the
// messages.
type Loaded struct {
	// From is the Seq of the Load.
	From uint64
	// Next is the number to go on from: everything in the store from From up to it has been
	// read. It is greater than From and at most the Last of the Load plus 1.
	Next uint64
	// Messages are in the order of their numbers.
	Messages []Numbered
}

// Numbered is a message with its number.
type Numbered struct {
	Seq     uint64
	Message message.Message
	// At is when the message came, in ms since 1970; 0: it never expires.
	At int64
}

// EffectKind says what an Effect wants done.
type EffectKind uint8

// What a queue can want of the world.
const (
	// Deliver sends Message to Consumer; Seq names it in the later Ack, Return or Discard,
	// unless the consumer takes messages without acknowledgement. Ready is the number of
	// messages that remain ready. Whoever performs the effect gets the queue's hold of the
	// message if the consumer is NoAck; else the queue keeps it, at least until the next Apply.
	Deliver EffectKind = iota + 1
	// Empty answers a Get on a queue with nothing ready.
	Empty
	// Unavailable answers a Get when the head of the queue could not be loaded.
	Unavailable
	// Subscribed answers a Subscribe.
	Subscribed
	// Refused answers a Subscribe that another consumer's exclusive access forbids.
	Refused
	// Settled tells that the messages Seq to Last left the queue for ever: acknowledged,
	// discarded, dropped, delivered to a consumer without acknowledgement, or purged. It appears
	// only for messages that the store has, logged or spilled, and not when the queue ends. Each
	// number of the range is such a message or one that the store does not have. It stands where
	// the first of the messages left, so that it may come before the Deliver of another of them.
	Settled
	// Purged answers a Purge; Ready is the number of messages dropped. Some of them may be
	// told as Settled later.
	Purged
	// Cancelled tells Consumer that its queue is gone.
	Cancelled
	// Unused tells that the last consumer left.
	Unused
	// Load asks for the messages Seq to Last, which the store has, as many of the first of
	// them as LoadBytes allow; it is answered by LoadDone or LoadFailed. There is one at
	// a time; after a Purge there may be another before the answer, which then counts no more.
	Load
	// Spill asks the store to keep Message, number Seq, which is not logged. All Spill of one
	// Apply are one run, in the order of their numbers, answered together by Spilled or
	// SpillFailed. There is one run at a time.
	Spill
	// Dead tells that Message, number Seq, is dead for Reason; Stored: the store has it. If the
	// message is not Kept, whoever performs the effect gets the queue's hold, and has to settle Seq
	// in the store, if it is Stored, once the dead letter is where it belongs: the queue tells no
	// Settled. If it is Kept, the message and its hold are the queue's at least until the next
	// Apply, and it is not ready any more; the effect is answered by DeadDone or DeadFailed.
	Dead
	// RefusedPublish tells that the message of an Enqueue, its Ticket and number Seq, was not
	// taken. The queue has let go of it, and tells Settled if the store has it, unless it tells
	// Dead of it.
	RefusedPublish
	// Wake asks for an Apply at the time At, or soon after it. It is earlier than all before it
	// whose time has not come; those are not taken back, and do no harm.
	Wake
	// Ended tells that the queue was unused for as long as it may be: nobody subscribed, no Get and
	// no Touch. The queue works on until a Delete.
	Ended
	// TimedOut tells Consumer that it held a message for too long. It is cancelled; all that it
	// held returns.
	TimedOut
)

// Effect is one thing a queue wants done, in order. Effects of one queue must be performed in
// the order in which they came out.
type Effect struct {
	Kind        EffectKind
	Redelivered bool
	// Reason and Stored are about a Dead; so is DeliveryCount.
	Reason Reason
	Stored bool
	// DeliveryCount of a Deliver is how often the message had come back before.
	DeliveryCount uint32
	Consumer      *Consumer
	Seq           uint64
	// Ready counts messages: see Deliver and Purged. Of a range of numbers it is the length.
	Ready   int
	Message message.Message
}

// rangeEffect returns an effect about the numbers first to last.
func rangeEffect(kind EffectKind, first, last uint64) Effect {
	return Effect{Kind: kind, Seq: first, Ready: int(last - first + 1)}
}

// Last returns the last number of an effect about a range: Settled and Load.
func (e *Effect) Last() uint64 { return e.Seq + uint64(e.Ready) - 1 }

// Ticket returns the Ticket of the Enqueue that a RefusedPublish is about.
func (e *Effect) Ticket() uint32 { return e.DeliveryCount }

// At returns the time of a Wake, or when the message of a Spill came, in ms since 1970; of a
// message that never expires it is 0.
func (e *Effect) At() int64 { return int64(e.Ready)<<32 | int64(e.DeliveryCount) }

// Kept reports whether the message of a Dead stays with the queue until a DeadDone.
func (e *Effect) Kept() bool { return e.Ready != 0 }

// setAt is the other way round.
func (e *Effect) setAt(at int64) { e.Ready, e.DeliveryCount = int(at>>32), uint32(at) }
