package definition

// removal takes things away together with what cannot be without them. A chain of auto-delete
// exchanges may be long: what is still to be looked at is in a list, not on the stack.
type removal struct {
	v *VHost
	// cascade: auto-delete exchanges go with their last binding. Without it only what is
	// named goes.
	cascade bool
	removed Removed
	bereft  []*exchangeNode // lost a binding and may have to go
}

// exchange removes an exchange and the bindings at both its ends.
func (r *removal) exchange(x *exchangeNode) {
	delete(r.v.exchanges, x.Name)
	r.removed.Exchanges = append(r.removed.Exchanges, &x.Exchange)
	for _, b := range x.from {
		// Its router and its table of bindings go with the exchange.
		b.list.remove(b)
		r.removed.Bindings = append(r.removed.Bindings, b.Binding)
	}
	clear(x.from)
	r.all(&x.to)
}

// queue removes a queue, unless it is nil, and its bindings.
func (r *removal) queue(q *queueNode) {
	if q == nil {
		return
	}
	delete(r.v.queues, q.Name)
	r.removed.Queues = append(r.removed.Queues, q.Name)
	r.all(&q.to)
}

// all removes the bindings of a destination.
func (r *removal) all(to *bindingList) {
	for to.first != nil {
		r.binding(to.first)
	}
}

func (r *removal) binding(b *binding) {
	delete(b.source.from, newBindingID(&b.Binding))
	b.list.remove(b)
	b.source.router.Unbind(b.Binding)
	r.removed.Bindings = append(r.removed.Bindings, b.Binding)
	if b.source.AutoDelete && len(b.source.from) == 0 {
		r.bereft = append(r.bereft, b.source)
	}
}

// done removes what was left without bindings, and returns all that was removed, in an order
// that depends only on what there was.
func (r *removal) done() Removed {
	for r.cascade && len(r.bereft) > 0 {
		x := r.bereft[0]
		r.bereft = r.bereft[1:]
		if r.v.exchanges[x.Name] == x && len(x.from) == 0 {
			r.exchange(x)
		}
	}
	sortBindings(r.removed.Bindings)
	return r.removed
}
