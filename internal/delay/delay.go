// Package delay holds what waits for its time, and says what is due and in which order.
//
// Floor 2: pure rules. It knows messages by their numbers and takes 16 bytes for each; where the
// messages are is the caller's business:
//
//	var p delay.Pending
//	p.Add(due, number)                 // milliseconds since 1970
//	for number, ok := p.Pop(now); ok; number, ok = p.Pop(now) {
//		// release it
//	}
//	at, some := p.Next()               // when to come again
package delay

// Pending is numbers that wait. What is due earlier comes first, and of what is due at the same
// moment the lower number, which came first. The zero Pending is empty. It is not safe for
// concurrent use.
type Pending struct {
	heap []entry
}

// entry is a number and its time. Four of them fill a line of the processor's cache, hence the
// shape of the heap.
type entry struct {
	due    int64
	number uint64
}

// arity is how many children each place of the heap has: with 4, adding and popping touch half as
// many lines of memory as with 2.
const arity = 4

// shrinkMin is the room, in numbers, below which memory is not given back.
const shrinkMin = 1024

func (e entry) before(o entry) bool {
	return e.due < o.due || e.due == o.due && e.number < o.number
}

// Len returns how many numbers wait.
func (p *Pending) Len() int { return len(p.heap) }

// Add lets a number wait until due. A number is added once.
func (p *Pending) Add(due int64, number uint64) {
	e := entry{due, number}
	i := len(p.heap)
	p.heap = append(p.heap, e)
	for i > 0 {
		parent := (i - 1) / arity
		if !e.before(p.heap[parent]) {
			break
		}
		p.heap[i] = p.heap[parent]
		i = parent
	}
	p.heap[i] = e
}

// Next returns when the first number is due; ok is false when none waits.
func (p *Pending) Next() (due int64, ok bool) {
	if len(p.heap) == 0 {
		return 0, false
	}
	return p.heap[0].due, true
}

// Pop takes the first number out if it is due by now.
func (p *Pending) Pop(now int64) (number uint64, ok bool) {
	if len(p.heap) == 0 || p.heap[0].due > now {
		return 0, false
	}
	number = p.heap[0].number
	last := len(p.heap) - 1
	e := p.heap[last]
	p.heap = p.heap[:last]
	if last > 0 {
		p.sink(e)
	}
	p.shrink()
	return number, true
}

// sink puts an entry into the hole at the top, or below.
func (p *Pending) sink(e entry) {
	i := 0
	for {
		first := arity*i + 1
		if first >= len(p.heap) {
			break
		}
		least := first
		for c := first + 1; c < min(first+arity, len(p.heap)); c++ {
			if p.heap[c].before(p.heap[least]) {
				least = c
			}
		}
		if !p.heap[least].before(e) {
			break
		}
		p.heap[i] = p.heap[least]
		i = least
	}
	p.heap[i] = e
}

// shrink gives memory back when three quarters of it are unused.
func (p *Pending) shrink() {
	if n := cap(p.heap); n > shrinkMin && len(p.heap) < n/4 {
		p.heap = append(make([]entry, 0, n/2), p.heap...)
	}
}

// Clear forgets all numbers.
func (p *Pending) Clear() { p.heap = nil }
