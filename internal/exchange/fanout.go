package exchange

import "github.com/warrenmq/warren/amqp"

// fanout matches every binding.
type fanout struct {
	all destinations
}

func newFanout() Router { return new(fanout) }

func (x *fanout) Bind(b Binding) { x.all.add(&b) }

func (x *fanout) Unbind(b Binding) { x.all.remove(&b) }

func (x *fanout) Route(_ []byte, _ amqp.RawProperties, to *Targets) { to.addAll(&x.all) }
