package queue

// holesMax is how far apart two settled messages may be to become one range.
const holesMax = pageSlots

// settled tells that the message seq, which the store has, is gone. Messages that go one after
// the other become one range, as long as nothing that the store may have lies between.
func (q *Queue) settled(seq uint64, effects []Effect) []Effect {
	if q.settling > 0 {
		e := &effects[q.settling-1]
		next := e.Last() + 1
		if seq == next || seq > next && seq-next < holesMax && q.nothingLives(next, seq-1) {
			e.Ready = int(seq - e.Seq + 1)
			return effects
		}
	}
	effects = append(effects, rangeEffect(Settled, seq, seq))
	q.settling = len(effects)
	return effects
}

// nothingLives reports whether the numbers from first to last have all come and are gone. Of a
// queue that has told of dead messages it is not known when they go.
func (q *Queue) nothingLives(first, last uint64) bool {
	if q.special != nil && q.special.dead.told {
		return false
	}
	next, found := q.slots.next(first)
	return (!found || next > last) && !q.gaps.touches(first, last) &&
		(len(q.out.ranges) == 0 || !q.out.touches(first, last))
}

// purging is what a purge has dropped and not yet removed from memory.
type purging struct {
	// ranges are where everything ready, except what came late, has been dropped.
	ranges []Range
	// returned are messages that had been delivered before, or came late.
	returned heap
	// levels are those of a priority queue.
	levels []*levels
}

func (p *purging) any() bool {
	return len(p.ranges) > 0 || len(p.returned) > 0 || len(p.levels) > 0
}

// purgeMax is the number of messages that one Apply removes after a purge.
const purgeMax = 4096

// purge drops the ready messages; unacknowledged ones stay. Those in memory are removed by and
// by: until then they have slots, which nobody can reach any more.
func (q *Queue) purge(effects []Effect) []Effect {
	dropped, count, bytes := q.ready, q.ready, 0
	for i := range q.out.ranges {
		r := &q.out.ranges[i]
		effects = append(effects, rangeEffect(Settled, r.First, r.Last))
		count -= r.Count
		bytes += int(r.Bytes)
	}
	q.bytes -= bytes
	switch {
	case count <= 0:
	case q.hasLevels():
		q.purging.levels = append(q.purging.levels, q.special.levels)
		q.special.levels = new(levels)
	default:
		q.purging.ranges = append(q.purging.ranges, Range{q.cursor, q.newest})
		q.dropReturned()
	}
	if q.special != nil {
		q.special.bodies = 0
	}
	q.bytes -= q.resident - count*MessageOverhead
	q.ready, q.resident, q.cursor = 0, 0, q.newest+1
	q.out = out{}
	q.paging.loading, q.paging.loadFailed = Range{}, false
	return append(effects, Effect{Kind: Purged, Ready: dropped})
}

// dropReturned hands over the messages below the cursor.
func (q *Queue) dropReturned() {
	if len(q.purging.returned) == 0 {
		q.purging.returned, q.returned = q.returned, q.purging.returned[:0]
		return
	}
	for _, seq := range q.returned {
		q.purging.returned.push(seq)
	}
	q.returned = nil
}

// purgeSome removes some of what has been purged.
func (q *Queue) purgeSome(effects []Effect) []Effect {
	p := &q.purging
	left := purgeMax
	for ; left > 0 && len(p.returned) > 0; left-- {
		effects = q.removePurged(p.returned.pop(), effects)
	}
	for ; left > 0 && len(p.levels) > 0; left-- {
		effects = q.removePurged(p.levels[0].pop(), effects)
		if p.levels[0].empty() {
			p.levels = p.levels[1:]
		}
	}
	for left > 0 && len(p.ranges) > 0 {
		r := &p.ranges[0]
		seq, found := q.slots.next(r.First)
		if !found || seq > r.Last {
			p.ranges = p.ranges[1:]
			continue
		}
		if s := q.slots.at(seq); s.state == slotReady && !s.late && !s.redelivered {
			effects = q.removePurged(seq, effects)
		}
		r.First = seq + 1
		left--
	}
	if len(p.ranges) == 0 {
		p.ranges = nil
	}
	if len(p.levels) == 0 {
		p.levels = nil
	}
	return effects
}

// removePurged removes a message that no total counts any more.
func (q *Queue) removePurged(seq uint64, effects []Effect) []Effect {
	s := q.slots.at(seq)
	stored := s.stored()
	q.releases.Add(&s.message)
	q.slots.remove(seq)
	if stored {
		effects = q.settled(seq, effects)
	}
	return effects
}
