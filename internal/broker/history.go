package broker

import (
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
)

const (
	// historyMax is how many messages an exchange keeps at most, whatever it was declared with.
	historyMax = 10_000
	// historyBytesMax is what they may take in memory, for each exchange.
	historyBytesMax = 4 << 20
	// historySum is what those of all exchanges may take together: an exchange that adds to more
	// than that drops its oldest.
	historySum = 128 << 20
	// historyOverhead is about what a kept message takes besides its bytes.
	historyOverhead = 64
)

// history is the last messages that went through an exchange, for who is bound later. Each has
// memory of its own, so that no chunk of a connection lives on because of it. It does not survive
// the end of the process. It is safe for concurrent use.
type history struct {
	most int
	sum  *atomic.Int64 // bytes of all histories

	mu       sync.Mutex
	messages []message.Message // a ring, the oldest at first
	first    int
	bytes    int
	closed   bool
}

// newHistory returns an empty history of so many messages, or as many as are allowed.
func newHistory(most int, sum *atomic.Int64) *history {
	return &history{most: min(most, historyMax), sum: sum}
}

func cost(m *message.Message) int { return m.Size() + historyOverhead }

// keep takes a copy of a message, unless it asks not to be kept or is too large to be.
func (h *history) keep(m *message.Message) {
	if cost(m) > historyBytesMax || !exchange.InHistory(m.Properties()) {
		return
	}
	kept := *m
	kept.MoveTo(make([]byte, 0, m.Size()))
	kept.ID = 0
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.append(kept)
	for len(h.messages) > 1 && h.bytes > historyBytesMax {
		h.drop()
	}
	for len(h.messages) > 0 && h.sum.Load() > historySum {
		h.drop()
	}
}

// append adds the newest; the lock is held.
func (h *history) append(m message.Message) {
	n := cost(&m)
	h.bytes += n
	h.sum.Add(int64(n))
	if len(h.messages) < h.most {
		h.straighten()
		h.messages = append(h.messages, m)
		return
	}
	oldest := &h.messages[h.first]
	n = cost(oldest)
	h.bytes -= n
	h.sum.Add(-int64(n))
	*oldest = m
	h.first = (h.first + 1) % len(h.messages)
}

// straighten puts the oldest in front, as after the ring was shortened.
func (h *history) straighten() {
	if h.first > 0 {
		h.messages = append(h.messages[h.first:len(h.messages):len(h.messages)],
			h.messages[:h.first]...)
		h.first = 0
	}
}

// drop forgets the oldest.
func (h *history) drop() {
	h.straighten()
	n := cost(&h.messages[0])
	h.bytes -= n
	h.sum.Add(-int64(n))
	h.messages[0] = message.Message{}
	h.messages = h.messages[1:]
}

// all returns the messages, the oldest first. They stay as they are.
func (h *history) all() []message.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]message.Message, 0, len(h.messages))
	return append(append(list, h.messages[h.first:]...), h.messages[:h.first]...)
}

// close forgets everything, for good.
func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sum.Add(-int64(h.bytes))
	h.messages, h.first, h.bytes, h.closed = nil, 0, 0, true
}

// past returns what an exchange keeps for who is bound to it now; v.mu is held.
func (v *VHost) past(source string) []message.Message {
	k := v.keepers[source]
	if k == nil || k.history == nil {
		return nil
	}
	return k.history.all()
}

// replay publishes what the source of a new binding has kept to its destination: a queue, or what
// is bound to an exchange. Nobody waits for it to be on stable storage.
func (v *VHost) replay(past []message.Message, to *exchange.Binding) {
	if len(past) == 0 {
		return
	}
	b := v.m.NewBatch()
	defer b.Release()
	c := RouteCache{inside: true}
	for _, m := range past {
		through, key := []byte(nil), []byte(to.Destination)
		if to.ToExchange {
			through, key = key, m.RoutingKey()
		}
		if r := c.find(v, through, key, m.Properties()); r.Err == nil && r.Takes() {
			b.Publish(r, m)
		}
		if b.Full() {
			b.Run()
		}
	}
	b.Run()
}
