// Package wheel holds timers, up to millions of them: a hierarchical timing wheel in which
// setting and cancelling one takes the same short time however many there are.
//
// Floor 0, on nothing. Wheel is the pure core: it is told what time it is, and tells what is
// due. Timers drives one with the clock of the process, and sleeps while nothing is due.
//
//	var w wheel.Wheel[string]
//	h := w.Add(1500, "expire")   // at tick 1500
//	w.Cancel(h)                  // true: it will not come
//	due = w.Advance(2000, due)   // everything up to tick 2000, in order
package wheel

import "math/bits"

// Tick is a moment: the number of milliseconds since a moment that the caller chooses.
type Tick uint64

// Handle names a timer that was added; 0 names none. A handle does not name another timer later:
// its upper half counts additions, and is the same again only after four billion of them.
type Handle uint64

const (
	slotBits = 8
	slots    = 1 << slotBits
	// levels: a slot of level 0 is one tick, a slot of level 3 more than four hours. What is
	// more than 49 days away waits in one more list.
	levels = 4
	far    = levels * slots // the list of what is too far away
	idle   = far + 1        // the place of a node that is not in a list

	// nodesKept is the number of timers whose memory is kept when none is left.
	nodesKept = 4096
)

// Wheel is a set of timers with payloads. The zero value is empty and stands at tick 0. When P
// has no pointers, the garbage collector does not look at the timers. It belongs to one
// goroutine at a time.
//
// A timer lies at the level of the highest group of 8 bits in which its deadline differs from
// now, in the slot that this group says. So lower levels come first, slots of a level come in
// order, none wraps around; when the first of a slot's ticks is reached, what is in it moves to
// lower levels.
type Wheel[P any] struct {
	now   Tick
	count int
	added uint32
	free  uint32 // list of nodes not in use
	nodes []node[P]
	heads [far + 1]uint32
	used  [levels][slots / 64]uint64 // slots that are not empty, as bits
}

// node is a timer in a doubly linked list of slots; node 0 is nobody.
type node[P any] struct {
	deadline   Tick
	payload    P
	next, prev uint32
	added      uint32
	place      uint16
}

// Len returns how many timers there are.
func (w *Wheel[P]) Len() int { return w.count }

// Now returns the tick of the last Advance.
func (w *Wheel[P]) Now() Tick { return w.now }

// Add sets a timer. One whose deadline has passed is due at the next Advance. It allocates only
// while there are more timers than ever before.
func (w *Wheel[P]) Add(deadline Tick, payload P) Handle {
	i := w.free
	if i == 0 {
		i = w.grow()
	}
	n := &w.nodes[i]
	w.free = n.next
	w.added++
	w.count++
	n.deadline, n.payload, n.added = max(deadline, w.now), payload, w.added
	w.link(i, n)
	return Handle(n.added)<<32 | Handle(i)
}

// grow makes a node.
func (w *Wheel[P]) grow() uint32 {
	if len(w.nodes) == 0 {
		w.nodes = append(w.nodes, node[P]{place: idle})
	}
	w.nodes = append(w.nodes, node[P]{place: idle})
	return uint32(len(w.nodes) - 1)
}

// Cancel takes a timer away. It reports whether it was there: false means that it was due, or
// has been cancelled.
func (w *Wheel[P]) Cancel(h Handle) bool {
	i := uint32(h)
	if i == 0 || i >= uint32(len(w.nodes)) {
		return false
	}
	n := &w.nodes[i]
	if n.place == idle || n.added != uint32(h>>32) {
		return false
	}
	w.unlink(i, n)
	w.release(i, n)
	w.shrink()
	return true
}

// release makes node i free.
func (w *Wheel[P]) release(i uint32, n *node[P]) {
	var none P
	n.payload, n.place = none, idle
	n.next, w.free = w.free, i
	w.count--
}

// shrink gives memory back when many timers have gone and none is left.
func (w *Wheel[P]) shrink() {
	if w.count == 0 && len(w.nodes) > nodesKept {
		w.nodes, w.free = nil, 0
	}
}

// place returns the list that a deadline belongs to now.
func (w *Wheel[P]) place(deadline Tick) uint16 {
	level := max(bits.Len64(uint64(deadline^w.now))-1, 0) / slotBits
	if level >= levels {
		return far
	}
	slot := deadline >> (level * slotBits) & (slots - 1)
	return uint16(level*slots) + uint16(slot)
}

func (w *Wheel[P]) link(i uint32, n *node[P]) {
	place := w.place(n.deadline)
	first := w.heads[place]
	n.place, n.next, n.prev = place, first, 0
	if first != 0 {
		w.nodes[first].prev = i
	} else if place < far {
		w.used[place/slots][place%slots/64] |= 1 << (place % 64)
	}
	w.heads[place] = i
}

func (w *Wheel[P]) unlink(i uint32, n *node[P]) {
	if n.next != 0 {
		w.nodes[n.next].prev = n.prev
	}
	if n.prev != 0 {
		w.nodes[n.prev].next = n.next
		return
	}
	w.heads[n.place] = n.next
	if n.next == 0 {
		w.empty(n.place)
	}
}

func (w *Wheel[P]) empty(place uint16) {
	if place < far {
		w.used[place/slots][place%slots/64] &^= 1 << (place % 64)
	}
}

// Next returns the tick at which Advance has something to do next, false when there is no timer.
// No timer is due before it; at it one may be due, or only come nearer.
func (w *Wheel[P]) Next() (Tick, bool) {
	at, _, ok := w.first()
	return at, ok
}

// first returns the list that comes first, and when.
func (w *Wheel[P]) first() (at Tick, place uint16, ok bool) {
	if w.count == 0 {
		return 0, 0, false
	}
	for level := range levels {
		for i, word := range w.used[level] {
			if word == 0 {
				continue
			}
			slot := i*64 + bits.TrailingZeros64(word)
			shift := level * slotBits
			at = w.now>>(shift+slotBits)<<(shift+slotBits) | Tick(slot)<<shift
			return at, uint16(level*slots + slot), true
		}
	}
	const span = levels * slotBits
	return (w.now>>span + 1) << span, far, true
}

// Advance says that it is now, and appends to due the payloads of all timers up to now, in the
// order of their deadlines; those of one tick have no order. Time does not go back: an earlier
// tick than that of the last Advance is taken for that.
func (w *Wheel[P]) Advance(now Tick, due []P) []P {
	now = max(now, w.now)
	for {
		at, place, ok := w.first()
		if !ok || at > now {
			break
		}
		w.now = at
		i := w.heads[place]
		w.heads[place] = 0
		w.empty(place)
		for i != 0 {
			n := &w.nodes[i]
			next := n.next
			if n.deadline <= at {
				due = append(due, n.payload)
				w.release(i, n)
			} else {
				w.link(i, n)
			}
			i = next
		}
	}
	w.now = now
	w.shrink()
	return due
}
