package queue

// MessageOverhead is what a message in memory counts for besides its bytes.
const MessageOverhead = 64

const (
	// headWindow is the cost of messages at the head that stay in memory, and the most that
	// reading ahead brings there.
	headWindow = 256 << 10
	// pageOutMax is the number of messages after which one Apply stops paging out and says
	// that there is more to do.
	pageOutMax = 4096
	// A run of messages is paged out when it costs at least runMin, or ends at a gap; it is at
	// most runMax messages, and no longer than runBytesMax and one message.
	runMin      = 16 << 10
	runMax      = 1024
	runBytesMax = 1 << 20
	// A missing number is waited for until gapPatience numbers have come after it, or the
	// queue holds gapPatienceBytes more than it should.
	gapPatience      = 1024
	gapPatienceBytes = 1 << 20
)

// paging is about what is not in memory.
type paging struct {
	residentMax int
	// shrink divides the limits in bytes by a power of two, so that tests reach them sooner.
	shrink uint

	spilling    Range // the run the store has been asked to spill; Last 0: none
	loading     Range // what the store has been asked to load; Last 0: nothing
	loadFailed  bool
	spillFailed bool
	took        bool // somebody took a message since reading ahead was thought of
	gets        ring // who asked for a message that is not in memory, in order
}

// run is some messages in a row that are ready, in memory and above the cursor.
type run struct {
	Extent
	bodies int64
	stored bool // the store has all of them
	at     int  // how many of the ranges that are out stand before it
	after  int  // if nothing is out: cost of the messages behind it
}

// SetResidentMax sets how many bytes the ready messages in memory may occupy, each with its
// Size and MessageOverhead; 0: without limit. What exceeds it is paged out by the next Apply,
// but for the head: 256 KiB of it may always be there, and up to 16 KiB besides. Messages that
// are unacknowledged, and those that returned or came late, stay in memory.
func (q *Queue) SetResidentMax(bytes int) { q.paging.residentMax = bytes }

// ResidentBytes returns the bytes that ready messages occupy in memory, see SetResidentMax.
func (q *Queue) ResidentBytes() int { return q.resident }

// Restore fills an empty, unused queue with messages that the store has from before; extents
// are in order, and each holds at least one message. Until a message is loaded, Ready and Bytes
// believe what the extents say.
func (q *Queue) Restore(extents []Extent) {
	if len(extents) == 0 {
		return
	}
	q.out = newOut(extents)
	q.cursor = extents[0].First
	q.newest = extents[len(extents)-1].Last
	for i := range q.out.ranges {
		q.ready += q.out.ranges[i].Count
		q.bytes += int(q.out.ranges[i].Bytes)
		if q.special != nil {
			q.special.bodies += int(q.out.ranges[i].bodies)
		}
	}
}

// pageOut drops messages that the store has until the rest is within the limit; those it does
// not have it is asked to spill first.
func (q *Queue) pageOut(effects []Effect) (out []Effect, unfinished bool) {
	p := &q.paging
	for left := pageOutMax; q.resident > p.residentMax && p.spilling.Last == 0; {
		if left <= 0 {
			return effects, true
		}
		r, ok := q.runToPageOut()
		switch {
		case !ok, !r.stored && p.spillFailed:
			return effects, false
		case !r.stored:
			return q.spill(&r, effects), false
		}
		left -= r.Count
		q.drop(&r)
	}
	return effects, false
}

// runToPageOut finds what goes next. Of a queue that grows it is the tail, its oldest messages
// first; then what is nearest to that on its other side; then what came late, in between.
func (q *Queue) runToPageOut() (r run, ok bool) {
	last := len(q.out.ranges) - 1
	if last < 0 {
		return q.runBefore()
	}
	if r, ok = q.runBehind(last); ok {
		return r, true
	}
	if r, ok = q.runBefore(); ok {
		return r, true
	}
	if q.out.beyond > q.out.ranges[last].after {
		for i := range last {
			if q.out.ranges[i].after > 0 {
				return q.runBehind(i)
			}
		}
	}
	return r, false
}

// runBehind finds the first messages behind range i of those that are out.
func (q *Queue) runBehind(i int) (r run, ok bool) {
	seq, found := q.slots.next(q.out.ranges[i].Last + 1)
	end, between := q.ceiling(), i+1 < len(q.out.ranges)
	if between {
		end = q.out.ranges[i+1].First
	}
	atGap := false
	if i := q.gaps.search(seq); i < len(q.gaps) && q.gaps[i].First < end {
		end, atGap = q.gaps[i].First, true
	}
	r = run{stored: true, at: i + 1}
	r.First = seq
	need := q.need()
	for found && seq < end && r.cost() < need && r.Count < runMax {
		r.add(q.slots.at(seq))
		r.Last = seq
		seq, found = q.slots.next(seq + 1)
	}
	atGap = atGap && (!found || seq >= end)
	return r, r.Count > 0 && (between || atGap || r.cost() >= q.shrunk(runMin))
}

