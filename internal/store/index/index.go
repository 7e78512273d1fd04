// Package index knows which messages of every queue are live and where they lie on disk, without
// memory for each message.
//
// It is pure and stands on the floor of the rules: the store above it reads and writes the files,
// and tells the index what it wrote. Messages of a queue are told apart by their numbers, which
// rise. A queue has a list of extents, each for one stretch of its numbers in one file: the range
// of bytes that holds them, how many are live, and the set of those that are gone. A file has an
// account of what is live in it.
//
//	x.AddFile(7)
//	x.Append(q, 7, number, at, end, share)          // a message was written
//	n, bytes, emptied := x.Settle(q, 10, 20, nil)   // some were settled
//	for e := q.Find(from); e != nil; e = q.Find(e.Last + 1) {
//		// read bytes e.Start to e.End of e.File, take the numbers of which e.IsLive
//	}
//	x.Move(q, 7, 9, start, end)                     // what was live in file 7 is in file 9 now
//
// Nothing here may be used by two goroutines at once: the caller holds one lock around an Index
// and all its queues.
package index

import (
	"fmt"
	"iter"
)

// FileID is the number of a file.
type FileID uint32

// NumberMax is the highest number a message can have.
const NumberMax = 1<<63 - 1

// gapMax is how far the next number may lie behind the last one of an extent to continue it. A hole
// costs a bit for each number; another extent costs as much as a hole of this size.
const gapMax = 1024

// SpanMax is how many numbers an extent spans at most, live or gone. It bounds the memory of its
// set of gone numbers to half a mebibyte, also of one that is decoded from damaged bytes.
const SpanMax = 1 << 22

// freeMax is how many dropped extents are kept for reuse.
const freeMax = 1024

// dirtyMax is how many places of the list of changed extents are kept from one visit to the next.
const dirtyMax = 4096

// account says what is live in a file.
type account struct {
	id      FileID
	live    int
	bytes   int64
	extents *Extent // those with live messages, linked by next and prev
	tracked bool
	removed bool
}

// Index has the accounts of the files.
type Index struct {
	files   map[FileID]*account
	current *account // the file that was appended to last
	free    *Extent  // dropped extents, linked by next
	frees   int
	dirty   []*Extent // those that are listed
}

// New makes an index without files.
func New() *Index { return &Index{files: map[FileID]*account{}} }

// AddFile opens the account of a file. It panics if there is one.
func (x *Index) AddFile(f FileID) {
	if x.files[f] != nil {
		panic(fmt.Sprintf("index: file %d is added twice", f))
	}
	x.files[f] = &account{id: f}
}

// RemoveFile closes the account of a file. It panics if the file is not there or if something in it
// is live. What Dirty has not yet said of it will not be said.
func (x *Index) RemoveFile(f FileID) {
	a := x.account(f)
	if a.live != 0 {
		panic(fmt.Sprintf("index: file %d is removed with %d live messages", f, a.live))
	}
	a.removed = true
	delete(x.files, f)
	if x.current == a {
		x.current = nil
	}
}

// File returns how many live messages a file has and how many bytes they take; a message that is
// live in two queues counts in each. Of a file that is not there, nothing is live.
func (x *Index) File(f FileID) (live int, bytes int64) {
	if a := x.files[f]; a != nil {
		return a.live, a.bytes
	}
	return 0, 0
}

// QueuesOf returns the queues that have something live in a file at the moment of the call, each
// once. The index may be changed while the caller goes through them.
func (x *Index) QueuesOf(f FileID) iter.Seq[*Queue] {
	var queues []*Queue
	if a := x.files[f]; a != nil {
		seen := map[*Queue]struct{}{}
		for e := a.extents; e != nil; e = e.next {
			if _, ok := seen[e.queue]; !ok {
				seen[e.queue] = struct{}{}
				queues = append(queues, e.queue)
			}
		}
	}
	return func(yield func(*Queue) bool) {
		for _, q := range queues {
			if !yield(q) {
				return
			}
		}
	}
}

// account finds the account of a file, and remembers it: the next one is most often the same.
func (x *Index) account(f FileID) *account {
	if x.current != nil && x.current.id == f {
		return x.current
	}
	a := x.files[f]
	if a == nil {
		panic(fmt.Sprintf("index: there is no file %d", f))
	}
	x.current = a
	return a
}

// Append says that a message of the queue was written to file f: its record begins at byte at and
// ends before byte end, and the queue's share of it is share bytes. The number is higher than all
// the queue has in the index, else Append panics; numbers that were skipped are holes. Within a
// file, records are appended in rising order.
func (x *Index) Append(q *Queue, f FileID, number uint64, at, end uint32, share int64) {
	e := q.last()
	if e == nil || !e.takes(f, number) {
		e = x.begin(q, f, number, at)
	}
	x.extend(e, number, end, share)
}

// takes reports whether the extent can go on with a number behind its last one.
func (e *Extent) takes(f FileID, number uint64) bool {
	return e.File == f && number-e.Last-1 < gapMax && !e.full(number)
}

// extend counts a message that was written at the end of an extent: the first of a new one, or one
// that the extent takes.
func (x *Index) extend(e *Extent, number uint64, end uint32, share int64) {
	if number > e.Last {
		if number > e.Last+1 {
			e.gone.mark(e.Last+1, number-1)
		}
		e.Last = number
		if e.account.tracked {
			x.soil(e)
		}
	}
	e.End = end
	e.Live++
	e.Bytes += share
	e.account.live++
	e.account.bytes += share
	e.queue.live++
	e.queue.bytes += share
}

// begin gives the queue a new last extent, still without a message.
func (x *Index) begin(q *Queue, f FileID, number uint64, at uint32) *Extent {
	if last := q.last(); last != nil && number <= last.Last || number-1 >= NumberMax {
		panic(fmt.Sprintf("index: number %d is appended behind %+v", number, last))
	}
	e := x.take()
	e.File, e.Start = f, at
	e.First, e.Last, e.gone.below = number, number, number
	x.link(x.account(f), e)
	q.push(e)
	return e
}

// take makes an extent, or takes a dropped one. It is empty but for room for gone numbers.
func (x *Index) take() *Extent {
	e := x.free
	if e == nil {
		return &Extent{}
	}
	x.free, e.next = e.next, nil
	x.frees--
	return e
}

// release takes back an extent that no list has any more.
func (x *Index) release(e *Extent) {
	if e.listed || x.frees == freeMax {
		return
	}
	words := e.gone.words[:0]
	if cap(words) > wordsKept {
		words = nil
	}
	*e = Extent{next: x.free}
	e.gone.words = words
	x.free = e
	x.frees++
}

// link enters an extent in the list of a file.
func (x *Index) link(a *account, e *Extent) {
	e.account, e.File = a, a.id
	e.next = a.extents
	if e.next != nil {
		e.next.prev = e
	}
	a.extents = e
	if a.tracked {
		x.soil(e)
	}
}

// unlink takes it out again.
func (e *Extent) unlink() {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		e.account.extents = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.next, e.prev = nil, nil
}
