package broker

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/queue"
)

// QueueType is a type of queues, as far as messages are counted for each by themselves.
type QueueType uint8

// The types.
const (
	ClassicQueue QueueType = iota
	QuorumQueue
	// QueueTypes is how many types there are.
	QueueTypes
)

// String returns the type's name, as a queue is declared with.
func (t QueueType) String() string {
	if t == QuorumQueue {
		return "quorum"
	}
	return "classic"
}

// Type returns the type of the queue.
func (q *Queue) Type() QueueType {
	if q.Definition.Type == "quorum" {
		return QuorumQueue
	}
	return ClassicQueue
}

// Totals are what a protocol has counted on the node. Counts never go back: what is gone stays
// counted. Names are those of RabbitMQ's global counters.
type Totals struct {
	// Protocol is as RabbitMQ labels it: "amqp091".
	Protocol string
	// Received counts messages that clients published, ReceivedConfirm those of them on channels
	// in confirm or transaction mode, Confirmed those that were confirmed; Routed counts a message
	// once for each queue that it was routed to.
	Received, ReceivedConfirm, Confirmed, Routed uint64
	// UnroutableDropped and UnroutableReturned count messages that went to no queue.
	UnroutableDropped, UnroutableReturned uint64
	// Publishers and Consumers are how many there are now: channels that have published, and
	// consumers.
	Publishers, Consumers int
	// Deliveries are by the type of queue.
	Deliveries [QueueTypes]Deliveries
	// Sizes are those of the bodies of messages received.
	Sizes Sizes
	// ConnectionsOpened counts connections that got their vhost, ConnectionsClosed those of them
	// that ended. Channels are counted likewise.
	ConnectionsOpened, ConnectionsClosed, ChannelsOpened, ChannelsClosed uint64
	// Logins counts attempts to log in.
	Logins Logins
}

// Deliveries count messages on their way to clients, and what these answered; see MessageStats.
type Deliveries struct {
	Deliver, DeliverNoAck, Get, GetNoAck, GetEmpty, Redeliver, Ack uint64
}

// Logins count attempts to log in.
type Logins struct{ Attempts, Succeeded, Failed uint64 }

// sizeBounds are the upper bounds of the classes of message sizes, in bytes.
const (
	sizeBounds = 8
	sizeFirst  = 100
)

// SizeBounds returns the upper bounds in bytes, included, of the classes of Sizes; the last class
// has none.
func SizeBounds() []uint64 {
	return []uint64{sizeFirst, 1e3, 1e4, 1e5, 1e6, 1e7, 5e7, 1e8}
}

// Sizes count messages by the size of their bodies.
type Sizes struct {
	// Classes are how many messages are in each class, and in no class before it.
	Classes [sizeBounds + 1]uint64
	// Sum is the size of all of them.
	Sum uint64
}

// SizeClass returns the class of a message with a body of so many bytes.
func SizeClass(bytes int) int {
	if bytes <= sizeFirst {
		return 0
	}
	return sizeClass(bytes)
}

// SizeClassBounds returns the sizes of a class: from least up to less than above.
func SizeClassBounds(class int) (least, above int) {
	bounds := SizeBounds()
	if class > 0 {
		least = int(bounds[class-1]) + 1
	}
	if class == len(bounds) {
		return least, math.MaxInt
	}
	return least, int(bounds[class]) + 1
}

// sizeClass is SizeClass for what is larger than most.
func sizeClass(bytes int) int {
	bounds := [sizeBounds]int{sizeFirst, 1e3, 1e4, 1e5, 1e6, 1e7, 5e7, 1e8}
	class := 1
	for class < sizeBounds && bytes > bounds[class] {
		class++
	}
	return class
}

// Add adds what another counted.
func (t *Totals) Add(o *Totals) {
	t.Received += o.Received
	t.ReceivedConfirm += o.ReceivedConfirm
	t.Confirmed += o.Confirmed
	t.Routed += o.Routed
	t.UnroutableDropped += o.UnroutableDropped
	t.UnroutableReturned += o.UnroutableReturned
	t.Publishers += o.Publishers
	t.Consumers += o.Consumers
	for i := range t.Deliveries {
		t.Deliveries[i].add(&o.Deliveries[i])
	}
	for i, n := range o.Sizes.Classes {
		t.Sizes.Classes[i] += n
	}
	t.Sizes.Sum += o.Sizes.Sum
	t.ConnectionsOpened += o.ConnectionsOpened
	t.ConnectionsClosed += o.ConnectionsClosed
	t.ChannelsOpened += o.ChannelsOpened
	t.ChannelsClosed += o.ChannelsClosed
	t.Logins.Attempts += o.Logins.Attempts
	t.Logins.Succeeded += o.Logins.Succeeded
	t.Logins.Failed += o.Logins.Failed
}

func (d *Deliveries) add(o *Deliveries) {
	d.Deliver += o.Deliver
	d.DeliverNoAck += o.DeliverNoAck
	d.Get += o.Get
	d.GetNoAck += o.GetNoAck
	d.GetEmpty += o.GetEmpty
	d.Redeliver += o.Redeliver
	d.Ack += o.Ack
}

// Delivered counts n messages that went to a consumer, or to who asked for one.
func (d *Deliveries) Delivered(get, noAck bool, n uint64) {
	switch {
	case get && noAck:
		d.GetNoAck += n
	case get:
		d.Get += n
	case noAck:
		d.DeliverNoAck += n
	default:
		d.Deliver += n
	}
}

