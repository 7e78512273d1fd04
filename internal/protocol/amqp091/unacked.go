package amqp091

import (
	"slices"

	"github.com/warrenmq/warren/internal/broker"
)

// delivery is a message the client holds unacknowledged.
type delivery struct {
	tag     uint64
	seq     uint64        // the queue's name for the message
	queue   *broker.Queue // nil: settled
	counted bool          // in Channel.outstanding
}

// unacked holds the deliveries of a channel in the order of their tags. Tags only grow.
type unacked struct {
	list []delivery // list[head:] is in use
	head int
	dead int // settled ones in list[head:]
}

// unackedCompact is the number of settled entries from which on they are removed, when they
// are the majority: a client that never acknowledges its first message costs no more.
const unackedCompact = 64

func (u *unacked) len() int { return len(u.list) - u.head - u.dead }

func (u *unacked) push(d delivery) {
	if len(u.list) == cap(u.list) && u.head > len(u.list)/2 {
		n := copy(u.list, u.list[u.head:])
		clear(u.list[n:])
		u.list, u.head = u.list[:n], 0
	}
	u.list = append(u.list, d)
}

// take removes the delivery of a tag, or with multiple all up to it (0: all), and appends
// them to out. It reports false when the tag is not held.
func (u *unacked) take(tag uint64, multiple bool, out []delivery) ([]delivery, bool) {
	if multiple {
		return u.takeUpTo(tag, out)
	}
	i, found := u.find(tag)
	if !found || u.list[i].queue == nil {
		return out, false
	}
	out = append(out, u.list[i])
	u.list[i].queue = nil
	u.dead++
	u.trim()
	return out, true
}

func (u *unacked) takeUpTo(tag uint64, out []delivery) ([]delivery, bool) {
	end := len(u.list)
	if tag != 0 {
		i, found := u.find(tag)
		if !found || u.list[i].queue == nil {
			return out, false
		}
		end = i + 1
	}
	for i := u.head; i < end; i++ {
		if u.list[i].queue == nil {
			u.dead--
			continue
		}
		out = append(out, u.list[i])
		u.list[i].queue = nil
	}
	u.head = end
	u.trim()
	return out, true
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

// trim forgets settled entries at the front, and all of them when they are too many.
func (u *unacked) trim() {
	for u.head < len(u.list) && u.list[u.head].queue == nil {
		u.head++
		u.dead--
	}
	if u.head == len(u.list) {
		u.list, u.head, u.dead = u.list[:0], 0, 0
		return
	}
	if u.dead < unackedCompact || u.dead < u.len() {
		return
	}
	live := slices.DeleteFunc(u.list[u.head:], func(d delivery) bool { return d.queue == nil })
	u.list = u.list[:u.head+len(live)]
	u.dead = 0
}

// restore puts back deliveries that were taken, in any order.
func (u *unacked) restore(taken []delivery) {
	u.list = append(u.list[u.head:], taken...)
	u.head, u.dead = 0, 0
	u.list = slices.DeleteFunc(u.list, func(d delivery) bool { return d.queue == nil })
	slices.SortFunc(u.list, func(a, b delivery) int {
		if a.tag < b.tag {
			return -1
		}
		return 1
	})
}
