package queue

import "reflect"

// fataler is what checkBooks needs of a test.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkBooks looks at everything a queue keeps: all of it must tell the same story.
func checkBooks(t fataler, q *Queue) {
	t.Helper()
	checkSlots(t, &q.slots)
	checkOrder(t, q)
	checkTotals(t, q)
	checkOut(t, q)
	checkTurn(t, q)
	if q.special != nil {
		checkSpecial(t, q)
	}
}

// each calls f with every slot that is not free, in order.
func (s *slots) each(f func(seq uint64, s *slot)) {
	for seq, found := s.next(0); found; seq, found = s.next(seq + 1) {
		f(seq, s.at(seq))
	}
}

// checkSlots: pages and folders are there for messages only.
func checkSlots(t fataler, s *slots) {
	t.Helper()
	for i, f := range s.folders {
		if i > 0 && s.folders[i-1].number >= f.number || f.used == 0 && i < len(s.folders)-1 {
			t.Fatalf("folder %d of %d: number %d, used %x", i, len(s.folders), f.number, f.used)
		}
		for j, p := range f.pages {
			if (p != nil) != (f.used>>j&1 == 1) {
				t.Fatalf("page %d of folder %d: %v, used %x", j, i, p != nil, f.used)
			}
			if p == nil {
				continue
			}
			if p.used == 0 || p.timed&^p.used != 0 {
				t.Fatalf("page %d of folder %d is %x, timed %x", j, i, p.used, p.timed)
			}
			for k := range p.slots {
				s := &p.slots[k]
				if free := s.state == slotFree; free != (p.used>>k&1 == 0) ||
					free && !reflect.ValueOf(*s).IsZero() {
					t.Fatalf("slot %d of page %d: %+v, used %x", k, j, *s, p.used)
				}
				if (s.state == slotUnacked) != (s.holder != nil) {
					t.Fatalf("slot %d of page %d: %+v", k, j, *s)
				}
			}
		}
	}
	if len(s.spares) > s.wanted || s.wanted > sparesMax {
		t.Fatalf("%d spare pages, %d wanted", len(s.spares), s.wanted)
	}
	for i, p := range s.spares[:cap(s.spares)] {
		if i >= len(s.spares) && p != nil {
			t.Fatalf("page %d is no spare and still kept", i)
		}
		if p != nil && (p.used != 0 || p.timed != 0 || !reflect.ValueOf(p.slots).IsZero()) {
			t.Fatalf("spare page %d is not clean", i)
		}
	}
}

// checkOrder: what is ready is what returned or came late, below the cursor, and everything in
// memory from there on. What is ready below the cursor otherwise has been purged.
func checkOrder(t fataler, q *Queue) {
	t.Helper()
	if q.hasLevels() {
		return
	}
	seen := make(map[uint64]bool)
	for i, seq := range q.returned {
		if i > 0 && q.returned[(i-1)/2] > seq {
			t.Fatalf("returned messages are no heap: %v", q.returned)
		}
		s := q.slots.at(seq)
		if s == nil || s.state != slotReady || !s.redelivered && !s.late || seq >= q.cursor ||
			seen[seq] {
			t.Fatalf("returned message %d: %+v, cursor %d", seq, s, q.cursor)
		}
		seen[seq] = true
	}
	for _, seq := range q.purging.returned {
		if s := q.slots.at(seq); s == nil || s.state != slotReady || seen[seq] {
			t.Fatalf("purged message %d: %+v", seq, s)
		}
		seen[seq] = true
	}
	q.slots.each(func(seq uint64, s *slot) {
		switch {
		case seq > q.newest:
			t.Fatalf("message %d, newest is %d", seq, q.newest)
		case seq >= q.cursor:
			if s.state != slotReady || s.redelivered || s.late {
				t.Fatalf("message %d behind the cursor: %+v", seq, *s)
			}
		case s.state == slotReady && !seen[seq]:
			purged := false
			for _, r := range q.purging.ranges {
				purged = purged || r.First <= seq && seq <= r.Last
			}
			if !purged || s.redelivered || s.late {
				t.Fatalf("nobody knows message %d: %+v", seq, *s)
			}
		}
	})
}

