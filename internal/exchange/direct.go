package exchange

import "github.com/warrenmq/warren/amqp"

// direct matches bindings whose key is the routing key.
type direct struct {
	keys map[string]*destinations
}

func newDirect() Router { return &direct{keys: make(map[string]*destinations)} }

func (x *direct) Bind(b Binding) {
	d := x.keys[b.RoutingKey]
	if d == nil {
		d = new(destinations)
		x.keys[b.RoutingKey] = d
	}
	d.add(&b)
}

func (x *direct) Unbind(b Binding) {
	d := x.keys[b.RoutingKey]
	if d == nil {
		return
	}
	if d.remove(&b); d.empty() {
		delete(x.keys, b.RoutingKey)
	}
}

func (x *direct) Route(key []byte, _ amqp.RawProperties, to *Targets) {
	if d := x.keys[string(key)]; d != nil {
		to.addAll(d)
	}
}
