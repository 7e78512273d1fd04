package queue

import "slices"

// checkTurn: whoever waits is in the ring of its priority once, and the rings forget the others.
func checkTurn(t fataler, q *Queue) {
	t.Helper()
	inRing := make(map[*Consumer]bool)
	checkRing(t, &q.waiting, q.priority, inRing)
	if r := q.ranks; r != nil {
		if r.inUse >= len(r.rings) || r.rings[r.inUse].priority != q.priority ||
			len(r.rings) > len(q.consumers)+1 {
			t.Fatalf("ring %d of %+v is in use, for priority %d", r.inUse, r.rings, q.priority)
		}
		for i := range r.rings {
			k := &r.rings[i]
			checkRing(t, &k.ring, k.priority, inRing)
			if i > 0 && r.rings[i-1].priority <= k.priority ||
				k.ring.len() > 0 && (i <= r.inUse || q.waiting.len() == 0) {
				t.Fatalf("ring %d of %+v, in use %d", i, r.rings, r.inUse)
			}
		}
	} else if q.priority != 0 {
		t.Fatalf("one ring, of priority %d", q.priority)
	}
	for i, c := range q.consumers[:cap(q.consumers)] {
		if (i < len(q.consumers)) != (c != nil) {
			t.Fatalf("place %d of %d consumers: %v", i, len(q.consumers), c)
		}
		if c != nil && (!c.subscribed || c.waiting != inRing[c]) {
			t.Fatalf("consumer %+v, in the turn: %v", c, inRing[c])
		}
	}
	for range q.paging.gets.len() {
		c := q.paging.gets.pop()
		if c == nil || q.ready == 0 {
			t.Fatalf("%v waits for an answer, %d are ready", c, q.ready)
		}
		q.paging.gets.push(c)
	}
}

func checkRing(t fataler, r *ring, priority int, inRing map[*Consumer]bool) {
	t.Helper()
	for i := range r.items {
		c := r.items[(r.head+i)&(len(r.items)-1)]
		if (i < r.count) != (c != nil) {
			t.Fatalf("place %d of %d in the turn: %v", i, r.count, c)
		}
		if c == nil {
			continue
		}
		if inRing[c] || !c.waiting || !c.active || !c.subscribed || c.Priority != priority {
			t.Fatalf("consumer in the turn: %+v", c)
		}
		inRing[c] = true
	}
}

// checkSpecial looks at what a queue that is not plain keeps besides.
func checkSpecial(t fataler, q *Queue) {
	t.Helper()
	x := q.special
	bodies, dead, deadBodies := 0, 0, 0
	for _, r := range q.out.ranges {
		bodies += int(r.bodies)
	}
	for seq := range readyNumbers(q) {
		s := q.slots.at(seq)
		if s == nil || s.state != slotReady {
			t.Fatalf("message %d is ready: %+v", seq, s)
		}
		bodies += len(s.message.Body())
	}
	q.slots.each(func(seq uint64, s *slot) {
		if s.state > slotDead {
			dead++
			deadBodies += len(s.message.Body())
		}
	})
	if x.bodies != bodies || x.dead.count != dead || x.dead.bodies != deadBodies {
		t.Fatalf("the ready have %d bytes of body, %d are dead, with %d; totals say %d, %d, %d",
			bodies, dead, deadBodies, x.bodies, x.dead.count, x.dead.bodies)
	}
	for _, c := range q.consumers {
		if c.active != (!x.settings.SingleActive || c == x.active) {
			t.Fatalf("consumer %+v, active is %+v", c, x.active)
		}
	}
	if (x.active != nil) != (x.settings.SingleActive && len(q.consumers) > 0) {
		t.Fatalf("of %d consumers %v is active", len(q.consumers), x.active)
	}
	for _, c := range x.watch.consumers {
		if !c.watched {
			t.Fatalf("consumer %+v is watched", c)
		}
		for _, h := range c.holdings {
			if q.holds(c, h) && after(h.at, max(0, x.timeout(c))) < x.watch.next {
				t.Fatalf("held since %d, next is %d", h.at, x.watch.next)
			}
		}
	}
	if x.dropped != 0 || x.expiring == false && anyTimed(&q.slots) {
		t.Fatalf("%d dropped, expiring: %v", x.dropped, x.expiring)
	}
	if x.levels != nil {
		checkLevels(t, x.levels)
	}
}

func anyTimed(s *slots) (any bool) {
	s.each(func(seq uint64, _ *slot) { any = any || s.deadline(seq) != never })
	return any
}

func checkLevels(t fataler, l *levels) {
	t.Helper()
	if l.top != l.highest() {
		t.Fatalf("the highest level is %d, not %d", l.highest(), l.top)
	}
	for i, v := range l.levels {
		used := v != nil && v.fresh.count+len(v.returned) > 0
		if used != (l.used[i/64]>>(i%64)&1 == 1) {
			t.Fatalf("level %d is used: %v", i, used)
		}
		if v == nil {
			continue
		}
		var fresh []uint64
		for k := range v.fresh.count {
			fresh = append(fresh, v.fresh.items[(v.fresh.head+k)&(len(v.fresh.items)-1)])
		}
		if !slices.IsSorted(fresh) {
			t.Fatalf("level %d: %v", i, fresh)
		}
	}
}
