package queue

import (
	"cmp"
	"slices"
)

// ruler is a queue with all its settings once more, slow and obvious: it has no pages, no store, no
// levels and no rings. Commands come to it one by one, each at a time of its own, and it does all
// that follows before the next.
type ruler struct {
	settings  Settings
	messages  []*ruled // ready, unacknowledged or dead, by number
	consumers []*rulerConsumer
	turn      []*rulerConsumer
	active    *rulerConsumer
	now       int64
	usedAt    int64
	ended     bool
	effects   []ruling
}

type ruled struct {
	seq              uint64
	size, body       int
	priority         uint8
	deadline, heldAt int64
	retryAt          int64 // of a dead one; 0: nobody has failed
	state            slotState
	redelivered      bool
	deliveries       uint32
	holder           *rulerConsumer
}

type rulerConsumer struct {
	number, prefetch, priority int
	noAck, getter, subscribed  bool
	timeout                    int64
}

// ruling is an Effect in the ruler's words.
type ruling struct {
	Kind        EffectKind
	Consumer    int // -1: none
	Seq         uint64
	Count       int // Ready of Deliver and Purged; Ticket
	Redelivered bool
	Deliveries  uint32
	Reason      Reason
}

func (r *ruler) tell(e ruling) { r.effects = append(r.effects, e) }

// in returns the messages in a state, in the order in which the queue delivers them.
func (r *ruler) in(state slotState) (found []*ruled) {
	for _, m := range r.messages {
		if m.state == state || state == slotDead && m.state > slotDead {
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b *ruled) int {
		return cmp.Compare(b.priority, a.priority)
	})
	return found
}

func sumOf(messages []*ruled) (bodies int64) {
	for _, m := range messages {
		bodies += int64(m.body)
	}
	return bodies
}

func (r *ruler) heldBy(c *rulerConsumer) (held []*ruled) {
	for _, m := range r.in(slotUnacked) {
		if m.holder == c {
			held = append(held, m)
		}
	}
	return held
}

func (r *ruler) canTake(c *rulerConsumer) bool {
	return c.subscribed && (!r.settings.SingleActive || c == r.active) &&
		(c.prefetch == 0 || len(r.heldBy(c)) < c.prefetch)
}

func (r *ruler) queueUp(c *rulerConsumer) {
	if r.canTake(c) && !slices.Contains(r.turn, c) {
		r.turn = append(r.turn, c)
	}
}

// offer finds who takes the next message: the first of the highest priority.
func (r *ruler) offer() *rulerConsumer {
	for len(r.turn) > 0 {
		best := 0
		for i, c := range r.turn {
			if c.priority > r.turn[best].priority {
				best = i
			}
		}
		c := r.turn[best]
		r.turn = slices.Delete(r.turn, best, best+1)
		if r.canTake(c) {
			r.turn = append(r.turn, c)
			return c
		}
	}
	return nil
}

func (r *ruler) give(m *ruled, c *rulerConsumer) {
	if m.state = slotUnacked; c.noAck {
		r.gone(m)
	}
	m.holder, m.heldAt = c, r.now
	r.tell(ruling{Kind: Deliver, Consumer: c.number, Seq: m.seq, Count: len(r.in(slotReady)),
		Redelivered: m.redelivered, Deliveries: m.deliveries})
}

func (r *ruler) gone(m *ruled) {
	m.state = slotFree
	r.messages = slices.DeleteFunc(r.messages, func(o *ruled) bool { return o == m })
}

// die drops a message.
func (r *ruler) die(m *ruled, reason Reason) {
	switch r.settings.DeadLetters {
	case NoDeadLetters:
		r.gone(m)
		return
	case AtMostOnce:
		r.gone(m)
	case AtLeastOnce:
		m.state, m.retryAt = slotDead+slotState(reason), 0
	}
	r.tell(ruling{Kind: Dead, Consumer: -1, Seq: m.seq, Reason: reason, Deliveries: m.deliveries})
}

func over(limit, have int64) bool { return limit >= 0 && have > limit }

func (r *ruler) enqueue(m *ruled, ticket int) {
	at, _ := slices.BinarySearchFunc(r.messages, m.seq,
		func(m *ruled, seq uint64) int { return cmp.Compare(m.seq, seq) })
	ready, dead := r.in(slotReady), r.in(slotDead)
	if s := &r.settings; s.Overflow != DropHead &&
		(over(s.MaxLength, int64(len(ready)+len(dead)+1)) ||
			over(s.MaxBytes, sumOf(ready)+sumOf(dead)+int64(m.body))) {
		r.tell(ruling{Kind: RefusedPublish, Consumer: -1, Seq: m.seq, Count: ticket})
		if s.Overflow == RejectPublishDeadLetter && s.DeadLetters != NoDeadLetters {
			r.tell(ruling{Kind: Dead, Consumer: -1, Seq: m.seq, Reason: MaxLen})
		}
		return
	}
	r.messages = slices.Insert(r.messages, at, m)
	m.state = slotReady
	if len(ready) == 0 {
		if c := r.offer(); c != nil {
			r.give(m, c)
			r.effects[len(r.effects)-1].Count = 0
			return
		}
	}
	r.dropOver()
}