// addTo adds the deliveries to the stats of something.
func (d *Deliveries) addTo(s *MessageStats) {
	s.Deliver += d.Deliver
	s.DeliverNoAck += d.DeliverNoAck
	s.Get += d.Get
	s.GetNoAck += d.GetNoAck
	s.GetEmpty += d.GetEmpty
	s.Redeliver += d.Redeliver
	s.Ack += d.Ack
}

// Messages returns the totals as the stats of the whole node.
func (t *Totals) Messages() MessageStats {
	s := MessageStats{
		Publish: t.Received, Confirm: t.Confirmed,
		ReturnUnroutable: t.UnroutableReturned, DropUnroutable: t.UnroutableDropped,
	}
	for i := range t.Deliveries {
		t.Deliveries[i].addTo(&s)
	}
	return s
}

// statistics are what the manager itself counts.
type statistics struct {
	declared, created, deleted atomic.Uint64 // queues
	dead                       deadCounts

	mu        sync.Mutex
	protocols []func() Totals
}

// CountProtocol has a door's totals be part of the node's. It is called once for each door, before
// the door is used; totals may be called by anybody at any time.
func (m *Manager) CountProtocol(totals func() Totals) {
	m.counts.mu.Lock()
	defer m.counts.mu.Unlock()
	m.counts.protocols = append(m.counts.protocols, totals)
}

// Totals returns what each protocol has counted.
func (m *Manager) Totals() []Totals {
	m.counts.mu.Lock()
	protocols := m.counts.protocols
	m.counts.mu.Unlock()
	list := make([]Totals, len(protocols))
	for i, totals := range protocols {
		list[i] = totals()
	}
	return list
}

// Stats returns what the node has done with messages, of all protocols.
func (m *Manager) Stats() MessageStats {
	var all Totals
	for _, t := range m.Totals() {
		all.Add(&t)
	}
	return all.Messages()
}

// Churn counts what came and went.
type Churn struct {
	ConnectionsOpened, ConnectionsClosed, ChannelsOpened, ChannelsClosed uint64
	// QueuesDeclared counts declarations that succeeded, QueuesCreated those that made a queue.
	QueuesDeclared, QueuesCreated, QueuesDeleted uint64
}

// Churn returns what came and went since the node started.
func (m *Manager) Churn() Churn {
	c := Churn{
		QueuesDeclared: m.counts.declared.Load(), QueuesCreated: m.counts.created.Load(),
		QueuesDeleted: m.counts.deleted.Load(),
	}
	for _, t := range m.Totals() {
		c.ConnectionsOpened += t.ConnectionsOpened
		c.ConnectionsClosed += t.ConnectionsClosed
		c.ChannelsOpened += t.ChannelsOpened
		c.ChannelsClosed += t.ChannelsClosed
	}
	return c
}

// DeadLetterStrategy says what a queue does with its dead.
type DeadLetterStrategy uint8

// The strategies, as RabbitMQ labels them.
const (
	DeadLettersDisabled DeadLetterStrategy = iota
	DeadLettersAtMostOnce
	DeadLettersAtLeastOnce
	// DeadLetterStrategies is how many there are.
	DeadLetterStrategies
)

// String returns RabbitMQ's label.
func (s DeadLetterStrategy) String() string {
	switch s {
	case DeadLettersAtMostOnce:
		return "at_most_once"
	case DeadLettersAtLeastOnce:
		return "at_least_once"
	}
	return "disabled"
}

// DeadLetters count messages that died, by reason.
type DeadLetters struct {
	Expired, MaxLen, Rejected, DeliveryLimit uint64
	// Confirmed counts letters that arrived, where that is waited for.
	Confirmed uint64
}

// deadCounts are the counts behind DeadLetters, by reason; that of no reason is of letters that
// arrived.
type deadCounts [QueueTypes][DeadLetterStrategies][queue.Reasons]atomic.Uint64

// countDead adds up what died in the last Apply of q; its lock is held.
func (m *Manager) countDead(q *Queue) {
	died, any := q.machine.TakeDied()
	if !any {
		return
	}
	counts := &m.counts.dead[q.Type()][strategyOf(q.machine.Settings().DeadLetters)]
	for reason, n := range died {
		if n > 0 {
			counts[reason].Add(uint64(n))
		}
	}
}

// countArrived counts a dead letter of q that came where it had to.
func (m *Manager) countArrived(q *Queue) {
	m.counts.dead[q.Type()][DeadLettersAtLeastOnce][0].Add(1)
}

func strategyOf(d queue.DeadLetters) DeadLetterStrategy {
	switch d {
	case queue.AtMostOnce:
		return DeadLettersAtMostOnce
	case queue.AtLeastOnce:
		return DeadLettersAtLeastOnce
	}
	return DeadLettersDisabled
}

// DeadLetters returns how many messages have died in queues of a type that treat their dead that
// way, since the node started.
func (m *Manager) DeadLetters(t QueueType, s DeadLetterStrategy) DeadLetters {
	c := &m.counts.dead[t][s]
	return DeadLetters{
		Expired: c[queue.Expired].Load(), MaxLen: c[queue.MaxLen].Load(),
		Rejected: c[queue.Rejected].Load(), DeliveryLimit: c[queue.DeliveryLimit].Load(),
		Confirmed: c[0].Load(),
	}
}