// runBefore finds the last messages before everything that is out, or the last of all, without
// touching the head window. While a load is on its way nothing may come before it.
func (q *Queue) runBefore() (r run, ok bool) {
	if q.paging.loading.Last != 0 {
		return r, false
	}
	r.stored = true
	near := q.resident - q.out.beyond
	var seq uint64
	if len(q.out.ranges) > 0 {
		seq = q.out.ranges[0].First - 1
	} else {
		seq = q.ceiling() - 1
		r.after = q.costFrom(seq + 1)
		near -= r.after
	}
	seq, found := q.slots.previous(seq)
	floor, atGap := q.cursor, false
	if i := q.gaps.search(seq) - 1; i >= 0 && q.gaps[i].Last >= floor {
		floor, atGap = q.gaps[i].Last+1, true
	}
	r.Last = seq
	need := q.need()
	for found && seq >= floor && r.cost() < need && r.Count < runMax {
		s := q.slots.at(seq)
		if near-r.cost()-s.message.Size()-MessageOverhead < q.shrunk(headWindow) {
			return r, r.Count > 0 && r.cost() >= q.shrunk(runMin)
		}
		r.add(s)
		r.First = seq
		seq, found = q.slots.previous(seq - 1)
	}
	atGap = atGap && (!found || seq < floor)
	return r, r.Count > 0 && (atGap || r.cost() >= q.shrunk(runMin))
}

func (q *Queue) shrunk(limit int) int { return limit >> q.paging.shrink }

// need returns the cost at which a run is long enough.
func (q *Queue) need() int {
	return min(max(q.resident-q.paging.residentMax, q.shrunk(runMin)), q.shrunk(runBytesMax))
}

// ceiling returns the number at which paging out stops: nothing from there on is old enough to
// be without numbers that are still on their way.
func (q *Queue) ceiling() uint64 {
	end := q.newest + 1
	if q.resident-q.paging.residentMax > q.shrunk(gapPatienceBytes) {
		return end
	}
	for i := len(q.gaps) - 1; i >= 0 && q.gaps[i].First+gapPatience > q.newest; i-- {
		end = q.gaps[i].First
	}
	return end
}

// costFrom returns the cost of the messages from seq on: few, see ceiling.
func (q *Queue) costFrom(seq uint64) (cost int) {
	for {
		next, found := q.slots.next(seq)
		if !found {
			return cost
		}
		cost += q.slots.at(next).message.Size() + MessageOverhead
		seq = next + 1
	}
}

func (r *run) add(s *slot) {
	r.Count++
	r.Bytes += int64(s.message.Size())
	r.bodies += int64(len(s.message.Body()))
	r.stored = r.stored && s.stored()
}

// drop takes a run out of memory.
func (q *Queue) drop(r *run) {
	for seq := r.First; seq <= r.Last; seq++ {
		seq, _ = q.slots.next(seq)
		q.releases.Add(&q.slots.at(seq).message)
		q.slots.remove(seq)
	}
	q.resident -= r.cost()
	o := &q.out
	after := 0
	switch {
	case r.at > 0:
		after = o.ranges[r.at-1].after - r.cost()
	case len(o.ranges) == 0:
		after, o.beyond = r.after, r.after
	}
	o.insert(r.at, r.Extent, r.bodies, after)
	q.join(r.at)
	if r.at > 0 {
		q.join(r.at - 1)
	}
}

// join makes one range of range at and the next if there is nothing between them, neither in
// memory nor missing.
func (q *Queue) join(at int) {
	if r := q.out.ranges[at:]; len(r) > 1 && r[0].after == 0 &&
		!q.gaps.touches(r[0].Last+1, r[1].First-1) {
		q.out.join(at)
	}
}

// spill asks the store to take what it does not have of a run.
func (q *Queue) spill(r *run, effects []Effect) []Effect {
	q.paging.spilling = Range{}
	for seq := r.First; seq <= r.Last; seq++ {
		seq, _ = q.slots.next(seq)
		s := q.slots.at(seq)
		if s.stored() {
			continue
		}
		if q.paging.spilling.First == 0 {
			q.paging.spilling.First = seq
		}
		q.paging.spilling.Last = seq
		e := Effect{Kind: Spill, Seq: seq, Message: s.message}
		e.setAt(q.cameAt(seq, &s.message))
		effects = append(effects, e)
	}
	return effects
}

// spilled books that the store has the run that begins with first. What left the queue in the
// meantime is settled only now, when the store knows of it.
func (q *Queue) spilled(first uint64, effects []Effect) []Effect {
	r := q.paging.spilling
	if r.Last == 0 || r.First != first {
		return effects
	}
	q.paging.spilling = Range{}
	for from := r.First; from <= r.Last; {
		next, found := q.slots.next(from)
		if !found || next > r.Last {
			next = r.Last + 1
		} else if s := q.slots.at(next); s.message.ID == 0 {
			s.spilled = true
		}
		if next > from {
			effects = append(effects, rangeEffect(Settled, from, next-1))
		}
		from = next + 1
	}
	return effects
}
