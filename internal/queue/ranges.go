package queue

import "slices"

// Range is the numbers First to Last, both included.
type Range struct{ First, Last uint64 }

// gaps are the numbers below the newest one that have not come yet, as ranges in order. They
// are few: a number is missing for as long as its publisher is on its way from the store to the
// queue.
type gaps []Range

// search returns the index of the first gap that ends at n or later.
func (g gaps) search(n uint64) int {
	low, high := 0, len(g)
	for low < high {
		middle := int(uint(low+high) / 2)
		if g[middle].Last < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// fill takes n out: it has come.
func (g *gaps) fill(n uint64) {
	a := *g
	i := a.search(n)
	if i == len(a) || a[i].First > n {
		return
	}
	switch r := a[i]; {
	case r.First == r.Last:
		a = slices.Delete(a, i, i+1)
		if len(a) == 0 {
			a = nil
		}
	case n == r.First:
		a[i].First++
	case n == r.Last:
		a[i].Last--
	default:
		a[i].Last = n - 1
		a = slices.Insert(a, i+1, Range{n + 1, r.Last})
	}
	*g = a
}

// touches reports whether a number from first to last is missing.
func (g gaps) touches(first, last uint64) bool {
	i := g.search(first)
	return i < len(g) && g[i].First <= last
}

// Extent is a range of numbers and what is behind them: Count messages of Bytes bytes together.
type Extent struct {
	First, Last uint64
	Count       int
	Bytes       int64
}

// cost is what the messages of an extent count for as long as they are in memory.
func (e *Extent) cost() int { return int(e.Bytes) + e.Count*MessageOverhead }

// outRange is a range of messages that are not in memory, but in the store.
type outRange struct {
	Extent       // Count is at least 1
	after  int   // cost of the messages in memory between this range and the next
	bodies int64 // size of the messages' bodies
	// guessed: bodies is at most what Bytes says, and a guess from those that have been loaded.
	guessed bool
}

// out is the ready messages that are not in memory, as ranges in order. No number in them is
// missing, and none has a slot.
type out struct {
	ranges []outRange
	beyond int // sum of after: cost of the messages in memory behind the first range
}

// search returns the index of the first range that ends at n or later.
func (o *out) search(n uint64) int {
	low, high := 0, len(o.ranges)
	for low < high {
		middle := int(uint(low+high) / 2)
		if o.ranges[middle].Last < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// touches reports whether a number from first to last is out.
func (o *out) touches(first, last uint64) bool {
	i := o.search(first)
	return i < len(o.ranges) && o.ranges[i].First <= last
}

// came counts a message that came into memory.
func (o *out) came(n uint64, cost int) {
	i := len(o.ranges) - 1
	if n < o.ranges[i].First {
		if i = o.search(n) - 1; i < 0 {
			return
		}
	}
	o.ranges[i].after += cost
	o.beyond += cost
}

// insert makes e, whose bodies have that size, the range at: it stood behind range at - 1. Of what
// was behind that range, what costs after is behind e now.
func (o *out) insert(at int, e Extent, bodies int64, after int) {
	if at > 0 {
		o.ranges[at-1].after -= e.cost() + after
		o.beyond -= e.cost()
	}
	o.ranges = slices.Insert(o.ranges, at, outRange{Extent: e, after: after, bodies: bodies})
}

// join makes one range of range at and the next, between which nothing is.
func (o *out) join(at int) {
	r, next := &o.ranges[at], &o.ranges[at+1]
	r.Last, r.after = next.Last, next.after
	r.Count += next.Count
	r.Bytes += next.Bytes
	r.bodies += next.bodies
	r.guessed = r.guessed || next.guessed
	o.ranges = slices.Delete(o.ranges, at+1, at+2)
}

// amount is of messages.
type amount struct {
	count         int
	bytes, bodies int64
}

// advance lets the first range begin at n, after that much has come into memory, and returns by
// how much what was believed of the range was wrong: to be added to the totals. It stays possible
// that more is behind a range as long as it is not at its end.
func (o *out) advance(n uint64, came amount) (wrong amount) {
	r := &o.ranges[0]
	if n > r.Last {
		wrong = amount{came.count - r.Count, came.bytes - r.Bytes, came.bodies - r.bodies}
		o.beyond -= r.after
		if o.ranges = slices.Delete(o.ranges, 0, 1); len(o.ranges) == 0 {
			o.ranges = nil
		}
		return wrong
	}
	left := amount{
		count: min(max(r.Count-came.count, 1), int(min(r.Last-n+1, maxInt))),
		bytes: max(r.Bytes-came.bytes, 0), bodies: max(r.bodies-came.bodies, 0),
	}
	if r.guessed && came.bytes > 0 {
		left.bodies = int64(float64(left.bytes) * float64(came.bodies) / float64(came.bytes))
	}
	wrong = amount{
		left.count + came.count - r.Count, left.bytes + came.bytes - r.Bytes,
		left.bodies + came.bodies - r.bodies,
	}
	r.First, r.Count, r.Bytes, r.bodies = n, left.count, left.bytes, left.bodies
	return wrong
}

const maxInt = 1<<31 - 1

// newOut returns what is out after a recovery. Extents with little between them become one.
func newOut(extents []Extent) (o out) {
	for _, e := range extents {
		e.Count = min(e.Count, int(min(e.Last-e.First+1, maxInt)))
		if n := len(o.ranges); n > 0 {
			last := &o.ranges[n-1]
			if e.First-last.Last-1 <= uint64(min(last.Count, e.Count)) {
				last.Last = e.Last
				last.Count += e.Count
				last.Bytes += e.Bytes
				last.bodies += e.Bytes
				continue
			}
		}
		o.ranges = append(o.ranges, outRange{Extent: e, bodies: e.Bytes, guessed: true})
	}
	return o
}
