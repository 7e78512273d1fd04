package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/store"
)

// Route is where messages of one exchange and routing key go, as of one generation of the
// vhost's definitions. It is immutable and may be used by many goroutines.
type Route struct {
	// Err is what a publisher gets instead: the exchange is missing, internal or forbidden.
	Err *amqp.Error

	queues     []*Queue
	durable    []*store.Queue // of those queues that are logged
	generation uint64
	cacheable  bool
	// syncs: a message of the route counts as stored when it is on stable storage; else when it
	// has been handed to the log.
	syncs bool
}

// Reaches reports whether a message would reach at least one queue.
func (r *Route) Reaches() bool { return len(r.queues) > 0 }

const (
	// routesMax is the number of routes a RouteCache holds; when it is full it starts afresh.
	routesMax = 4096
	// routeQueuesMax is the number of queues these routes may have together: a route to many
	// queues costs memory too. A route to even more is asked for each time.
	routeQueuesMax = 1 << 16
)

// RouteCache remembers the routes of one publisher. A route stays valid until anything is
// declared, bound or deleted in the vhost. It belongs to one goroutine.
type RouteCache struct {
	last            *Route
	exchange, key   []byte // of last
	routes          map[string]*Route
	composed        []byte
	routing         definition.Routing
	routesAreFrom   uint64
	queues          int // of all routes
	uncachedScratch Route
}

// Route returns the route of a message published by a. The result is valid until the next
// call. Exchange types that look at more than the key are asked each time.
func (c *RouteCache) Route(a *Access, exchange, key []byte, props amqp.RawProperties) *Route {
	generation := a.vhost.generation.Load()
	if c.last != nil && c.last.generation == generation &&
		string(c.key) == string(key) && string(c.exchange) == string(exchange) {
		return c.last
	}
	if c.routesAreFrom != generation {
		c.forget()
		c.routesAreFrom = generation
	}
	c.composed = append(append(c.composed[:0], byte(len(exchange))), exchange...)
	c.composed = append(c.composed, key...)
	r := c.routes[string(c.composed)]
	if r == nil {
		r = &c.uncachedScratch
		a.resolve(r, c, exchange, key, props.Headers())
		r.generation = generation
		if !r.cacheable || len(r.queues) > routeQueuesMax {
			return r
		}
		r = c.remember(r.clone())
	}
	c.last = r
	c.exchange = append(c.exchange[:0], exchange...)
	c.key = append(c.key[:0], key...)
	return r
}

// remember keeps the route of c.composed.
func (c *RouteCache) remember(r *Route) *Route {
	if len(c.routes) == routesMax || c.queues+len(r.queues) > routeQueuesMax {
		c.forget()
	}
	if c.routes == nil {
		c.routes = make(map[string]*Route)
	}
	c.routes[string(c.composed)] = r
	c.queues += len(r.queues)
	return r
}

func (c *RouteCache) forget() {
	clear(c.routes)
	c.queues = 0
}

// Release drops everything remembered.
func (c *RouteCache) Release() { *c = RouteCache{} }

func (r *Route) clone() *Route {
	twin := *r
	twin.queues = append([]*Queue(nil), r.queues...)
	twin.durable = append([]*store.Queue(nil), r.durable...)
	return &twin
}

// resolve finds out where a message goes. It waits for the definition of a durable queue that
// was declared this moment: what the queue confirms must not be lost with it.
func (a *Access) resolve(
	r *Route, c *RouteCache, exchange, key []byte, headers amqp.Table,
) {
	a.lookUp(r, c, exchange, key, headers)
	for _, q := range r.queues {
		q.awaitStable()
	}
}

// lookUp asks the definitions.
func (a *Access) lookUp(
	r *Route, c *RouteCache, exchange, key []byte, headers amqp.Table,
) {
	v := a.vhost
	r.queues, r.durable, r.Err, r.cacheable = r.queues[:0], r.durable[:0], nil, false
	r.syncs = false
	if r.Err = a.mayWrite(string(exchange)); r.Err != nil {
		return
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if r.Err = v.definitions.CheckPublish(exchange); r.Err != nil {
		return
	}
	v.definitions.Route(exchange, key, headers, &c.routing)
	r.cacheable = c.routing.Cacheable()
	for _, name := range c.routing.Queues() {
		q := v.queues[name]
		if q == nil {
			continue
		}
		r.queues = append(r.queues, q)
		if q.logged() {
			r.durable = append(r.durable, q.disk)
			r.syncs = r.syncs || v.definitions.DurabilityOf(q.Name()) == definition.Fsync
		}
	}
	r.Err = r.check()
}

// check refuses a route that the log cannot take in one record.
func (r *Route) check() *amqp.Error {
	if n := len(r.durable); n > store.FanOutMax {
		return amqp.NewError(amqp.ResourceError, "message for %d durable queues, at most %d", n,
			store.FanOutMax)
	}
	return nil
}