// checkTotals: the totals are those of the messages.
func checkTotals(t fataler, q *Queue) {
	t.Helper()
	counted := readyNumbers(q)
	var ready, unacked, bytes, resident int
	q.slots.each(func(seq uint64, s *slot) {
		switch {
		case s.state == slotUnacked:
			unacked++
			bytes += s.message.Size()
		case s.state > slotDead:
			bytes += s.message.Size()
		case counted[seq]:
			ready++
			bytes += s.message.Size()
			resident += s.message.Size() + MessageOverhead
		}
	})
	for _, r := range q.out.ranges {
		ready += r.Count
		bytes += int(r.Bytes)
	}
	if ready != q.ready || unacked != q.unacked || bytes != q.bytes || resident != q.resident {
		t.Fatalf("there are %d ready, %d unacked, %d bytes, %d resident; totals say %d, %d, %d, %d",
			ready, unacked, bytes, resident, q.ready, q.unacked, q.bytes, q.resident)
	}
}

// readyNumbers returns which messages in memory are ready.
func readyNumbers(q *Queue) map[uint64]bool {
	numbers := make(map[uint64]bool)
	if q.hasLevels() {
		for _, v := range q.special.levels.levels {
			if v == nil {
				continue
			}
			for i := range v.fresh.count {
				numbers[v.fresh.items[(v.fresh.head+i)&(len(v.fresh.items)-1)]] = true
			}
			for _, seq := range v.returned {
				numbers[seq] = true
			}
		}
		return numbers
	}
	for _, seq := range q.returned {
		numbers[seq] = true
	}
	q.slots.each(func(seq uint64, s *slot) {
		if seq >= q.cursor {
			numbers[seq] = true
		}
	})
	return numbers
}

// checkOut: what is missing and what is out lies apart from each other and from what is there.
func checkOut(t fataler, q *Queue) {
	t.Helper()
	for i, g := range q.gaps {
		if g.First > g.Last || g.Last >= q.newest || i > 0 && q.gaps[i-1].Last >= g.First {
			t.Fatalf("gap %d: %v, newest is %d", i, q.gaps, q.newest)
		}
		if seq, found := q.slots.next(g.First); found && seq <= g.Last {
			t.Fatalf("message %d is there and missing", seq)
		}
	}
	beyond := 0
	for i, r := range q.out.ranges {
		end := q.newest + 1
		if i+1 < len(q.out.ranges) {
			end = q.out.ranges[i+1].First
		}
		if r.First < q.cursor && !q.hasLevels() ||
			r.First > r.Last || r.Last >= end || r.Count < 1 ||
			uint64(r.Count) > r.Last-r.First+1 || q.gaps.touches(r.First, r.Last) {
			t.Fatalf("range %d: %+v, cursor %d, newest %d, gaps %v", i, r, q.cursor, q.newest,
				q.gaps)
		}
		if seq, found := q.slots.next(r.First); found && seq <= r.Last {
			t.Fatalf("message %d is there and out", seq)
		}
		after := 0
		q.slots.each(func(seq uint64, s *slot) {
			if r.Last < seq && seq < end {
				after += s.message.Size() + MessageOverhead
			}
		})
		if after != r.after {
			t.Fatalf("behind range %d are %d, it says %d", i, after, r.after)
		}
		beyond += after
	}
	if beyond != q.out.beyond {
		t.Fatalf("behind the first range are %d, totals say %d", beyond, q.out.beyond)
	}
	if l := q.paging.loading; l.Last != 0 && (len(q.out.ranges) == 0 ||
		l.First != q.out.ranges[0].First || l.Last > q.out.ranges[0].Last) {
		t.Fatalf("%v is being loaded, out is %+v", l, q.out.ranges)
	}
}
