package broker

import "github.com/warrenmq/warren/amqp"

const (
	// unionQueuesMax is how many queues the keys of one message may lead to, each counted as often
	// as a key leads to it.
	unionQueuesMax = 1 << 20
	// unionHeadersMax is how many further keys a message may have when its exchange looks through
	// its bindings for each of them, since others are bound to it that may look at the key.
	unionHeadersMax = 1 << 10
	// unionKeep is the number of queues up to which a union keeps its memory for the next message.
	unionKeep = 1 << 10
)

// union collects where the keys of one message lead.
type union struct {
	route   Route
	seen    map[*Queue]struct{}
	visited int
}

// RouteAll is Route for a message that is routed by several keys, of which the first is its own:
// each queue that one of them leads to gets it once. Keys may be longer than routing keys. It
// fails with RESOURCE_ERROR when they lead to more than unionQueuesMax queues.
func (c *RouteCache) RouteAll(
	a *Access, exchange []byte, props amqp.RawProperties, keys ...[]byte,
) *Route {
	if r := c.Route(a, exchange, keys[0], props); r.Err != nil || len(keys) == 1 {
		return r
	}
	if topics := c.passing.topics; topics != nil {
		for _, key := range keys[1:] {
			if err := a.mayWriteTopic(topics, exchange, key); err != nil {
				return c.refuse(err)
			}
		}
	}
	c.settleCount()
	r := c.routeAll(a.vhost, exchange, props, keys)
	c.reached = len(r.queues)
	return r
}

// routeAll is RouteAll for those who need no permission.
func (c *RouteCache) routeAll(v *VHost, exchange []byte, props amqp.RawProperties, keys [][]byte,
) *Route {
	u := &c.union
	u.begin()
	c.last = nil // it may be c.own, which is used for each key
	chooses, anyKey := v.regardsKeys(exchange)
	if chooses {
		keys = keys[:1]
	}
	for i, key := range keys {
		r := c.find(v, exchange, key, props)
		if r.Err != nil {
			return r
		}
		if err := u.add(r); err != nil {
			return c.refuse(err)
		}
		if r.depends == nil && len(exchange) > 0 {
			if anyKey && c.routing.Alone() {
				break // the others lead to the same queues
			}
			if anyKey && i == unionHeadersMax {
				return c.refuse(amqp.NewError(amqp.ResourceError, "message with more than %d keys "+
					"for exchanges bound to one that looks at headers", unionHeadersMax))
			}
		}
	}
	u.route.Err = u.route.check()
	return &u.route
}

// regardsKeys tells whether an exchange sends each message one way, whatever keys it has, and
// whether it looks at none.
func (v *VHost) regardsKeys(exchange []byte) (chooses, anyKey bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	t := v.definitions.TypeOf(string(exchange))
	return t != nil && t.Chooses, t != nil && t.AnyKey
}

func (u *union) begin() {
	u.route.begin(nil)
	u.visited = 0
	if len(u.seen) > unionKeep {
		u.seen, u.route.queues, u.route.durable = nil, nil, nil
	}
	if u.seen == nil {
		u.seen = make(map[*Queue]struct{})
	}
	clear(u.seen)
}

// add takes in the route of one key.
func (u *union) add(r *Route) *amqp.Error {
	if u.visited += len(r.queues); u.visited > unionQueuesMax {
		return amqp.NewError(amqp.ResourceError,
			"message with keys for more than %d queues", unionQueuesMax)
	}
	u.route.refuses = u.route.refuses || r.refuses
	u.route.keeps = u.route.keeps.with(r.keeps)
	for _, q := range r.queues {
		u.addQueue(q)
	}
	return nil
}

func (u *union) addQueue(q *Queue) {
	if _, twice := u.seen[q]; !twice {
		u.seen[q] = struct{}{}
		u.route.add(q)
	}
}
