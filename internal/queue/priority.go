package queue

import (
	"math/bits"

	"github.com/warrenmq/warren/internal/message"
)

// priority returns the priority of a message: 0 when it names none, at most MaxPriority.
func (s *Settings) priority(m *message.Message) uint8 {
	priority, _ := m.Properties().Priority()
	return min(priority, s.MaxPriority)
}

// levels holds the ready messages of a priority queue by number. All of them are in memory.
type levels struct {
	top    uint8     // the highest that is not empty; 0 if none is
	used   [4]uint64 // bit i: level i is not empty
	levels [256]*level
}

// level holds the ready messages of one priority: fresh ones in the order in which they came, and
// those that came late or returned.
type level struct {
	fresh    numbers
	returned heap
}

// add takes in a number that is not there.
func (l *levels) add(priority uint8, seq uint64) {
	v := l.levels[priority]
	if v == nil {
		v = new(level)
		l.levels[priority] = v
	}
	l.used[priority/64] |= 1 << (priority % 64)
	l.top = max(l.top, priority)
	if v.fresh.count > 0 && seq < v.fresh.last {
		v.returned.push(seq)
		return
	}
	v.fresh.push(seq)
}

// first returns the first number of the highest level; there is one.
func (l *levels) first() uint64 { return l.levels[l.top].first() }

func (v *level) first() uint64 {
	if v.fresh.count == 0 || len(v.returned) > 0 && v.returned[0] < v.fresh.first() {
		return v.returned[0]
	}
	return v.fresh.first()
}

// pop takes out what first returns.
func (l *levels) pop() uint64 {
	v := l.levels[l.top]
	seq := v.first()
	if v.fresh.count > 0 && v.fresh.first() == seq {
		v.fresh.pop()
	} else {
		v.returned.pop()
	}
	if v.fresh.count == 0 && len(v.returned) == 0 {
		l.used[l.top/64] &^= 1 << (l.top % 64)
		l.top = l.highest()
	}
	return seq
}

// highest returns the highest level that is not empty, or 0.
func (l *levels) highest() uint8 {
	for i := len(l.used) - 1; i > 0; i-- {
		if l.used[i] != 0 {
			return uint8(64*i + bits.Len64(l.used[i]) - 1)
		}
	}
	return uint8(max(1, bits.Len64(l.used[0])) - 1)
}

// empty reports whether no number is there.
func (l *levels) empty() bool { return l.used == [4]uint64{} }

// numbers is a queue of rising numbers that reuses its array. The zero value is empty.
type numbers struct {
	items []uint64 // length is a power of two
	head  int
	count int
	last  uint64 // pushed
}

func (n *numbers) first() uint64 { return n.items[n.head] }

func (n *numbers) push(seq uint64) {
	if n.count == len(n.items) {
		grown := make([]uint64, max(numbersMin, 2*len(n.items)))
		copied := copy(grown, n.items[n.head:])
		copy(grown[copied:], n.items[:n.head])
		n.items, n.head = grown, 0
	}
	n.items[(n.head+n.count)&(len(n.items)-1)] = seq
	n.count++
	n.last = seq
}

// numbersMin is the room that numbers begin with.
const numbersMin = 8

func (n *numbers) pop() uint64 {
	seq := n.items[n.head]
	n.head = (n.head + 1) & (len(n.items) - 1)
	if n.count--; n.count == 0 && len(n.items) > indexKept {
		n.items, n.head = nil, 0
	}
	return seq
}

// headByPriority returns the first ready message and its number. As long as some are not in memory
// it is not known which that is.
func (q *Queue) headByPriority() (uint64, *slot) {
	if len(q.out.ranges) > 0 {
		return 0, nil
	}
	seq := q.special.levels.first()
	return seq, q.slots.at(seq)
}
