package broker

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Route is where messages of one exchange and routing key go. Nobody writes to it; it may be
// used by many goroutines.
type Route struct {
	// Err is what a publisher gets instead: the exchange is missing, internal or forbidden.
	Err *amqp.Error

	queues  []*Queue
	durable []*store.Queue // of those queues that are logged
	// syncs: a message of the route counts as stored when it is on stable storage; else when it
	// has been handed to the log.
	syncs bool
	// refuses: a queue that the message would go to takes none.
	refuses bool
	// rejects: a queue of the route may refuse a message when it is full.
	rejects bool
	// expires: a queue of the route lets messages expire.
	expires bool
	// keeps: exchanges on the way that keep messages. nil: none.
	keeps *keeps

	// The route is good as long as depends is at the generation. nil: it depends on more than
	// exchange and key, or is an error, and is asked for each time.
	depends    *atomic.Uint64
	generation atomic.Uint64

	passing *passing // of a route from RouteCache.Hold
}

// Reaches reports whether a message would reach at least one queue, or wait in an exchange for the
// time to be routed.
func (r *Route) Reaches() bool { return len(r.queues) > 0 || r.keeps.waits() }

// Queues returns to how many queues a message would go at once.
func (r *Route) Queues() int { return len(r.queues) }

// Takes reports whether a message of the route is to be published: it reaches a queue, or an
// exchange keeps it.
func (r *Route) Takes() bool { return len(r.queues) > 0 || r.keeps != nil }

// Refuses reports whether a queue of the route takes no messages: a publisher that wants to know
// is told that the message was not stored.
func (r *Route) Refuses() bool { return r.refuses }

// Rejects reports whether a queue of the route refuses messages while it is full: see
// Batch.PublishFor.
func (r *Route) Rejects() bool { return r.rejects }

// current tells whether nothing has changed since the route was found.
func (r *Route) current() bool {
	return r.depends != nil && r.depends.Load() == r.generation.Load()
}

// writableMax is the number of exchanges for which a RouteCache remembers a permission. When
// there are more, one is forgotten.
const writableMax = 64

// RouteCache finds the routes of one publisher. It remembers the last one, and to which
// exchanges the user may write; other routes are remembered by the node for all publishers. A
// route stays good until something changes that it depends on. A RouteCache belongs to one
// goroutine.
type RouteCache struct {
	last          *Route
	exchange, key []byte // of last
	writable      map[string]*passing
	passing       *passing   // of the exchange that was asked about last
	allowed       *passing   // the last of writable that was looked up; nil: none
	counted       []*passing // that count something
	count         uint64     // messages counted since, of passing
	reached       int        // queues that each of these goes to
	permissions   uint64     // the generation of what is in writable
	routing       definition.Routing
	own           Route // of routes that the node does not remember
	// inside: messages are in the broker already. Nobody asks whether they may be published.
	inside bool
	union  union // of messages with more than one key
}

// Route returns the route of a message published by a. The result is valid until the next
// call. Exchange types that look at more than the key are asked each time.
func (c *RouteCache) Route(a *Access, exchange, key []byte, props amqp.RawProperties) *Route {
	permissions := a.vhost.generations.permissions.Load()
	if c.permissions != permissions {
		c.last, c.allowed = nil, nil
		clear(c.writable)
		c.permissions = permissions
	}
	if c.last != nil && string(c.key) == string(key) && string(c.exchange) == string(exchange) &&
		c.last.current() {
		return c.last
	}
	c.settleCount()
	c.last = nil
	err := c.mayWrite(a, exchange)
	if err == nil && c.passing.topics != nil {
		err = a.mayWriteTopic(c.passing.topics, exchange, key)
	}
	if err != nil {
		return c.refuse(err)
	}
	r := c.find(a.vhost, exchange, key, props)
	c.reached = len(r.queues)
	if r.depends != nil {
		c.last = r
		c.exchange = append(c.exchange[:0], exchange...)
		c.key = append(c.key[:0], key...)
	}
	return r
}

// mayWrite remembers good answers.
func (c *RouteCache) mayWrite(a *Access, exchange []byte) *amqp.Error {
	if p := c.allowed; p != nil && p.exchange == string(exchange) {
		c.passing = p
		return nil
	}
	if p := c.writable[string(exchange)]; p != nil {
		c.passing, c.allowed = p, p
		return nil
	}
	name := string(exchange)
	if err := a.mayWrite(name); err != nil {
		return err
	}
	if c.writable == nil {
		c.writable = make(map[string]*passing)
	}
	if len(c.writable) == writableMax {
		for other := range c.writable {
			delete(c.writable, other)
			break
		}
	}
	c.passing = &passing{
		vhost: a.vhost, exchange: name, topics: a.topics(auth.Write, name),
	}
	c.writable[name] = c.passing
	return nil
}

func (c *RouteCache) refuse(err *amqp.Error) *Route {
	c.own.begin(nil)
	c.own.Err = err
	return &c.own
}

