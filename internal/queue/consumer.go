package queue

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
	// Tag is the consumer's name on its channel; who asks for a Get has none.
	Tag string
	// Prefetch is how many messages the consumer may hold unacknowledged; 0: no limit.
	Prefetch int
	// NoAck: a message counts as acknowledged as soon as it is sent.
	NoAck bool
	// Exclusive: no other consumer may subscribe as long as this one is there.
	Exclusive bool
	// Priority: as long as one of a higher priority can take messages, others get none.
	Priority int
	// Timeout is how long the consumer may hold a message, in ms; 0: what the queue says.
	Timeout int64
	// Gate may hold deliveries back; nil admits everything.
	Gate Gate
	// Owner is whatever the door needs to find itself again; the queue never looks at it.
	Owner any

	unacked    int
	subscribed bool
	active     bool      // subscribed, and may take messages: see SingleActive
	waiting    bool      // in the ring of consumers that can take a message
	watched    bool      // it may be late
	holdings   []holding // of a consumer with a timeout, oldest first, some of them past
}

// Unacked returns how many deliveries the consumer holds unacknowledged. Only valid under
// the lock that guards the queue.
func (c *Consumer) Unacked() int { return c.unacked }

// IsGet reports whether the consumer is no subscription, but asks for a Get: it has no tag.
func (c *Consumer) IsGet() bool { return c.Tag == "" }

// Active reports whether the consumer is subscribed and may get messages. Only valid under the
// lock that guards the queue.
func (c *Consumer) Active() bool { return c.active }

func (c *Consumer) hasCredit() bool { return c.Prefetch == 0 || c.unacked < c.Prefetch }
