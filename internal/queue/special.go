package queue

import "math"

// deadMax is the number of messages after which one Apply stops dropping what has expired, what is
// over a limit or what has to be told as dead again, and says that there is more to do.
const deadMax = 256

// never is a time that does not come.
const never = math.MaxInt64

// special is what a queue has besides when it is not plain.
type special struct {
	settings Settings
	// maxLength and maxBytes are the limits of the settings; never: none. If both are, the queue is
	// not limited.
	maxLength, maxBytes int64
	limited             bool
	// bodies is the size of the bodies of ready messages, those that are out included.
	bodies int
	// wake is when the Wake asked for that is outstanding; never: there is none.
	wake int64
	// dropped counts what this Apply has dropped by itself, see deadMax.
	dropped int
	// died counts dead messages by reason, until TakeDied.
	died    [Reasons]uint32
	anyDied bool

	expiring bool // some message may have a deadline
	refused  gaps // numbers of refused messages from the cursor on that the store may have still
	levels   *levels
	active   *Consumer // of a queue with a single active consumer: that one
	unused   unused
	watch    watch
	dead     dead
}

// Configure changes the settings; that takes effect with the next Apply, which should come soon. A
// queue that was never configured is plain. A new MessageTTL is for messages that come, or are
// loaded, from then on. MaxPriority is set before the queue has a message, and stays. AtLeastOnce
// is AtMostOnce unless Overflow is RejectPublish.
func (q *Queue) Configure(s Settings) {
	if q.deleted || q.special == nil && s == Plain() {
		return
	}
	if s.Overflow != RejectPublish && s.DeadLetters == AtLeastOnce {
		s.DeadLetters = AtMostOnce
	}
	x := q.makeSpecial()
	old := x.settings
	x.settings = s
	x.maxLength, x.maxBytes = limit(s.MaxLength), limit(s.MaxBytes)
	x.limited = x.maxLength != never || x.maxBytes != never
	x.expiring = x.expiring || s.MessageTTL >= 0
	if s.Expires != old.Expires {
		x.unused = unused{since: never}
	}
	switch {
	case x.levels != nil:
		x.settings.MaxPriority = old.MaxPriority
	case s.MaxPriority > 0 && q.slots.empty():
		x.levels = new(levels)
	default:
		x.settings.MaxPriority = 0
	}
	q.chooseActive()
}

// limit returns the limit that a setting means.
func limit(setting int64) int64 {
	if setting < 0 {
		return never
	}
	return setting
}

// Plain reports whether the queue was never configured, no message came that expires, and no
// consumer that times out. Until one does, it does not mind what time it is.
func (q *Queue) Plain() bool { return q.special == nil }

// Settings returns what the queue was configured with.
func (q *Queue) Settings() Settings {
	if q.special == nil {
		return Plain()
	}
	return q.special.settings
}

// makeSpecial returns what makes the queue special, and makes it if it was plain.
func (q *Queue) makeSpecial() *special {
	if q.special == nil {
		q.special = &special{
			settings: Plain(), maxLength: never, maxBytes: never, wake: never,
			unused: unused{since: never}, watch: watch{next: never}, bodies: q.sumBodies(),
		}
	}
	return q.special
}

// hasLevels reports whether the queue is a priority queue.
func (q *Queue) hasLevels() bool { return q.special != nil && q.special.levels != nil }

// proceed is what a special queue does after the commands.
func (q *Queue) proceed(effects []Effect) (out []Effect, more bool) {
	x, unfinished := q.special, false
	if q.now >= x.wake {
		x.wake = never
	}
	if !x.idle() {
		effects, unfinished = q.due(effects)
	}
	effects, more = q.dispatch(effects)
	if more = more || unfinished; !more && !x.idle() {
		effects, more = q.afterwards(effects)
	}
	x.dropped = 0
	return effects, more
}

// idle reports whether the queue has nothing to do but to deliver.
func (x *special) idle() bool {
	return !x.expiring && !x.limited && x.settings.Expires < 0 && x.watch.next == never &&
		len(x.dead.failed) == 0
}

// due does what a special queue does before it delivers.
func (q *Queue) due(effects []Effect) (out []Effect, more bool) {
	effects = q.timeOut(effects)
	effects = q.unusedFor(effects)
	effects, more = q.retryDead(effects)
	effects, over := q.dropOver(0, effects)
	return effects, more || over
}

