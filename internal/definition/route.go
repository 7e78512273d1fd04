package definition

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// Routing holds where one message goes, and the memory to find that out, which is kept from
// message to message. The zero value is ready for use; it belongs to one goroutine.
type Routing struct {
	// Seed decides what is chosen at random. Who owns the Routing sets it anew for each message.
	Seed uint64

	targets   exchange.Targets
	cacheable bool
	kept      []string
	delayed   []string
}

// Alone tells whether the result depended on no other exchange than the one asked: it is the
// same until that one, or a binding from it, is deleted or a binding from it is made.
func (r *Routing) Alone() bool { return len(r.targets.Exchanges()) == 0 }

// Queues returns the names of the queues, each once, valid until the next Route.
func (r *Routing) Queues() []string { return r.targets.Queues() }

// Kept returns the names of the exchanges on the way that keep what goes through them for who is
// bound later, valid until the next Route.
func (r *Routing) Kept() []string { return r.kept }

// Delayed returns the names of the exchanges on the way in which the message has to wait first,
// valid until the next Route. Where it goes from there is not asked.
func (r *Routing) Delayed() []string { return r.delayed }

// Cacheable tells whether the result depended on the exchange and the routing key alone: it is
// the same for each message that has the same, until anything is declared, bound or deleted.
func (r *Routing) Cacheable() bool { return r.cacheable }

// Route finds the queues for a message: through the bindings of the exchange, and of the
// exchanges bound to it, each at most once. What an exchange cannot route goes to its
// alternate, if there is one. In an exchange that delays the message, its way ends. Whether a
// client may publish is not asked (see CheckPublish).
// When the exchange is not there r is empty and the error NOT_FOUND. Otherwise Route does not
// allocate once r has seen messages of the kind.
func (v *VHost) Route(name, key []byte, props amqp.RawProperties, r *Routing) *amqp.Error {
	r.targets.Reset()
	r.targets.Seed = r.Seed
	r.kept, r.delayed = r.kept[:0], r.delayed[:0]
	r.cacheable = true
	if len(name) == 0 {
		if q := v.queues[string(key)]; q != nil {
			r.targets.Add(q.Name, false)
		}
		return nil
	}
	first := v.exchanges[string(name)]
	if first == nil {
		r.cacheable = false
		return v.noExchange(string(name))
	}
	first.route(key, props, r)
	if len(r.targets.Exchanges()) == 0 {
		return nil
	}
	r.targets.Add(first.Name, true) // where a cycle ends
	for i := 0; i < len(r.targets.Exchanges()); i++ {
		if x := v.exchanges[r.targets.Exchanges()[i]]; x != nil && x != first {
			x.route(key, props, r)
		}
	}
	return nil
}

// route adds what one exchange makes of a message.
func (x *exchangeNode) route(key []byte, props amqp.RawProperties, r *Routing) {
	if x.kind.Delays && exchange.DelayOf(props) > 0 {
		r.delayed = append(r.delayed, x.Name)
		r.cacheable = false
		return
	}
	if x.kind.History > 0 {
		r.kept = append(r.kept, x.Name)
	}
	before := r.targets.Matches()
	x.router.Route(key, props, &r.targets)
	r.cacheable = r.cacheable && x.kind.KeyOnly
	// The default exchange is no alternate: it has no bindings of its own.
	if r.targets.Matches() == before && x.alternate != "" {
		r.targets.Add(x.alternate, true)
	}
}
