package queue

import "github.com/warrenmq/warren/internal/message"

// expiration returns how many ms the message may live by itself; None: for ever, or what it says
// is no number. As with RabbitMQ there may be a sign, and any number of zeros in front.
func expiration(m *message.Message) int64 {
	text, found := m.Properties().Expiration()
	if !found {
		return None
	}
	negative := len(text) > 1 && text[0] == '-'
	if negative || len(text) > 1 && text[0] == '+' {
		text = text[1:]
	}
	if len(text) == 0 {
		return None
	}
	for len(text) > 1 && text[0] == '0' {
		text = text[1:]
	}
	if len(text) > expirationLenMax {
		return None
	}
	ms := int64(0)
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			return None
		}
		ms = 10*ms + int64(digit-'0')
	}
	if negative && ms > 0 {
		return None
	}
	return ms
}

// expirationLenMax is the number of digits of the longest expiration: any such fits an int64.
const expirationLenMax = 18

// timeToLive returns how many ms a message may live in this queue, None: for ever.
func (q *Queue) timeToLive(m *message.Message) int64 {
	ttl := int64(None)
	if q.special != nil {
		ttl = q.special.settings.MessageTTL
	}
	if m.MayExpire() {
		if own := expiration(m); own >= 0 && (ttl < 0 || own < ttl) {
			ttl = own
		}
	}
	return ttl
}

// deadlineOf returns when a message expires that came at the time at. If it does, the queue is
// special from then on.
func (q *Queue) deadlineOf(m *message.Message, at int64) int64 {
	deadline := after(at, q.timeToLive(m))
	if deadline != never {
		q.makeSpecial().expiring = true
	}
	return deadline
}

// cameAt returns when a message must have come to expire at its deadline; 0: it never does.
func (q *Queue) cameAt(seq uint64, m *message.Message) int64 {
	if deadline := q.slots.deadline(seq); deadline != never {
		if ttl := q.timeToLive(m); ttl >= 0 {
			return max(1, deadline-ttl)
		}
	}
	return 0
}

// expired reports whether the time of the message seq is over.
func (q *Queue) expired(seq uint64) bool {
	return q.special.expiring && q.slots.deadline(seq) <= q.now
}

// sweep drops expired messages at the head.
func (q *Queue) sweep(effects []Effect) (out []Effect, more bool) {
	x := q.special
	for x.expiring && q.ready > 0 {
		seq, s := q.head()
		if s == nil || !q.expired(seq) {
			return effects, false
		}
		if x.dropped >= deadMax {
			return effects, true
		}
		effects = q.dropHead(seq, s, Expired, effects)
	}
	return effects, false
}

// headDeadline returns when the first ready message expires, as far as that is known.
func (q *Queue) headDeadline() int64 {
	if q.ready == 0 || !q.special.expiring {
		return never
	}
	seq, s := q.head()
	if s == nil {
		return never
	}
	return q.slots.deadline(seq)
}

// setDeadline says when the message seq, which has a slot, expires.
func (s *slots) setDeadline(seq uint64, deadline int64) {
	p := s.pageOf(seq)
	p.timed |= 1 << (seq % pageSlots)
	p.deadlines[seq%pageSlots] = deadline
}

// deadline returns when the message seq, which has a slot, expires.
func (s *slots) deadline(seq uint64) int64 {
	p := s.pageOf(seq)
	if p.timed>>(seq%pageSlots)&1 == 0 {
		return never
	}
	return p.deadlines[seq%pageSlots]
}

// unused is for how long nobody has used the queue.
type unused struct {
	since int64 // never: nobody has looked at the time yet
	ended bool  // it has been told
}

// touch tells that somebody used the queue.
func (q *Queue) touch() {
	if q.special != nil {
		q.special.unused = unused{since: q.now}
	}
}

// unusedFor tells once that the queue was unused for as long as it may be.
func (q *Queue) unusedFor(effects []Effect) []Effect {
	x := q.special
	u := &x.unused
	if u.since == never {
		u.since = q.now
	}
	if x.settings.Expires < 0 || len(q.consumers) > 0 || u.ended ||
		q.now < after(u.since, x.settings.Expires) {
		return effects
	}
	u.ended = true
	return append(effects, Effect{Kind: Ended})
}