// Release drops everything remembered.
func (c *RouteCache) Release() { *c = RouteCache{} }

// find returns a route that the node remembers, or asks the definitions. What goes through the
// default exchange is as quick to ask for as to remember, and its keys are many: the names of
// queues that come and go.
func (c *RouteCache) find(v *VHost, exchange, key []byte, props amqp.RawProperties) *Route {
	if len(exchange) == 0 {
		c.own.begin(v.generations.ofQueue(key))
		v.routeToQueue(&c.own, key)
		return c.settled()
	}
	if c.inside { // what was found without asking is for nobody else
		v.route(c, exchange, key, props)
		return c.settled()
	}
	table := &v.m.routes
	hash := table.hash(v, exchange, key)
	known := table.find(v, hash, exchange, key)
	if known != nil && known.current() {
		return &known.Route
	}
	v.route(c, exchange, key, props)
	r := c.settled()
	switch {
	case r.depends == nil:
	case known != nil && known.equal(r):
		known.generation.Store(r.generation.Load())
		return &known.Route
	case known != nil || len(key) <= message.NameMax && table.admits(hash):
		kept := r.kept(v, hash, exchange, key)
		table.keep(kept)
		return &kept.Route
	}
	return r
}

// settled returns the route that was found, when it may be used: it waits for the definition of
// a durable queue that was declared this moment. What the queue confirms must not be lost with
// it.
func (c *RouteCache) settled() *Route {
	for _, q := range c.own.queues {
		q.awaitStable()
	}
	return &c.own
}

// begin makes the route empty, and notes what it depends on before anything is looked up:
// a change that comes in between makes it stale, and is never missed.
func (r *Route) begin(depends *atomic.Uint64) {
	clear(r.queues)
	r.queues, r.durable, r.Err, r.depends = r.queues[:0], r.durable[:0], nil, depends
	r.syncs, r.refuses, r.rejects, r.expires, r.keeps = false, false, false, false, nil
	if depends != nil {
		r.generation.Store(depends.Load())
	}
}

// add leads the route to a queue.
func (r *Route) add(q *Queue) {
	if q.Flow().State == FlowQuarantined {
		r.refuses = true
		return
	}
	s := q.settings()
	r.queues = append(r.queues, q)
	r.rejects = r.rejects || s.Overflow != queue.DropHead
	r.expires = r.expires || s.MessageTTL != queue.None
	if q.logged() {
		r.durable = append(r.durable, q.disk)
		r.syncs = r.syncs || s.Durability == definition.Fsync
	}
}

func (r *Route) equal(o *Route) bool {
	return r.depends == o.depends && r.syncs == o.syncs && r.refuses == o.refuses &&
		r.rejects == o.rejects && r.expires == o.expires && r.keeps.equal(o.keeps) &&
		slices.Equal(r.queues, o.queues) && slices.Equal(r.durable, o.durable)
}

// kept returns a copy with memory of its own.
func (r *Route) kept(v *VHost, hash uint64, exchange, key []byte) *keptRoute {
	names := string(exchange) + string(key)
	k := &keptRoute{
		vhost: v, exchange: names[:len(exchange)], key: names[len(exchange):], hash: hash,
	}
	k.queues, k.durable = slices.Clone(r.queues), slices.Clone(r.durable)
	k.syncs, k.refuses, k.depends, k.keeps = r.syncs, r.refuses, r.depends, r.keeps
	k.rejects, k.expires = r.rejects, r.expires
	k.generation.Store(r.generation.Load())
	return k
}

// routeToQueue is the default exchange.
func (v *VHost) routeToQueue(r *Route, name []byte) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if q := v.queues[string(name)]; q != nil {
		r.add(q)
	}
}

// route asks the definitions for c.own.
func (v *VHost) route(c *RouteCache, exchange, key []byte, props amqp.RawProperties) {
	r := &c.own
	all := v.generations.all.Load()
	r.begin(v.generations.ofExchange(exchange))
	v.mu.RLock()
	defer v.mu.RUnlock()
	if !c.inside {
		r.Err = v.definitions.CheckPublish(exchange)
	}
	c.routing.Seed = rand.Uint64()
	if r.Err == nil {
		r.Err = v.definitions.Route(exchange, key, props, &c.routing)
	}
	if r.Err != nil {
		r.depends = nil
		return
	}
	switch {
	case !c.routing.Cacheable():
		r.depends = nil
	case !c.routing.Alone():
		r.depends = &v.generations.all
		r.generation.Store(all)
	}
	r.keeps = v.keeps(&c.routing)
	for _, name := range c.routing.Queues() {
		if q := v.queues[name]; q != nil {
			r.add(q)
		}
	}
	if r.Err = r.check(); r.Err != nil {
		r.depends = nil
	}
}

// check refuses a route that the log cannot take in one record.
func (r *Route) check() *amqp.Error {
	if n := len(r.durable); n > store.FanOutMax {
		return amqp.NewError(amqp.ResourceError, "message for %d durable queues, at most %d", n,
			store.FanOutMax)
	}
	return nil
}