func (r *ruler) dropOver() {
	for s := &r.settings; s.Overflow == DropHead; {
		ready := r.in(slotReady)
		if len(ready) == 0 || !over(s.MaxLength, int64(len(ready))) &&
			!over(s.MaxBytes, sumOf(ready)) {
			return
		}
		if ready[0].deadline <= r.now {
			r.die(ready[0], Expired)
		} else {
			r.die(ready[0], MaxLen)
		}
	}
}

func (r *ruler) sweep() {
	for {
		ready := r.in(slotReady)
		if len(ready) == 0 || ready[0].deadline > r.now {
			return
		}
		r.die(ready[0], Expired)
	}
}

func (r *ruler) release(m *ruled) {
	holder := m.holder
	m.holder, m.state = nil, slotFree
	r.queueUp(holder)
}

func (r *ruler) giveBack(m *ruled) {
	r.release(m)
	m.deliveries++
	m.redelivered = true
	if limit := r.settings.DeliveryLimit; limit >= 0 && int64(m.deliveries) > limit {
		r.die(m, DeliveryLimit)
		return
	}
	m.state = slotReady
}

func (r *ruler) get(c *rulerConsumer) {
	r.use()
	r.sweep()
	if ready := r.in(slotReady); len(ready) > 0 {
		r.give(ready[0], c)
		at := len(r.effects) - 1
		r.sweep()
		r.effects[at].Count = len(r.in(slotReady))
		return
	}
	r.tell(ruling{Kind: Empty, Consumer: c.number})
}

func (r *ruler) use() { r.usedAt, r.ended = r.now, false }

func (r *ruler) subscribe(c *rulerConsumer) {
	c.subscribed = true
	r.consumers = append(r.consumers, c)
	r.tell(ruling{Kind: Subscribed, Consumer: c.number})
	r.choose()
	r.queueUp(c)
}

func (r *ruler) cancel(c *rulerConsumer) {
	isC := func(o *rulerConsumer) bool { return o == c }
	c.subscribed = false
	r.consumers = slices.DeleteFunc(r.consumers, isC)
	r.turn = slices.DeleteFunc(r.turn, isC)
	if len(r.consumers) == 0 {
		r.use()
		r.tell(ruling{Kind: Unused, Consumer: -1})
	}
	r.choose()
}

// choose makes one consumer active, if only one may be.
func (r *ruler) choose() {
	if r.active != nil && !r.active.subscribed || !r.settings.SingleActive {
		r.active = nil
	}
	for _, c := range r.consumers {
		if !r.settings.SingleActive {
			break
		}
		if r.active == nil || !slices.Contains(r.consumers, r.active) {
			r.active = c
			for _, o := range r.consumers {
				if o.priority > r.active.priority {
					r.active = o
				}
			}
		}
	}
	r.turn = slices.DeleteFunc(r.turn, func(c *rulerConsumer) bool {
		return r.settings.SingleActive && c != r.active
	})
	for _, c := range r.consumers {
		r.queueUp(c)
	}
}

// lateAt returns when c will be late.
func (r *ruler) lateAt(c *rulerConsumer) int64 {
	timeout := r.settings.ConsumerTimeout
	if c.timeout > 0 {
		timeout = c.timeout
	}
	late := int64(never)
	if timeout <= 0 || c.getter {
		return late
	}
	for _, m := range r.heldBy(c) {
		late = min(late, m.heldAt+timeout)
	}
	return late
}

// follow does what follows from a command, or from the time alone.
func (r *ruler) follow(all []*rulerConsumer) {
	var late []*rulerConsumer
	for _, c := range all {
		if r.lateAt(c) <= r.now {
			late = append(late, c)
		}
	}
	for _, c := range late {
		if c.subscribed {
			r.tell(ruling{Kind: TimedOut, Consumer: c.number})
			r.cancel(c)
		}
		for _, m := range r.heldBy(c) {
			r.giveBack(m)
		}
	}
	if e := r.settings.Expires; e >= 0 && len(r.consumers) == 0 && !r.ended && r.now >= r.usedAt+e {
		r.ended = true
		r.tell(ruling{Kind: Ended, Consumer: -1})
	}
	for _, m := range r.in(slotDead) {
		if m.retryAt != 0 && m.retryAt <= r.now {
			m.retryAt = 0
			r.tell(ruling{Kind: Dead, Consumer: -1, Seq: m.seq, Reason: Reason(m.state - slotDead),
				Deliveries: m.deliveries})
		}
	}
	r.dropOver()
	for {
		r.sweep()
		ready := r.in(slotReady)
		if len(ready) == 0 {
			return
		}
		c := r.offer()
		if c == nil {
			return
		}
		r.give(ready[0], c)
	}
}

// next returns when something happens by itself.
func (r *ruler) next(all []*rulerConsumer) int64 {
	next := int64(never)
	if ready := r.in(slotReady); len(ready) > 0 {
		next = ready[0].deadline
	}
	for _, c := range all {
		next = min(next, r.lateAt(c))
	}
	for _, m := range r.in(slotDead) {
		if m.retryAt != 0 {
			next = min(next, m.retryAt)
		}
	}
	if e := r.settings.Expires; e >= 0 && len(r.consumers) == 0 && !r.ended {
		next = min(next, r.usedAt+e)
	}
	return next
}
