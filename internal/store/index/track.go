package index

import (
	"errors"
	"fmt"
)

// TrackFile says that the extents of a file are kept in the manifest: Dirty names those that the
// manifest does not have as they are. All that are in the file now, and all that come by Append and
// Move, are such; those that come by Insert are from the manifest.
func (x *Index) TrackFile(f FileID) {
	a := x.account(f)
	a.tracked = true
	for e := a.extents; e != nil; e = e.next {
		x.soil(e)
	}
}

// Dirty visits the extents of tracked files that are new or changed since the last visit, and
// takes them for written. Of one that was dropped or moved to another file, Live is 0; its file,
// its queue and First say which it was. What the last visit of such a name says is what counts.
// Visit must not change the index, nor keep e.
func (x *Index) Dirty(visit func(q *Queue, e *Extent)) {
	for _, e := range x.dirty {
		e.listed = false
		if e.dirty && !e.account.removed {
			visit(e.queue, e)
		}
		e.dirty = false
		if e.Live == 0 {
			x.release(e)
		}
	}
	clear(x.dirty)
	x.dirty = x.dirty[:0]
	if cap(x.dirty) > dirtyMax {
		x.dirty = nil
	}
}

// soil has the extent named by Dirty.
func (x *Index) soil(e *Extent) {
	e.dirty = true
	if !e.listed {
		e.listed = true
		x.dirty = append(x.dirty, e)
	}
}

var errOverlap = errors.New("index: an extent overlaps another one of its queue")

// InsertRun says that messages of the queue, of rising numbers, were written to file f: the record
// of the i-th is from byte places[i] to byte places[i+1]. Unlike with Append, others of the queue
// may have higher numbers, but none between the first and the last, else the error says so and
// nothing is inserted. What follows on an extent without a gap, in number and in the file, extends
// it: a gap may still be filled.
func (x *Index) InsertRun(q *Queue, f FileID, numbers []uint64, places []uint32) error {
	i := q.search(numbers[0])
	if i < len(q.list) && q.list[i].First <= numbers[len(numbers)-1] {
		return errOverlap
	}
	if i > q.head && q.list[i-1].Last+1 == numbers[0] && q.list[i-1].End == places[0] {
		before := q.list[i-1]
		for len(numbers) > 0 && before.takes(f, numbers[0]) {
			x.extend(before, numbers[0], places[1], int64(places[1]-places[0]))
			numbers, places = numbers[1:], places[1:]
		}
		if len(numbers) == 0 {
			return nil
		}
	}
	var e Extent
	for i, n := range numbers {
		switch {
		case i == 0 || n-e.Last-1 >= gapMax || e.full(n):
			if err := x.Insert(q, e); err != nil {
				return err
			}
			e = Extent{File: f, Start: places[i], First: n}
			e.gone.below = n
		case n > e.Last+1:
			e.gone.mark(e.Last+1, n-1)
		}
		e.Last, e.End = n, places[i+1]
		e.Live++
		e.Bytes += int64(places[i+1] - places[i])
	}
	return x.Insert(q, e)
}

// Insert gives the queue an extent that was decoded from the manifest, in a file that has an
// account. They may come in any order; one with nothing live is passed over. An error says that the
// extent cannot be: its file is not there, or its numbers overlap those of another extent of the
// queue. The memory of e is the index's from then on.
func (x *Index) Insert(q *Queue, e Extent) error {
	if e.Live == 0 {
		return nil
	}
	a := x.files[e.File]
	if a == nil {
		return fmt.Errorf("index: an extent lies in file %d, which is not there", e.File)
	}
	i := q.search(e.First)
	if i < len(q.list) && q.list[i].First <= e.Last {
		return errOverlap
	}
	in := x.take()
	*in = e
	in.dirty, in.listed, in.cut = false, false, false
	in.next, in.prev = nil, nil
	tracked := a.tracked
	a.tracked = false // the manifest has it
	x.link(a, in)
	a.tracked = tracked
	i -= q.head
	q.push(in)
	i += q.head
	copy(q.list[i+1:], q.list[i:])
	q.list[i] = in
	a.live += e.Live
	a.bytes += e.Bytes
	q.live += e.Live
	q.bytes += e.Bytes
	return nil
}
