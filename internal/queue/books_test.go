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
	checkSlots(t, q)
	checkOrder(t, q)
	checkTurn(t, q)
}

// checkSlots: pages are there for messages only, and the totals are those of the messages.
func checkSlots(t fataler, q *Queue) {
	t.Helper()
	s := &q.slots
	var ready, unacked, bytes int
	for i, p := range s.pages[:cap(s.pages)] {
		if p == nil {
			if i == s.head && i < len(s.pages) {
				t.Fatalf("the first page, %d, is empty", i)
			}
			continue
		}
		if i < s.head || i >= len(s.pages) {
			t.Fatalf("page %d kept outside of %d to %d", i, s.head, len(s.pages))
		}
		used := 0
		for j := range p.slots {
			slot := &p.slots[j]
			switch slot.state {
			case slotFree:
				if !reflect.ValueOf(*slot).IsZero() {
					t.Fatalf("free slot %d of page %d is not clean", j, i)
				}
				continue
			case slotReady:
				ready++
			case slotUnacked:
				unacked++
			}
			used++
			bytes += slot.message.Size()
			if (slot.state == slotUnacked) != (slot.holder != nil) {
				t.Fatalf("slot %d of page %d: state %d, holder %v", j, i, slot.state, slot.holder)
			}
		}
		if used != p.used || used == 0 {
			t.Fatalf("page %d says %d used, has %d", i, p.used, used)
		}
	}
	if len(s.spares) > s.wanted || s.wanted > sparesMax {
		t.Fatalf("%d spare pages, %d wanted", len(s.spares), s.wanted)
	}
	for i, p := range s.spares[:cap(s.spares)] {
		if i >= len(s.spares) && p != nil {
			t.Fatalf("page %d is no spare and still kept", i)
		}
		if p != nil && !reflect.ValueOf(*p).IsZero() {
			t.Fatalf("spare page %d is not clean", i)
		}
	}
	if ready != q.ready || unacked != q.unacked || bytes != q.bytes {
		t.Fatalf("pages hold %d ready, %d unacked, %d bytes; totals say %d, %d, %d",
			ready, unacked, bytes, q.ready, q.unacked, q.bytes)
	}
}

// checkOrder: what is ready is what returned, below the cursor, and everything from the cursor
// to the tail.
func checkOrder(t fataler, q *Queue) {
	t.Helper()
	seen := make(map[uint64]bool)
	for i, seq := range q.returned {
		if i > 0 && q.returned[(i-1)/2] > seq {
			t.Fatalf("returned messages are no heap: %v", q.returned)
		}
		s := q.slots.at(seq)
		if s == nil || s.state != slotReady || !s.redelivered || seq >= q.cursor || seen[seq] {
			t.Fatalf("returned message %d: %+v, cursor %d", seq, s, q.cursor)
		}
		seen[seq] = true
	}
	for seq := q.cursor; seq < q.tail; seq++ {
		if s := q.slots.at(seq); s == nil || s.state != slotReady || s.redelivered {
			t.Fatalf("message %d behind the cursor: %+v", seq, s)
		}
	}
	if n := len(q.returned) + int(q.tail-q.cursor); n != q.ready {
		t.Fatalf("%d ready, found %d", q.ready, n)
	}
}

// checkTurn: whoever waits is in the ring once, and the ring forgets the others.
func checkTurn(t fataler, q *Queue) {
	t.Helper()
	inRing := make(map[*Consumer]bool)
	for i := range q.waiting.items {
		c := q.waiting.items[(q.waiting.head+i)&(len(q.waiting.items)-1)]
		if (i < q.waiting.count) != (c != nil) {
			t.Fatalf("place %d of %d in the turn: %v", i, q.waiting.count, c)
		}
		if c == nil {
			continue
		}
		if inRing[c] || !c.waiting || !c.subscribed {
			t.Fatalf("consumer in the turn: %+v", c)
		}
		inRing[c] = true
	}
	for i, c := range q.consumers[:cap(q.consumers)] {
		if (i < len(q.consumers)) != (c != nil) {
			t.Fatalf("place %d of %d consumers: %v", i, len(q.consumers), c)
		}
		if c != nil && (!c.subscribed || c.waiting != inRing[c]) {
			t.Fatalf("consumer %+v, in the turn: %v", c, inRing[c])
		}
	}
}
