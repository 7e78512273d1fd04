package queue

// None is the value of a limit in Settings that is not set.
const None = -1

// Settings are what a queue does besides keeping messages in order. The zero value is not plain:
// its limits are 0; see Plain.
type Settings struct {
	// MessageTTL is how long a message lives, in ms.
	MessageTTL int64
	// Expires is how long the queue may be unused before it ends, in ms.
	Expires int64
	// MaxLength is how many messages may be ready, MaxBytes how many bytes their bodies may have
	// together.
	MaxLength, MaxBytes int64
	// DeliveryLimit is how often a message may return.
	DeliveryLimit int64
	// ConsumerTimeout is how long a consumer may hold a message, in ms.
	ConsumerTimeout int64
	// Overflow says what happens at MaxLength or MaxBytes.
	Overflow Overflow
	// DeadLetters says what becomes of messages that the queue drops.
	DeadLetters DeadLetters
	// MaxPriority is the highest priority of a message; 0: first in, first out.
	MaxPriority uint8
	// SingleActive: only one consumer gets messages, the others wait until it is gone.
	SingleActive bool
	// CountsDeliveries: whoever performs a Deliver tells the consumer its DeliveryCount. To the
	// queue itself it makes no difference.
	CountsDeliveries bool
}

// Overflow says what a queue at its limit does with one more message.
type Overflow uint8

// What can be done at a limit.
const (
	// DropHead drops messages from the head.
	DropHead Overflow = iota
	// RejectPublish refuses the message.
	RejectPublish
	// RejectPublishDeadLetter refuses the message, and makes a dead letter of it.
	RejectPublishDeadLetter
)

// DeadLetters says what becomes of a message that expires, is rejected, is dropped at a limit or
// returns too often.
type DeadLetters uint8

// What can become of such a message.
const (
	// NoDeadLetters: it is settled.
	NoDeadLetters DeadLetters = iota
	// AtMostOnce: it is handed over as Dead, and is the queue's no more.
	AtMostOnce
	// AtLeastOnce: it is told as Dead, and stays until a DeadDone.
	AtLeastOnce
)

// Reason is why a message is dead.
type Reason uint8

// The reasons there are.
const (
	// Expired: it has lived for its time.
	Expired Reason = iota + 1
	// MaxLen: the queue is at a limit.
	MaxLen
	// Rejected: a consumer discarded it.
	Rejected
	// DeliveryLimit: it returned too often.
	DeliveryLimit
	// Reasons is how many there are, and none.
	Reasons
)

// Plain returns the settings of a queue that only keeps messages in order.
func Plain() Settings {
	return Settings{
		MessageTTL: None, Expires: None, MaxLength: None, MaxBytes: None, DeliveryLimit: None,
		ConsumerTimeout: None,
	}
}
