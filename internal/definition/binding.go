package definition

import (
	"cmp"
	"slices"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// bindingID is what tells a binding from others of the same source.
type bindingID struct {
	destination string
	toExchange  bool
	key         string
	arguments   string // sorted
}

// binding is a binding between its two ends.
type binding struct {
	exchange.Binding
	source *exchangeNode
	list   *bindingList // of its destination

	previous, next *binding // in list
}

// bindingList links the bindings of one destination, so that each can leave by itself.
type bindingList struct{ first *binding }

func (l *bindingList) add(b *binding) {
	b.list, b.next = l, l.first
	if l.first != nil {
		l.first.previous = b
	}
	l.first = b
}

func (l *bindingList) remove(b *binding) {
	if b.previous != nil {
		b.previous.next = b.next
	} else {
		l.first = b.next
	}
	if b.next != nil {
		b.next.previous = b.previous
	}
	b.previous, b.next = nil, nil
}

// ends finds both ends of a binding. Which is missing is in the error, the source first.
func (v *VHost) ends(b *exchange.Binding) (*exchangeNode, *bindingList, *amqp.Error) {
	source := v.exchanges[b.Source]
	if source == nil {
		return nil, nil, v.noExchange(b.Source)
	}
	if b.ToExchange {
		if x := v.exchanges[b.Destination]; x != nil {
			return source, &x.to, nil
		}
		return nil, nil, v.noExchange(b.Destination)
	}
	if q := v.queues[b.Destination]; q != nil {
		return source, &q.to, nil
	}
	return nil, nil, v.noQueue(b.Destination)
}

// touchesDefault tells whether an end is the default exchange, whose bindings nobody makes.
func touchesDefault(b *exchange.Binding) bool {
	return b.Source == "" || b.ToExchange && b.Destination == ""
}

// mayBind tells why a connection may not bind or unbind the destination.
func (v *VHost) mayBind(b *exchange.Binding, owner uint64) *amqp.Error {
	if b.ToExchange {
		return nil
	}
	return v.mayUse(&v.queues[b.Destination].Queue, owner)
}

// Bind makes a binding, which takes no memory of the caller's, for a connection. It reports
// false when the binding is there already. It refuses with ACCESS_REFUSED when an end is the
// default exchange, NOT_FOUND when an end is missing, PRECONDITION_FAILED when the exchange
// cannot use the arguments, and RESOURCE_LOCKED when the queue is exclusive to another
// connection.
func (v *VHost) Bind(b exchange.Binding, owner uint64) (created bool, err *amqp.Error) {
	if touchesDefault(&b) {
		return false, defaultExchange()
	}
	source, list, err := v.ends(&b)
	if err != nil {
		return false, err
	}
	if source.kind.Validate != nil {
		if err := source.kind.Validate(b); err != nil {
			return false, err
		}
	}
	if err := v.mayBind(&b, owner); err != nil {
		return false, err
	}
	return v.putBinding(source, list, b), nil
}

// putBinding makes a binding unless it is there.
func (v *VHost) putBinding(source *exchangeNode, list *bindingList, b exchange.Binding) bool {
	b.Arguments = exchange.SortArguments(b.Arguments)
	id := newBindingID(&b)
	if source.from[id] != nil {
		return false
	}
	// The names of the ends are in memory already: refer to those.
	b.Source = source.Name
	if b.ToExchange {
		b.Destination = v.exchanges[b.Destination].Name
	} else {
		b.Destination = v.queues[b.Destination].Name
	}
	id.destination = b.Destination
	n := &binding{Binding: b, source: source}
	source.from[id] = n
	list.add(n)
	source.router.Bind(b)
	return true
}

// newBindingID needs sorted arguments.
func newBindingID(b *exchange.Binding) bindingID {
	return bindingID{b.Destination, b.ToExchange, b.RoutingKey, string(b.Arguments)}
}

// Unbind removes a binding for a connection, and the auto-delete exchanges that are left
// without one. One that is not there, or has no ends, is removed already. It refuses with
// ACCESS_REFUSED when an end is the default exchange, and RESOURCE_LOCKED when the queue is
// exclusive to another connection.
func (v *VHost) Unbind(b exchange.Binding, owner uint64) (Removed, *amqp.Error) {
	if touchesDefault(&b) {
		return Removed{}, defaultExchange()
	}
	n := v.find(b)
	if n == nil {
		return Removed{}, nil
	}
	if err := v.mayBind(&b, owner); err != nil {
		return Removed{}, err
	}
	r := removal{v: v, cascade: true}
	r.binding(n)
	return r.done(), nil
}

// find returns a binding that is there, or nil.
func (v *VHost) find(b exchange.Binding) *binding {
	source := v.exchanges[b.Source]
	if source == nil {
		return nil
	}
	b.Arguments = exchange.SortArguments(b.Arguments)
	return source.from[newBindingID(&b)]
}

// Bound tells whether there is such a binding: then making it again changes nothing.
func (v *VHost) Bound(b exchange.Binding) bool { return v.find(b) != nil }

// Durable tells whether both ends of a binding, which need not be there, are durable: then the
// binding is as well.
func (v *VHost) Durable(b exchange.Binding) bool {
	source := v.exchanges[b.Source]
	if source == nil || !source.Durable {
		return false
	}
	if b.ToExchange {
		x := v.exchanges[b.Destination]
		return x != nil && x.Durable
	}
	q := v.queues[b.Destination]
	return q != nil && q.Durable
}

// Bindings returns all bindings: first those of the default exchange to every queue, which
// nobody made, by queue; then the others by source, key and destination.
func (v *VHost) Bindings() []exchange.Binding {
	all := v.BindingsFrom("")
	others := len(all)
	for _, x := range v.exchanges {
		for _, b := range x.from {
			all = append(all, b.Binding)
		}
	}
	sortBindings(all[others:])
	return all
}

// BindingsFrom returns the bindings whose source is the exchange of that name, those of the
// default exchange under "".
func (v *VHost) BindingsFrom(name string) []exchange.Binding {
	var list []exchange.Binding
	if name == "" {
		for _, q := range v.Queues() {
			list = append(list, defaultBinding(q.Name))
		}
		return list
	}
	if x := v.exchanges[name]; x != nil {
		for _, b := range x.from {
			list = append(list, b.Binding)
		}
	}
	sortBindings(list)
	return list
}

// BindingsTo returns the bindings whose destination is the queue, or the exchange, of that
// name, that of a queue to the default exchange first.
func (v *VHost) BindingsTo(name string, isExchange bool) []exchange.Binding {
	var list []exchange.Binding
	var bound bindingList
	if isExchange {
		if x := v.exchanges[name]; x != nil {
			bound = x.to
		}
	} else if q := v.queues[name]; q != nil {
		list, bound = append(list, defaultBinding(q.Name)), q.to
	}
	implied := len(list)
	for b := bound.first; b != nil; b = b.next {
		list = append(list, b.Binding)
	}
	sortBindings(list[implied:])
	return list
}

func defaultBinding(queue string) exchange.Binding {
	return exchange.Binding{Destination: queue, RoutingKey: queue}
}

func sortBindings(list []exchange.Binding) {
	slices.SortFunc(list, func(a, b exchange.Binding) int { return compareBindings(&a, &b) })
}

func compareBindings(a, b *exchange.Binding) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.RoutingKey, b.RoutingKey),
		compareKinds(a, b), cmp.Compare(a.Destination, b.Destination),
		slices.Compare(a.Arguments, b.Arguments))
}

// compareKinds puts exchanges before queues.
func compareKinds(a, b *exchange.Binding) int {
	switch {
	case a.ToExchange == b.ToExchange:
		return 0
	case a.ToExchange:
		return -1
	}
	return 1
}
