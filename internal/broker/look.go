package broker

import (
	"slices"
	"strings"
	"sync/atomic"
)

// inOrder are the queues of a vhost in the order of their names, as long as somebody asks for them
// and none comes or goes.
type inOrder struct {
	changes uint64 // guarded by the vhost's mu
	list    atomic.Pointer[[]*Queue]
}

// changed says that a queue came or went; the vhost's mu is held.
func (o *inOrder) changed() {
	o.changes++
	o.list.Store(nil)
}

// SortedQueues returns the queues of the vhost in the order of their names. Nobody writes to the
// list: others have the same. It is put in order only when a queue has come or gone since.
func (v *VHost) SortedQueues() []*Queue {
	if list := v.inOrder.list.Load(); list != nil {
		return *list
	}
	v.mu.RLock()
	changes := v.inOrder.changes
	list := make([]*Queue, 0, len(v.queues))
	for _, q := range v.queues {
		list = append(list, q)
	}
	v.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Queue) int { return strings.Compare(a.Name(), b.Name()) })
	v.mu.RLock()
	defer v.mu.RUnlock()
	if changes == v.inOrder.changes {
		v.inOrder.list.Store(&list)
	}
	return list
}

// AppendQueues appends the queues of the vhost in no order: what it costs to put many of them in
// order is for those to pay who need it.
func (v *VHost) AppendQueues(dst []*Queue) []*Queue {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, q := range v.queues {
		dst = append(dst, q)
	}
	return dst
}

// QueueCount returns how many queues the vhost has.
func (v *VHost) QueueCount() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.queues)
}

// ExchangePolicy returns the name of the policy that counts for an exchange, "" for none.
func (v *VHost) ExchangePolicy(exchange string) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.PolicyOfExchange(exchange)
}

// ExchangeCount returns how many exchanges the vhost has.
func (v *VHost) ExchangeCount() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.ExchangeCount()
}

// ExchangeTypes returns the names of the exchange types that may be declared, sorted.
func (m *Manager) ExchangeTypes() []string { return m.state.ExchangeTypes() }

// EachExchangeStats calls f for each exchange that was used since the node started, in no order.
// f asks nothing of the vhost.
func (v *VHost) EachExchangeStats(f func(name string, s MessageStats)) {
	v.passages.mu.RLock()
	defer v.passages.mu.RUnlock()
	for name, p := range v.passages.of {
		f(name, MessageStats{PublishIn: p.in.Load(), PublishOut: p.out.Load()})
	}
}

// MessageMemory returns about how many bytes messages in memory take.
func (m *Manager) MessageMemory() int64 { return m.resident.Load() }

// Counts returns of the queue's Stats what is known without a closer look: how many messages it has
// and what became of messages. It costs little.
func (q *Queue) Counts() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats()
	s.Messages = MessageStats{Publish: q.published, Ack: q.acked}
	q.delivered.addTo(&s.Messages)
	return s
}
