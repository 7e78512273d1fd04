package broker

import (
	"math"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/queue"
)

// QueueStats is a moment of a queue. Bytes are those of messages with their names and properties,
// where RabbitMQ counts bodies alone.
type QueueStats struct {
	Ready, Unacked, Consumers, Bytes int
	// Published counts messages that came, dead letters included, Delivered those that went to
	// clients, Acked acknowledgements, Returned messages that a client gave back.
	Published, Delivered, Acked, Returned uint64
	// Messages are the same counts in RabbitMQ's words.
	Messages MessageStats
	// ReadyBytes and UnackedBytes are the parts of Bytes; InMemory and InMemoryBytes are about
	// all messages that are in memory, ReadyInMemory about those of them that are ready.
	ReadyBytes, UnackedBytes, InMemory, InMemoryBytes, ReadyInMemory int
	// Most is the most messages that the queue held at once since the node started.
	Most int
	// HeadTimestamp is what the next message says of when it was made; 0: it says nothing, or is
	// not in memory.
	HeadTimestamp amqp.Timestamp
	// IdleSince is when the queue was seen to do something last; zero: it has done something
	// since somebody looked.
	IdleSince time.Time
	// ConsumerCapacity is the part of the last seconds in which consumers were ready to take what
	// came, from 0 to 1, as far as somebody looked.
	ConsumerCapacity float64
}

// seen is what was seen of a queue when somebody looked last.
type seen struct {
	at       time.Time
	actions  uint64 // sum of what it had done
	idle     time.Time
	capacity float64
}

// Stats returns the queue's counters as of now.
func (q *Queue) Stats() QueueStats {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats()
	c := q.machine.Census()
	s.ReadyBytes, s.UnackedBytes = c.ReadyBytes, s.Bytes-c.ReadyBytes
	s.InMemory, s.ReadyInMemory = s.Unacked+c.ReadyInMemory, c.ReadyInMemory
	s.InMemoryBytes = s.UnackedBytes + c.ReadyBytesInMemory
	s.Messages = MessageStats{Publish: q.published}
	q.delivered.addTo(&s.Messages)
	s.Messages.Ack = q.acked
	if head := q.machine.Head(); head != nil {
		at, _ := head.Properties().Timestamp()
		s.HeadTimestamp = amqp.Timestamp(at)
	}
	q.look(now, &s)
	return s
}

// stats returns what is known without a closer look; the lock is held.
func (q *Queue) stats() QueueStats {
	d := &q.delivered
	return QueueStats{
		Ready: q.machine.Ready(), Unacked: q.machine.UnackedCount(),
		Consumers: q.machine.ConsumerCount(), Bytes: q.machine.Bytes(),
		Published: q.published, Delivered: d.Deliver + d.DeliverNoAck + d.Get + d.GetNoAck,
		Acked: q.acked, Returned: q.returned, Most: q.most,
	}
}

// capacitySpan is how far back ConsumerCapacity looks.
const capacitySpan = 10 * time.Second

// look notes what is seen of the queue now, compared with what was seen before; the lock is held.
func (q *Queue) look(now time.Time, s *QueueStats) {
	l := &q.seen
	actions := s.Published + s.Delivered + s.Acked + s.Returned + s.Messages.GetEmpty
	if l.at.IsZero() || actions != l.actions {
		l.idle, l.actions = now, actions
	} else {
		s.IdleSince = l.idle
	}
	capacity := 0.0
	if s.Consumers > 0 && (s.Ready == 0 || q.machine.Idles()) {
		capacity = 1
	}
	if s.Consumers == 0 {
		l.capacity = 0
	} else { // the longer ago the last look, the less it counts
		old := 0.0
		if !l.at.IsZero() {
			old = math.Exp(-float64(now.Sub(l.at)) / float64(capacitySpan))
		}
		l.capacity = old*l.capacity + (1-old)*capacity
	}
	l.at = now
	s.ConsumerCapacity = l.capacity
}

// gave counts messages that went to c, with so many effects; the lock is held.
func (q *Queue) gave(c *queue.Consumer, delivered uint64, effects int) {
	if delivered > 0 {
		q.delivered.Delivered(c.IsGet(), c.NoAck, delivered)
	} else if c.IsGet() {
		q.delivered.GetEmpty += uint64(effects)
	}
}

// counted notes how long the queue has become, and what has died in it; the lock is held.
func (q *Queue) counted() {
	if n := q.machine.Ready() + q.machine.UnackedCount(); n > q.most {
		q.most = n
	}
	if !q.machine.Plain() {
		q.vhost.m.countDead(q)
	}
}
