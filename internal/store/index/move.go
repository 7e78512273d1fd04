package index

// joinMax is how many bytes may lie between two extents of a queue in a file that become one.
const joinMax = 64 << 10

// Move says that what is live of the queue in file from is now in file to, between the bytes start
// and end. The extents keep their numbers and what is gone of them. Each of them gets all these
// bytes: where a queue has several in one file that others come between, MoveRange for each is
// more exact. An extent that follows another one of the queue in file to, close by in numbers and
// in bytes, is joined to it.
func (x *Index) Move(q *Queue, from, to FileID, start, end uint32) {
	x.MoveRange(q, from, to, 0, NumberMax, start, end)
}

// MoveRange is Move for those extents that lie between the numbers first and last, as they were
// when their bytes were copied. An extent that has been dropped since is passed over, and so is a
// message that was settled.
func (x *Index) MoveRange(q *Queue, from, to FileID, first, last uint64, start, end uint32) {
	source, target := x.account(from), x.account(to)
	if source == target {
		return
	}
	kept := q.head
	for _, e := range q.list[q.head:] {
		if e.account == source && e.First >= first && e.Last <= last {
			x.move(e, target)
			e.Start, e.End = start, end
			e.tighten()
			if kept > q.head && q.list[kept-1].joins(e) {
				x.join(q.list[kept-1], e)
				continue
			}
		}
		q.list[kept] = e
		kept++
	}
	q.remove(kept, len(q.list))
}

// move takes an extent from the account of its file to that of another.
func (x *Index) move(e *Extent, target *account) {
	e.unlink()
	if e.account.tracked {
		x.bury(e)
	}
	e.account.live -= e.Live
	e.account.bytes -= e.Bytes
	target.live += e.Live
	target.bytes += e.Bytes
	e.dirty = false // of its old file
	x.link(target, e)
}

// bury has Dirty say that an extent is no more in its file.
func (x *Index) bury(e *Extent) {
	x.soil(&Extent{
		File: e.File, Start: e.Start, End: e.End, First: e.First, Last: e.Last,
		gone: gone{below: e.Last + 1}, account: e.account, queue: e.queue,
	})
}

// joins reports whether e, the next extent of the queue, can be joined to p.
func (p *Extent) joins(e *Extent) bool {
	return p.account == e.account && !p.cut &&
		e.First-p.Last <= gapMax && e.Last-p.First < SpanMax &&
		e.Start >= p.Start && uint64(e.Start) <= uint64(p.End)+joinMax
}

// join takes what e, which was just moved, has into p. The manifest does not have e in this file,
// so that it need not be told that it is no more.
func (x *Index) join(p, e *Extent) {
	if e.First > p.Last+1 {
		p.gone.mark(p.Last+1, e.First-1)
	}
	for n := e.gone.nextGone(e.First); n < e.Last; n = e.gone.nextGone(n) {
		live := e.gone.next(n)
		p.gone.mark(n, live-1)
		n = live
	}
	p.Last, p.End = e.Last, max(p.End, e.End)
	p.Live += e.Live
	p.Bytes += e.Bytes
	if p.account.tracked {
		x.soil(p)
	}
	e.unlink()
	e.dirty = false
	e.Live, e.Bytes = 0, 0
	x.release(e)
}
