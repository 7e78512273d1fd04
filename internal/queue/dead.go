package queue

// retryDeadMS is how many ms a dead letter that nobody took waits until it is told again.
const retryDeadMS = 5000

// dead is about messages that are dead, and stay until a DeadDone.
type dead struct {
	told   bool // there was a Dead that is not for the queue to settle
	count  int
	bodies int
	// failed are those that wait to be told again, in the order of their times.
	failed []failedDead
}

type failedDead struct {
	seq uint64
	at  int64
}

// next returns when a dead letter is to be told again.
func (d *dead) next() int64 {
	if len(d.failed) == 0 {
		return never
	}
	return d.failed[0].at
}

// dropHead drops the message that head returned.
func (q *Queue) dropHead(seq uint64, s *slot, reason Reason, effects []Effect) []Effect {
	q.leave(s)
	q.special.dropped++
	q.paging.took = true
	return q.bury(seq, s, reason, effects)
}

// bury does with a message that is neither ready nor unacknowledged any more what the queue does
// with its dead.
func (q *Queue) bury(seq uint64, s *slot, reason Reason, effects []Effect) []Effect {
	x := q.special
	x.countDied(reason)
	switch x.settings.DeadLetters {
	case AtMostOnce:
		x.dead.told = true
		effects = append(effects, deadEffect(seq, s, reason))
		q.bytes -= s.message.Size()
		q.slots.remove(seq)
		return effects
	case AtLeastOnce:
		s.state = slotDead + slotState(reason)
		x.dead.count++
		x.dead.bodies += len(s.message.Body())
		return append(effects, keptEffect(seq, s))
	}
	q.releases.Add(&s.message)
	return q.forget(seq, s, effects)
}

func (x *special) countDied(reason Reason) {
	x.died[reason]++
	x.anyDied = true
}

// TakeDied returns how many messages have died since it was called last, by reason, whether they
// were told as Dead or not. Those of a queue that is deleted do not die.
func (q *Queue) TakeDied() (died [Reasons]uint32, any bool) {
	x := q.special
	if x == nil || !x.anyDied {
		return died, false
	}
	died = x.died
	x.died, x.anyDied = [Reasons]uint32{}, false
	return died, true
}

func deadEffect(seq uint64, s *slot, reason Reason) Effect {
	return Effect{
		Kind: Dead, Seq: seq, Message: s.message, Reason: reason, Stored: s.stored(),
		DeliveryCount: s.deliveries,
	}
}

// keptEffect is that of a dead message that waits for an answer.
func keptEffect(seq uint64, s *slot) Effect {
	e := deadEffect(seq, s, Reason(s.state-slotDead))
	e.Ready = 1
	return e
}

// kept returns the slot of a dead message that waits for an answer, or nil.
func (q *Queue) kept(seq uint64) *slot {
	if s := q.slots.at(seq); s != nil && s.state > slotDead {
		return s
	}
	return nil
}

// deadDone lets a dead message go.
func (q *Queue) deadDone(seq uint64, effects []Effect) []Effect {
	s := q.kept(seq)
	if s == nil {
		return effects
	}
	d := &q.special.dead
	d.count--
	d.bodies -= len(s.message.Body())
	q.releases.Add(&s.message)
	return q.forget(seq, s, effects)
}

// deadFailed lets a dead message wait until it is told again.
func (q *Queue) deadFailed(seq uint64) {
	if q.kept(seq) != nil {
		d := &q.special.dead
		d.failed = append(d.failed, failedDead{seq, after(q.now, retryDeadMS)})
	}
}

// retryDead tells again what nobody took.
func (q *Queue) retryDead(effects []Effect) (out []Effect, more bool) {
	x := q.special
	d := &x.dead
	for d.next() <= q.now {
		if x.dropped >= deadMax {
			return effects, true
		}
		seq := d.failed[0].seq
		if d.failed = d.failed[1:]; len(d.failed) == 0 {
			d.failed = nil
		}
		if s := q.kept(seq); s != nil {
			effects = append(effects, keptEffect(seq, s))
			x.dropped++
		}
	}
	return effects, false
}
