package queue

import "slices"

// ranks are the rings of consumers of a queue where not all have priority 0: one for each
// priority, the highest first. The ring of one of them is in use: it is the queue's waiting, and
// empty here. It is the highest that is not empty; when it is empty, so are all.
type ranks struct {
	rings []rank
	inUse int
}

type rank struct {
	priority int
	ring     ring
}

// find returns the index of the ring of a priority, or where it belongs.
func (r *ranks) find(priority int) (at int, found bool) {
	return slices.BinarySearchFunc(r.rings, priority, func(r rank, priority int) int {
		switch {
		case r.priority > priority:
			return -1
		case r.priority < priority:
			return 1
		}
		return 0
	})
}

// pick returns the consumer whose turn it is to take a message of the given size, and moves it
// to the end of the turn; nil when none can. A consumer that cannot leaves the turn until an
// acknowledgement or a Resume brings it back.
func (q *Queue) pick(size int) *Consumer {
	for q.waiting.len() > 0 {
		c := q.waiting.pop()
		if c.active && c.hasCredit() && (c.Gate == nil || c.Gate.Admit(size)) {
			q.waiting.push(c)
			return c
		}
		c.waiting = false
		if q.ranks != nil {
			q.nextRank()
		}
	}
	return nil
}

// wait puts c into the turn, if it is not there and could take a message.
func (q *Queue) wait(c *Consumer) {
	if c.active && !c.waiting && c.hasCredit() {
		q.lineUp(c)
	}
}

// lineUp puts c at the end of the turn.
func (q *Queue) lineUp(c *Consumer) {
	c.waiting = true
	if c.Priority == q.priority {
		q.waiting.push(c)
		return
	}
	at, _ := q.ranks.find(c.Priority)
	q.ranks.rings[at].ring.push(c)
	if c.Priority > q.priority || q.waiting.len() == 0 {
		q.useRank(at)
	}
}

// joinRank makes the ring for the priority of c if there is none.
func (q *Queue) joinRank(c *Consumer) {
	if q.ranks == nil {
		if c.Priority == 0 {
			return
		}
		q.ranks = &ranks{rings: []rank{{}}}
	}
	r := q.ranks
	if at, found := r.find(c.Priority); !found {
		r.rings = slices.Insert(r.rings, at, rank{priority: c.Priority})
		if at <= r.inUse {
			r.inUse++
		}
	}
}

// leaveTurn takes c out of the turn.
func (q *Queue) leaveTurn(c *Consumer) {
	if !c.waiting {
		return
	}
	c.waiting = false
	if c.Priority != q.priority {
		at, _ := q.ranks.find(c.Priority)
		q.ranks.rings[at].ring.remove(c)
		return
	}
	if q.waiting.remove(c); q.ranks != nil {
		q.nextRank()
	}
}

// leaveRank takes away the ring of c, which is no consumer any more, when no other needs it.
func (q *Queue) leaveRank(c *Consumer) {
	r := q.ranks
	if r == nil {
		return
	}
	if len(q.consumers) == 0 {
		q.ranks, q.priority, q.waiting = nil, 0, ring{}
		return
	}
	for _, other := range q.consumers {
		if other.Priority == c.Priority {
			return
		}
	}
	at, _ := r.find(c.Priority)
	if at == r.inUse { // then all rings are empty
		q.useRank((at + 1) % len(r.rings))
	}
	r.rings = slices.Delete(r.rings, at, at+1)
	if at < r.inUse {
		r.inUse--
	}
}

// nextRank lets the highest ring that is not empty be the one in use, if that is empty.
func (q *Queue) nextRank() {
	if q.waiting.len() > 0 {
		return
	}
	for at := range q.ranks.rings {
		if q.ranks.rings[at].ring.len() > 0 {
			q.useRank(at)
			return
		}
	}
}

// useRank lets another ring be the one in use.
func (q *Queue) useRank(at int) {
	r := q.ranks
	r.rings[r.inUse].ring = q.waiting
	r.inUse, q.priority, q.waiting = at, r.rings[at].priority, r.rings[at].ring
	r.rings[at].ring = ring{}
}

func (q *Queue) subscribe(c *Consumer, effects []Effect) []Effect {
	single := q.special != nil && q.special.settings.SingleActive
	if q.exclusive || c.Exclusive && (len(q.consumers) > 0 || single) {
		return append(effects, Effect{Kind: Refused, Consumer: c})
	}
	q.exclusive = c.Exclusive
	q.consumers = append(q.consumers, c)
	c.subscribed, c.active = true, !single
	q.joinRank(c)
	if c.Timeout > 0 {
		q.makeSpecial()
	}
	if single {
		q.chooseActive()
	}
	q.wait(c)
	return append(effects, Effect{Kind: Subscribed, Consumer: c})
}

func (q *Queue) cancel(c *Consumer, effects []Effect) []Effect {
	at := slices.Index(q.consumers, c)
	if at < 0 {
		q.paging.gets.remove(c)
		return effects
	}
	c.subscribed, c.active = false, false
	q.leaveTurn(c)
	q.consumers = slices.Delete(q.consumers, at, at+1)
	q.leaveRank(c)
	if c.Exclusive {
		q.exclusive = false
	}
	if q.special != nil && q.special.active == c {
		q.special.active = nil
		q.chooseActive()
	}
	if len(q.consumers) == 0 {
		q.touch()
		effects = append(effects, Effect{Kind: Unused})
	}
	return effects
}

// chooseActive lets all consumers of a special queue get messages, or the single one that may: it
// stays until it is cancelled; then it is the one that came first, of those of the highest
// priority.
func (q *Queue) chooseActive() {
	x := q.special
	single := x.settings.SingleActive
	if !single {
		x.active = nil
	} else if x.active == nil {
		for _, c := range q.consumers {
			if x.active == nil || c.Priority > x.active.Priority {
				x.active = c
			}
		}
	}
	for _, c := range q.consumers {
		switch c.active = !single || c == x.active; {
		case c.active:
			q.wait(c)
		case c.waiting:
			q.leaveTurn(c)
		}
	}
}
