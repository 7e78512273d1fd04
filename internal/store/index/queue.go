package index

import "iter"

// listKept is how long a list of extents may be to be kept by a queue that runs empty.
const listKept = 64

// Queue is the list of a queue's extents by rising numbers. The zero value is ready, and takes 64
// bytes. It must not be copied or moved: files refer to it.
type Queue struct {
	// Owner is the caller's, who finds his own data by it in what QueuesOf and Dirty name.
	Owner any

	list  []*Extent // from head on
	head  int
	live  int
	bytes int64
}

// Live returns how many messages of the queue are live, and about how many bytes they take.
func (q *Queue) Live() (count int, bytes int64) { return q.live, q.bytes }

// Extents returns the extents of the queue by rising numbers. The index must not be changed while
// the caller goes through them.
func (q *Queue) Extents() iter.Seq[*Extent] {
	return func(yield func(*Extent) bool) {
		for _, e := range q.list[q.head:] {
			if !yield(e) {
				return
			}
		}
	}
}

// In returns the extents that the queue has in file f, by rising numbers. There is more than one
// where the queue wrote to other files in between, or skipped many numbers. The index must not be
// changed while the caller goes through them.
func (q *Queue) In(f FileID) iter.Seq[*Extent] {
	return func(yield func(*Extent) bool) {
		for _, e := range q.list[q.head:] {
			if e.File == f && !yield(e) {
				return
			}
		}
	}
}

// Find returns the first extent whose Last is not below number, or nil. It is valid until the
// index is changed; to go on from it later, find e.Last+1.
func (q *Queue) Find(number uint64) *Extent {
	if i := q.search(number); i < len(q.list) {
		return q.list[i]
	}
	return nil
}

// search returns the place in the list of what Find finds.
func (q *Queue) search(number uint64) int {
	i, j := q.head, len(q.list)
	if i == j || number <= q.list[i].Last {
		return i // settled in order
	}
	for i < j {
		if m := int(uint(i+j) / 2); q.list[m].Last < number {
			i = m + 1
		} else {
			j = m
		}
	}
	return i
}

// last returns the last extent, or nil.
func (q *Queue) last() *Extent {
	if n := len(q.list); n > q.head {
		return q.list[n-1]
	}
	return nil
}

// push adds an extent at the end.
func (q *Queue) push(e *Extent) {
	e.queue = q
	if n := len(q.list); n == cap(q.list) && q.head > n/4 {
		n = copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, e)
}

// remove takes the extents from place i up to place j out of the list.
func (q *Queue) remove(i, j int) {
	if i == q.head {
		clear(q.list[i:j])
		q.head = j
	} else {
		n := i + copy(q.list[i:], q.list[j:])
		clear(q.list[n:])
		q.list = q.list[:n]
	}
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
		if cap(q.list) > listKept {
			q.list = nil
		}
	}
}
