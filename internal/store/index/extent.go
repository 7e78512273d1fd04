package index

// Extent is one queue's part of one file. All live numbers from First to Last of the queue lie in
// the file between the bytes Start and End; so may other things. Its fields are for reading. An
// extent that an Index named is the index's: it is valid until the index is changed.
type Extent struct {
	File       FileID
	Start, End uint32 // bytes of the file; End is behind the last
	dirty      bool   // the next visit of Dirty names it
	listed     bool   // it is in the list of the index for Dirty, whether dirty or not
	cut        bool   // TruncateFrom was here: a later number begins another extent

	// First and Last are the numbers it spans. First does not change as long as the extent is in
	// this file: file, queue and First name it in the manifest.
	First, Last uint64

	Live  int   // numbers that are live
	Bytes int64 // about what they take of the file; 0 if none is live

	average int64 // of Bytes for a live message, as it was when take looked last
	gone    gone
	account *account // of File
	queue   *Queue
	next    *Extent // in the list of the account
	prev    *Extent
}

// IsLive reports whether a message of the extent is live.
func (e *Extent) IsLive(number uint64) bool {
	return number >= e.gone.below && number <= e.Last && !e.gone.has(number)
}

// NextLive returns the lowest live number that is not below from, if there is one.
func (e *Extent) NextLive(from uint64) (number uint64, ok bool) {
	if from > e.Last {
		return 0, false
	}
	number = e.gone.next(max(from, e.gone.below))
	return number, number <= e.Last
}

// LastLive returns the last number of the run of live numbers that begins with number, which is
// live.
func (e *Extent) LastLive(number uint64) uint64 {
	return min(e.gone.nextGone(number)-1, e.Last)
}

// full reports whether the extent cannot take the number at its end. One that is cut takes none:
// its bytes may hold another message of that number, which the new one must not be mixed up with.
func (e *Extent) full(number uint64) bool {
	return number-e.First >= SpanMax || number > NumberMax || e.cut
}

// inOrder reports whether from first to last there is only the beginning of what is live, and not
// all of it, where nothing is gone behind the beginning. It is how most messages are settled.
func (e *Extent) inOrder(first, last uint64) bool {
	return first <= e.gone.below && last >= e.gone.below && last < e.Last && len(e.gone.words) == 0
}

// settle marks what is live from first to last, which touch the extent, as gone, and says how many
// that were.
func (e *Extent) settle(first, last uint64) int {
	g := &e.gone
	last = min(last, e.Last)
	switch {
	case last < g.below:
		return 0
	case first <= g.below:
		count := int(last-g.below+1) - g.count(g.below, last)
		g.rise(last + 1)
		return count
	}
	return g.mark(first, last)
}

// truncate forgets the numbers from number on, which is above the lowest live one, and says how
// many of them were live.
func (e *Extent) truncate(number uint64) int {
	count := int(e.Last-number+1) - e.gone.count(number, e.Last)
	e.gone.cut(number)
	e.Last = number - 1
	return count
}

// tighten lets the extent begin and end with a live number.
func (e *Extent) tighten() {
	e.First, e.Last = e.gone.below, e.gone.previous(e.Last)
	e.gone.cut(e.Last + 1)
}

// take returns the bytes that count of its live messages took: about the average, and for the last
// of them the rest. The average is worked out anew only when it is off by an eighth or more: a
// division costs more than all else that is done for a message settled in order.
func (e *Extent) take(count int) int64 {
	if count == e.Live {
		return e.Bytes
	}
	if least := e.average * int64(e.Live); uint64(e.Bytes-least) > uint64(least)/8 {
		e.average = e.Bytes / int64(e.Live)
	}
	return e.average * int64(count)
}
