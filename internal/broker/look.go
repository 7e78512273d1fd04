package broker

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
