package queue

import "slices"

// watch is about consumers that may not hold messages for longer than a time.
type watch struct {
	consumers []*Consumer // that hold messages, or held some
	next      int64       // nobody is late before; never: nobody holds anything
}

// holding is one message that went to a consumer with a timeout. The message is still with it if
// the slot says so and its deliveries are the same.
type holding struct {
	seq        uint64
	at         int64
	deliveries uint32
}

// holdingsSlack is how many more entries than messages a consumer has before they are sorted out.
const holdingsSlack = 64

// timeout returns for how many ms c may hold a message; None: as long as it likes.
func (x *special) timeout(c *Consumer) int64 {
	switch {
	case c.Timeout > 0:
		return c.Timeout
	case x.settings.ConsumerTimeout > 0:
		return x.settings.ConsumerTimeout
	}
	return None
}

// watchOver remembers when c, which has a timeout, got the message in s. Who only gets is not
// watched.
func (q *Queue) watchOver(seq uint64, s *slot, c *Consumer) {
	if !c.subscribed {
		return
	}
	x := q.special
	if len(c.holdings) >= 2*c.unacked+holdingsSlack {
		c.holdings = slices.DeleteFunc(c.holdings, func(h holding) bool { return !q.holds(c, h) })
	}
	c.holdings = append(c.holdings, holding{seq, q.now, s.deliveries})
	if !c.watched {
		c.watched = true
		x.watch.consumers = append(x.watch.consumers, c)
	}
	x.watch.next = min(x.watch.next, after(q.now, x.timeout(c)))
}

// holds reports whether c still has the message from that time.
func (q *Queue) holds(c *Consumer, h holding) bool {
	s := q.slots.at(h.seq)
	return s != nil && s.state == slotUnacked && s.holder == c && s.deliveries == h.deliveries
}

// lateAt returns when c will have held a message for too long; never: it holds none.
func (q *Queue) lateAt(c *Consumer) int64 {
	gone := 0
	for gone < len(c.holdings) && !q.holds(c, c.holdings[gone]) {
		gone++
	}
	c.holdings = slices.Delete(c.holdings, 0, gone)
	timeout := q.special.timeout(c)
	if len(c.holdings) == 0 || timeout < 0 {
		return never
	}
	return after(c.holdings[0].at, timeout)
}

// timeOut cancels consumers that are late and takes back what they hold. One that had been
// cancelled before is told nothing.
func (q *Queue) timeOut(effects []Effect) []Effect {
	w := &q.special.watch
	if q.now < w.next {
		return effects
	}
	w.next = never
	var late []*Consumer
	w.consumers = slices.DeleteFunc(w.consumers, func(c *Consumer) bool {
		at := q.lateAt(c)
		switch {
		case at <= q.now:
			late = append(late, c)
		case at != never:
			w.next = min(w.next, at)
			return false
		}
		c.watched, c.holdings = false, nil
		return true
	})
	for _, c := range late {
		if c.subscribed {
			effects = append(effects, Effect{Kind: TimedOut, Consumer: c})
			effects = q.cancel(c, effects)
		}
		effects = q.takeBack(c, effects)
	}
	return effects
}

// takeBack returns every message that c holds.
func (q *Queue) takeBack(c *Consumer, effects []Effect) []Effect {
	for seq, found := q.slots.next(0); found && c.unacked > 0; seq, found = q.slots.next(seq + 1) {
		if s := q.slots.at(seq); s.state == slotUnacked && s.holder == c {
			effects = q.giveBack(seq, s, effects)
		}
	}
	return effects
}

// end forgets all consumers.
func (w *watch) end() {
	for _, c := range w.consumers {
		c.watched, c.holdings = false, nil
	}
}
