package exchange

import (
	"cmp"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// modulusHash routes each message to the destination of one binding, whose number is a hash of the
// routing key modulo the count of bindings. They are numbered in the order of their keys, then of
// their destinations, so that the order in which they were made does not count.
type modulusHash struct {
	bindings []*patternID
}

func newModulusHash() Router { return new(modulusHash) }

func (x *modulusHash) Bind(b Binding) {
	id := newPatternID(&b)
	at, _ := slices.BinarySearchFunc(x.bindings, &id, comparePatternIDs)
	x.bindings = slices.Insert(x.bindings, at, &id)
}

func (x *modulusHash) Unbind(b Binding) {
	id := newPatternID(&b)
	if at, ok := slices.BinarySearchFunc(x.bindings, &id, comparePatternIDs); ok {
		x.bindings = slices.Delete(x.bindings, at, at+1)
	}
}

func (x *modulusHash) Route(key []byte, _ amqp.RawProperties, to *Targets) {
	if n := len(x.bindings); n > 0 {
		id := x.bindings[hashText(key)%uint64(n)]
		to.Add(id.name, id.toExchange)
	}
}

func comparePatternIDs(a, b *patternID) int {
	return cmp.Or(strings.Compare(a.key, b.key), compareKinds(a.toExchange, b.toExchange),
		strings.Compare(a.name, b.name), strings.Compare(a.arguments, b.arguments))
}

// compareKinds puts exchanges before queues.
func compareKinds(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
