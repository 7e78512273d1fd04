// Package delay holds what waits for its time, and says what is due and in which order.
//
// Floor 2: pure rules. It knows messages by their numbers and takes 12 bytes for each; where the
// messages are is the caller's business:
//
//	var p delay.Pending
//	p.Add(due, number)                 // milliseconds since 1970
//	for number, ok := p.Pop(now); ok; number, ok = p.Pop(now) {
//		// release it
//	}
//	at, some := p.Next()               // when to come again
package delay

import "fmt"

// Pending is numbers that wait. What is due earlier comes first, and of what is due at the same
// moment the lower number, which came first. The zero Pending is empty. It is not safe for
// concurrent use.
type Pending struct {
	// pages are the places of a heap, one after the other: in one piece of memory that grows, they
	// would take twice as much for moments, and more than twice with the collector.
	pages []*page
	count int
}

// entry is a number and its time, 48 bits of each: it is these that a million of them cost.
type entry struct {
	due, number uint32 // the lower halves
	upper       uint32 // of due, then of number
}

const (
	// NumberMax is the greatest number that can wait: who counts a million a second gets there in
	// nine years.
	NumberMax = 1<<48 - 1
	// dueMax is the latest time, in the year 10889. What is due later is due then.
	dueMax = 1<<48 - 1
)

func newEntry(due int64, number uint64) entry {
	if number > NumberMax {
		panic(fmt.Sprintf("delay: number %d, at most %d", number, uint64(NumberMax)))
	}
	due = min(max(due, 0), dueMax)
	return entry{uint32(due), uint32(number), uint32(due>>32)<<16 | uint32(number>>32)}
}

func (e entry) time() int64 { return int64(e.upper>>16)<<32 | int64(e.due) }

func (e entry) id() uint64 { return uint64(e.upper&(1<<16-1))<<32 | uint64(e.number) }

const (
	// arity is how many children each place of the heap has: with 4, which lie side by side, adding
	// and popping touch half as many lines of memory as with 2.
	arity = 4
	// pageEntries is how many places come at once, a power of two.
	pageEntries = 1024
)

type page [pageEntries]entry

func (e entry) before(o entry) bool {
	a, b := e.time(), o.time()
	return a < b || a == b && e.id() < o.id()
}

func (p *Pending) at(i int) *entry { return &p.pages[i/pageEntries][i%pageEntries] }

// Len returns how many numbers wait.
func (p *Pending) Len() int { return p.count }

// Add lets a number, at most NumberMax, wait until due. A number is added once.
func (p *Pending) Add(due int64, number uint64) {
	e := newEntry(due, number)
	i := p.count
	if p.count++; p.count > len(p.pages)*pageEntries {
		p.pages = append(p.pages, new(page))
	}
	for i > 0 {
		parent := (i - 1) / arity
		above := p.at(parent)
		if !e.before(*above) {
			break
		}
		*p.at(i) = *above
		i = parent
	}
	*p.at(i) = e
}

// Next returns when the first number is due; ok is false when none waits.
func (p *Pending) Next() (due int64, ok bool) {
	if p.count == 0 {
		return 0, false
	}
	return p.at(0).time(), true
}

// Pop takes the first number out if it is due by now.
func (p *Pending) Pop(now int64) (number uint64, ok bool) {
	if due, ok := p.Next(); !ok || due > now {
		return 0, false
	}
	number = p.at(0).id()
	p.count--
	if p.count > 0 {
		p.sink(*p.at(p.count))
	}
	p.shrink()
	return number, true
}

// sink puts an entry into the hole at the top, or below.
func (p *Pending) sink(e entry) {
	i := 0
	for {
		first := arity*i + 1
		if first >= p.count {
			break
		}
		least, below := first, p.at(first)
		for c := first + 1; c < min(first+arity, p.count); c++ {
			if x := p.at(c); x.before(*below) {
				least, below = c, x
			}
		}
		if !below.before(e) {
			break
		}
		*p.at(i) = *below
		i = least
	}
	*p.at(i) = e
}

// shrink gives pages back that are not used, but for one.
func (p *Pending) shrink() {
	if last := len(p.pages) - 1; last > 0 && p.count <= (last-1)*pageEntries {
		p.pages[last] = nil
		p.pages = p.pages[:last]
	}
}

// Clear forgets all numbers.
func (p *Pending) Clear() { *p = Pending{} }
