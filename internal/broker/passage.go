package broker

import (
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/pattern"
)

// passages count what went through the exchanges of a vhost that were used since the node started.
// Who adds one holds the vhost's lock besides, and has seen that the exchange is there.
type passages struct {
	mu sync.RWMutex
	of map[string]*passage
}

// passage is what went through one exchange.
type passage struct {
	in, out atomic.Uint64
	gone    atomic.Bool // the exchange was deleted
}

// ExchangeStats returns what went through an exchange: PublishIn and PublishOut. Messages that go
// on to other exchanges, or are dead, are counted where they were published to.
func (v *VHost) ExchangeStats(name string) MessageStats {
	v.passages.mu.RLock()
	defer v.passages.mu.RUnlock()
	if p := v.passages.of[name]; p != nil {
		return MessageStats{PublishIn: p.in.Load(), PublishOut: p.out.Load()}
	}
	return MessageStats{}
}

// passage returns the count of an exchange, nil if there is no such exchange any more.
func (v *VHost) passage(name string) *passage {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if _, ok := v.definitions.Exchange(name); !ok && name != "" {
		return nil
	}
	v.passages.mu.Lock()
	defer v.passages.mu.Unlock()
	p := v.passages.of[name]
	if p == nil {
		p = new(passage)
		if v.passages.of == nil {
			v.passages.of = make(map[string]*passage)
		}
		v.passages.of[name] = p
	}
	return p
}

// dropPassage forgets the count of an exchange that is deleted; v.mu is held.
func (v *VHost) dropPassage(name string) {
	v.passages.mu.Lock()
	defer v.passages.mu.Unlock()
	if p := v.passages.of[name]; p != nil {
		p.gone.Store(true)
		delete(v.passages.of, name)
	}
}

// passing is what one publisher has sent through an exchange that he may write to.
type passing struct {
	vhost    *VHost
	exchange string
	// topics is what keys have to match if it is a topic exchange; nil: nothing.
	topics  *pattern.Pattern
	in, out uint64   // since the last Tally
	of      *passage // nil: not counted yet
}

// Count counts a message for the exchange and the route that Route was asked about last. The count
// is seen after the next Tally.
func (c *RouteCache) Count() { c.count++ }

// settleCount adds the messages that were counted for the last route to what its exchange counts.
func (c *RouteCache) settleCount() {
	if c.count == 0 {
		return
	}
	p := c.passing
	if p.in == 0 {
		c.counted = append(c.counted, p)
	}
	p.in += c.count
	p.out += c.count * uint64(c.reached)
	c.count = 0
}

// Hold is Route.Held of what Route returned last, for CountHeld.
func (c *RouteCache) Hold(r, last *Route) *Route {
	if last != nil && last.passing != c.passing {
		last = nil
	}
	held := r.Held(last)
	held.passing = c.passing
	return held
}

// CountHeld is Count for a route from Hold.
func (c *RouteCache) CountHeld(r *Route) {
	c.settleCount()
	c.last, c.passing, c.reached = nil, r.passing, len(r.queues)
	c.count = 1
}

// Tally shows others what was counted, and returns to how many queues messages went, each counted
// once for each queue. It is called once for all that was read together.
func (c *RouteCache) Tally() (routed uint64) {
	c.settleCount()
	for i, p := range c.counted {
		if p.of == nil || p.of.gone.Load() {
			p.of = p.vhost.passage(p.exchange)
		}
		if p.of != nil {
			p.of.in.Add(p.in)
			p.of.out.Add(p.out)
		}
		routed += p.out
		p.in, p.out = 0, 0
		c.counted[i] = nil
	}
	c.counted = c.counted[:0]
	return routed
}
