package index

// Settle makes the live messages of the queue from first to last gone, and says how many they were
// and about how many bytes they took: of the messages of an extent, each takes the average of those
// that were live, and the last one what is left. Numbers that are not live are passed over. Files
// in which nothing is live any more are appended to emptied.
func (x *Index) Settle(
	q *Queue, first, last uint64, emptied []FileID,
) (count int, bytes int64, out []FileID) {
	if q.head < len(q.list) {
		if e := q.list[q.head]; e.inOrder(first, last) {
			count = int(last - e.gone.below + 1)
			bytes = e.take(count)
			e.gone.below = last + 1
			x.reduce(e, count, bytes)
			return count, bytes, emptied
		}
	}
	return x.settle(q, first, last, emptied)
}

// settle is Settle for what is not the beginning of the queue.
func (x *Index) settle(
	q *Queue, first, last uint64, emptied []FileID,
) (count int, bytes int64, out []FileID) {
	if first > last {
		return 0, 0, emptied
	}
	i := q.search(first)
	from, to := i, i // the extents to be dropped: only one at either end can stay
	for ; i < len(q.list); i++ {
		e := q.list[i]
		if e.First > last {
			break
		}
		n, b := e.Live, e.Bytes
		if first > e.First || last < e.Last {
			n = e.settle(first, last)
			b = e.take(n)
		}
		count += n
		bytes += b
		if n < e.Live {
			if n > 0 {
				x.reduce(e, n, b)
			}
			if i == from {
				from, to = i+1, i+1
			}
			continue
		}
		emptied = x.drop(e, emptied)
		to = i + 1
	}
	if from < to {
		q.remove(from, to)
	}
	return count, bytes, emptied
}

// DeleteQueue makes everything of the queue gone. Files in which nothing is live any more are
// appended to emptied.
func (x *Index) DeleteQueue(q *Queue, emptied []FileID) []FileID {
	for _, e := range q.list[q.head:] {
		emptied = x.drop(e, emptied)
	}
	q.list, q.head = nil, 0
	return emptied
}

// TruncateFrom makes everything of the queue from number on gone, and forgets these numbers: they
// may be appended again. Files in which nothing is live any more are appended to emptied.
//
// A file may then hold two messages of one number. The extents tell which is meant: if a number is
// live, the bytes of the extent that it is in hold no other message of this number. Therefore what
// is left of the queue is cut, all of it: a file may hold forgotten messages beside any extent.
func (x *Index) TruncateFrom(q *Queue, number uint64, emptied []FileID) []FileID {
	i := q.search(number)
	if i < len(q.list) && q.list[i].gone.below < number {
		e := q.list[i]
		n := e.truncate(number)
		x.reduce(e, n, e.take(n)) // none, perhaps, but Last is another
		i++
	}
	for _, e := range q.list[i:] {
		emptied = x.drop(e, emptied)
	}
	q.remove(i, len(q.list))
	for e := range q.Extents() {
		e.cut = true
	}
	return emptied
}

// reduce takes count messages, not all, and their bytes off the accounts of an extent.
func (x *Index) reduce(e *Extent, count int, bytes int64) {
	e.Live -= count
	e.Bytes -= bytes
	a := e.account
	a.live -= count
	a.bytes -= bytes
	e.queue.live -= count
	e.queue.bytes -= bytes
	if a.tracked {
		x.soil(e)
	}
}

// drop forgets an extent of which nothing is live any more. The caller takes it out of the queue's
// list. The manifest has to be told of it too, so that what was settled does not come back.
func (x *Index) drop(e *Extent, emptied []FileID) []FileID {
	a := e.account
	x.reduce(e, e.Live, e.Bytes)
	e.unlink()
	e.gone.below = e.Last + 1
	e.gone.words = e.gone.words[:0]
	if a.live == 0 {
		emptied = append(emptied, a.id)
	}
	x.release(e)
	return emptied
}
