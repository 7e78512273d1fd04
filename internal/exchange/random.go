package exchange

import "github.com/warrenmq/warren/amqp"

// random routes each message to the destination of one binding, each as likely as the next.
type random struct {
	bindings []patternID
	index    map[patternID]int // positions in bindings
}

func newRandom() Router { return &random{index: make(map[patternID]int)} }

func (x *random) Bind(b Binding) {
	id := newPatternID(&b)
	x.index[id] = len(x.bindings)
	x.bindings = append(x.bindings, id)
}

func (x *random) Unbind(b Binding) {
	id := newPatternID(&b)
	i, ok := x.index[id]
	if !ok {
		return
	}
	delete(x.index, id)
	last := len(x.bindings) - 1
	if i < last {
		x.bindings[i] = x.bindings[last]
		x.index[x.bindings[i]] = i
	}
	x.bindings[last] = patternID{}
	x.bindings = x.bindings[:last]
}

func (x *random) Route(_ []byte, _ amqp.RawProperties, to *Targets) {
	if len(x.bindings) == 0 {
		return
	}
	// SplitMix64: a message may go through several exchanges that choose.
	to.Seed += 0x9e3779b97f4a7c15
	id := &x.bindings[below(mix(to.Seed), uint64(len(x.bindings)))]
	to.Add(id.name, id.toExchange)
}
