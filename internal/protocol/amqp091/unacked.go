package amqp091

import (
	"slices"
	"sync"

	"github.com/warrenmq/warren/internal/broker"
)

// delivery is a message the client holds unacknowledged.
type delivery struct {
	tag      uint64
	seq      uint64    // the queue's name for the message
	consumer *consumer // nil: settled
	counted  bool      // in Channel.outstanding
}

// unacked holds the deliveries of a channel in the order of their tags. Tags only grow.
type unacked struct {
	list []delivery // list[head:] is in use
	head int
	dead int // settled ones in list[head:]
	// lapsed are tags of deliveries that were taken back from the client: it need not know.
	lapsed lapsed
}

// unackedCompact is the number of settled entries from which on they are removed, when they
// are the majority: a client that never acknowledges its first message costs no more.
const unackedCompact = 64

const (
	// unackedMin is the number of places of the smallest list, unackedKeep the number up to which
	// a list is not made smaller again.
	unackedMin  = 16
	unackedKeep = 1024
	// settleMax is how many deliveries are settled at a time, whatever one method settles.
	settleMax = broker.BatchCommandsMax
)

// unackedPool holds lists of more than unackedKeep places that no channel needs at the moment: a
// window of many messages that opens and closes makes no garbage.
var unackedPool sync.Pool

func (u *unacked) len() int { return len(u.list) - u.head - u.dead }

func (u *unacked) push(d delivery) {
	if len(u.list) == cap(u.list) {
		if u.head > len(u.list)/2 {
			n := copy(u.list, u.list[u.head:])
			clear(u.list[n:])
			u.list, u.head = u.list[:n], 0
		} else {
			u.move(2 * (len(u.list) - u.head))
		}
	}
	u.list = append(u.list, d)
}

// move puts what is held into a list with places for at least size deliveries.
func (u *unacked) move(size int) {
	old := u.list
	places := unackedMin
	for places < size {
		places *= 2
	}
	var list []delivery
	if p, ok := unackedPool.Get().(*[]delivery); ok && cap(*p) == places {
		list = *p
	} else {
		list = make([]delivery, 0, places)
	}
	u.list, u.head = append(list, old[u.head:]...), 0
	if cap(old) > unackedKeep {
		clear(old)
		old = old[:0]
		unackedPool.Put(&old)
	}
}

// take removes the delivery of a tag, or with multiple all up to it (0: all), and appends
// them to out. It reports false when the tag is not held.
func (u *unacked) take(tag uint64, multiple bool, out []delivery) ([]delivery, bool) {
	if multiple {
		out, _, found := u.takeUpTo(tag, u.len(), out)
		return out, found
	}
	i, found := u.find(tag)
	if !found || u.list[i].consumer == nil {
		return out, u.lapsed.has(tag)
	}
	out = append(out, u.list[i])
	u.list[i].consumer = nil
	u.dead++
	u.trim()
	return out, true
}

// takeUpTo is take with multiple, for the first most of them; more says that some are left.
func (u *unacked) takeUpTo(tag uint64, most int, out []delivery) (_ []delivery, more, found bool) {
	end := len(u.list)
	if tag != 0 {
		i, found := u.find(tag)
		switch {
		case found && u.list[i].consumer != nil:
			end = i + 1
		case u.lapsed.has(tag):
			end = i
		default:
			return out, false, false
		}
	}
	i := u.head
	for ; i < end; i++ {
		if u.list[i].consumer == nil {
			u.dead--
			continue
		}
		if most == 0 {
			break
		}
		most--
		out = append(out, u.list[i])
		u.list[i].consumer = nil
	}
	u.head = i
	u.trim()
	return out, i < end, true
}

// find returns the index of a tag. The first entry is by far the most frequent answer.
func (u *unacked) find(tag uint64) (int, bool) {
	if u.head < len(u.list) && u.list[u.head].tag == tag {
		return u.head, true
	}
	i, found := slices.BinarySearchFunc(u.list[u.head:], tag,
		func(d delivery, tag uint64) int {
			switch {
			case d.tag < tag:
				return -1
			case d.tag > tag:
				return 1
			}
			return 0
		})
	return u.head + i, found
}

// trim forgets settled entries at the front, and all of them when they are too many. It gives
// back a list that has become far too large.
func (u *unacked) trim() {
	for u.head < len(u.list) && u.list[u.head].consumer == nil {
		u.head++
		u.dead--
	}
	if u.head == len(u.list) {
		u.list, u.head, u.dead = u.list[:0], 0, 0
	} else if u.dead >= unackedCompact && u.dead >= u.len() {
		live := slices.DeleteFunc(u.list[u.head:],
			func(d delivery) bool { return d.consumer == nil })
		u.list = u.list[:u.head+len(live)]
		u.dead = 0
	}
	if held := len(u.list) - u.head; cap(u.list) > unackedKeep && held < cap(u.list)/4 {
		u.move(2 * held)
	}
}

// restore puts back deliveries that were taken, in any order.
func (u *unacked) restore(taken []delivery) {
	u.list = append(u.list[u.head:], taken...)
	u.head, u.dead = 0, 0
	u.list = slices.DeleteFunc(u.list, func(d delivery) bool { return d.consumer == nil })
	slices.SortFunc(u.list, func(a, b delivery) int {
		if a.tag < b.tag {
			return -1
		}
		return 1
	})
}