// afterwards does what a special queue does when it has delivered what it could.
func (q *Queue) afterwards(effects []Effect) (out []Effect, more bool) {
	x := q.special
	if x.expiring {
		if effects, more = q.sweep(effects); more {
			return effects, true
		}
	}
	next := min(q.headDeadline(), x.watch.next, x.dead.next())
	if x.settings.Expires >= 0 && len(q.consumers) == 0 && !x.unused.ended {
		next = min(next, after(x.unused.since, x.settings.Expires))
	}
	if next < x.wake {
		x.wake = next
		e := Effect{Kind: Wake}
		e.setAt(next)
		effects = append(effects, e)
	}
	return effects, false
}

// isLast reports whether a message that has returned so often does not return any more.
func (x *special) isLast(deliveries uint32) bool {
	limit := x.settings.DeliveryLimit
	return limit >= 0 && int64(deliveries) > limit
}

// giveBackSpecially puts a message that is ready again among the others. What is too much then is
// dropped when all that return together are there.
func (q *Queue) giveBackSpecially(seq uint64, s *slot) {
	x := q.special
	x.bodies += len(s.message.Body())
	if x.levels != nil {
		x.levels.add(x.settings.priority(&s.message), seq)
	} else {
		q.returned.push(seq)
	}
}

// left counts that the message that head returned leaves the ready ones, and reports whether that
// is all: in a priority queue it is.
func (x *special) left(s *slot) bool {
	x.bodies -= len(s.message.Body())
	if x.levels == nil {
		return false
	}
	x.levels.pop()
	return true
}

// after returns the time ms after at, or never.
func after(at, ms int64) int64 {
	if ms < 0 || at > never-ms {
		return never
	}
	return at + ms
}

// enqueueSpecially is what enqueue is for a queue that is not plain, or for a message that may
// expire. What is decided is what would have been had the message come alone.
func (q *Queue) enqueueSpecially(seq uint64, c *Command, effects []Effect) []Effect {
	m, x := &c.Message, q.special
	deadline := int64(never)
	if x == nil || x.settings.MessageTTL >= 0 || m.MayExpire() {
		deadline = q.deadlineOf(m, q.now)
		x = q.makeSpecial()
	}
	body := len(m.Body())
	if x.limited || deadline <= q.now {
		var full bool
		if effects, full = q.makeRoom(deadline, body, effects); full {
			return q.refuse(seq, c, effects)
		}
	}
	if q.ready == 0 {
		if k := q.pick(m.Size()); k != nil {
			effects = append(effects, Effect{Kind: Deliver, Consumer: k, Seq: seq, Message: *m})
			if !k.NoAck {
				q.cursor = q.newest + 1
				s := q.keep(seq, m)
				q.hand(s, k)
				if x.timeout(k) > 0 {
					q.watchOver(seq, s, k)
				}
				if deadline != never {
					q.slots.setDeadline(seq, deadline)
				}
			} else if m.ID != 0 {
				effects = q.settled(seq, effects)
			}
			return effects
		}
	}
	s := q.keep(seq, m)
	s.state = slotReady
	if deadline != never {
		q.slots.setDeadline(seq, deadline)
	}
	q.ready++
	q.resident += m.Size() + MessageOverhead
	x.bodies += body
	switch {
	case x.levels != nil:
		x.levels.add(x.settings.priority(m), seq)
	case seq < q.cursor:
		s.late = true
		q.returned.push(seq)
	}
	if len(q.out.ranges) > 0 {
		q.out.came(seq, m.Size()+MessageOverhead)
	}
	if x.limited || deadline <= q.now {
		effects = q.keepWithin(deadline, effects)
	}
	return effects
}

// makeRoom does what has to be done before a message comes that expires at the deadline, and has a
// body of that size. It reports whether the queue is too full to take it.
func (q *Queue) makeRoom(deadline int64, body int, effects []Effect) (out []Effect, full bool) {
	effects, _ = q.dropOver(0, effects)
	if q.ready > 0 && (deadline <= q.now || q.over(1, body)) {
		effects, _ = q.dispatch(effects)
		effects, _ = q.sweep(effects)
	}
	return effects, q.special.settings.Overflow != DropHead && q.over(1, body)
}

// keepWithin does what has to be done after it came.
func (q *Queue) keepWithin(deadline int64, effects []Effect) []Effect {
	dropped := q.special.dropped
	effects, _ = q.dropOver(1, effects)
	if deadline <= q.now || q.special.dropped > dropped {
		effects, _ = q.sweep(effects)
	}
	return effects
}
