package queue

import (
	"math/bits"
	"slices"
)

// over reports whether the queue is over a limit with that many messages more, whose bodies have
// that many bytes. What waits for a DeadDone counts.
func (q *Queue) over(messages, bodies int) bool {
	x := q.special
	return int64(q.ready+x.dead.count+messages) > x.maxLength ||
		int64(x.bodies+x.dead.bodies+bodies) > x.maxBytes && !q.guesses()
}

// guesses reports whether what is known of the bodies of restored messages is little, and soon
// better: some of the head is still to be loaded.
func (q *Queue) guesses() bool {
	return len(q.out.ranges) > 0 && q.out.ranges[0].guessed && !q.paging.loadFailed &&
		q.near() < q.shrunk(headWindow)/2
}

// mustDrop reports whether the queue is over a limit for which it drops messages.
func (q *Queue) mustDrop() bool {
	x := q.special
	return x.settings.Overflow == DropHead && q.ready > 0 &&
		(int64(q.ready) > x.maxLength || int64(x.bodies) > x.maxBytes && !q.guesses())
}

// dropOver drops messages from the head until the queue is within its limits: at least so many,
// and more as long as this Apply has not dropped deadMax.
func (q *Queue) dropOver(least int, effects []Effect) (out []Effect, more bool) {
	x := q.special
	for q.mustDrop() {
		if x.dropped >= deadMax && least <= 0 {
			return effects, true
		}
		seq, s := q.head()
		if s == nil {
			return effects, false // until it has been loaded
		}
		reason := MaxLen
		if q.expired(seq) {
			reason = Expired
		}
		effects = q.dropHead(seq, s, reason, effects)
		least--
	}
	return effects, false
}

// refuse does not take a message.
func (q *Queue) refuse(seq uint64, c *Command, effects []Effect) []Effect {
	x, m := q.special, &c.Message
	if m.ID != 0 {
		q.remember(seq)
	}
	effects = append(effects, Effect{Kind: RefusedPublish, Seq: seq, DeliveryCount: c.Ticket})
	if x.settings.Overflow == RejectPublishDeadLetter && x.settings.DeadLetters != NoDeadLetters {
		x.dead.told = true
		x.countDied(MaxLen)
		return append(effects, Effect{
			Kind: Dead, Seq: seq, Message: *m, Reason: MaxLen, Stored: m.ID != 0,
		})
	}
	q.releases.Add(m)
	if m.ID != 0 {
		effects = q.settled(seq, effects)
	}
	return effects
}

// remember keeps the number of a refused message as long as it may lie among those that are loaded:
// the store has it until somebody has settled it. Those that are refused one after the other are
// one range. A priority queue whose messages are all in memory loads none any more.
func (q *Queue) remember(seq uint64) {
	refused := q.special.refused
	if q.hasLevels() && len(q.out.ranges) == 0 {
		q.special.refused = nil
		return
	}
	for len(refused) > 0 && refused[0].Last < q.cursor {
		refused = refused[1:]
	}
	at := refused.search(seq)
	if at > 0 && refused[at-1].Last+1 == seq {
		refused[at-1].Last = seq
	} else {
		refused = slices.Insert(refused, at, Range{seq, seq})
	}
	q.special.refused = refused
}

// wasRefused reports whether a message that was loaded is none of the queue's.
func (q *Queue) wasRefused(seq uint64) bool {
	return q.special != nil && len(q.special.refused) > 0 && q.special.refused.touches(seq, seq)
}

// sumBodies returns the size of the bodies of all ready messages.
func (q *Queue) sumBodies() (sum int) {
	for i := range q.out.ranges {
		sum += int(q.out.ranges[i].bodies)
	}
	if q.resident == 0 {
		return sum
	}
	for _, seq := range q.returned {
		sum += len(q.slots.at(seq).message.Body())
	}
	for _, f := range q.slots.folders {
		for pages := f.used; pages != 0; pages &= pages - 1 {
			n := uint64(bits.TrailingZeros64(pages))
			sum += f.pages[n].bodiesFrom(f.number*folderSlots+n*pageSlots, q.cursor)
		}
	}
	return sum
}

// bodiesFrom returns the size of the bodies on a page that begins with the number first, of those
// from the cursor on.
func (p *page) bodiesFrom(first, cursor uint64) (sum int) {
	for used := p.used; used != 0; used &= used - 1 {
		i := uint64(bits.TrailingZeros64(used))
		if first+i >= cursor {
			sum += len(p.slots[i].message.Body())
		}
	}
	return sum
}
