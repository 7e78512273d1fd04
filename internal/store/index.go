package store

import (
	"cmp"
	"slices"
	"sort"
)

// entry says that one message is unsettled in one queue. It has no pointers: the garbage
// collector does not look into millions of them.
type entry struct {
	id    LSN
	file  uint32 // number of the log file with its latest record; 0 once settled
	share uint32 // bytes of that record, divided among its queues
}

// unsettledSmall entries of room are kept by a queue however few it needs, so that a queue that
// runs empty again and again does not allocate.
const unsettledSmall = 64

// unsettled lists the entries of one queue by rising id. Settling marks an entry; the marked ones
// at the front are skipped, the others are squeezed out when room is needed. There is room for at
// most four times the unsettled ones: 64 bytes for each.
type unsettled struct {
	entries []entry
	head    int // entries before it are settled
	dead    int // settled entries at or after head
	hint    int // where find looks first: messages are settled in about the order they came
}

func (u *unsettled) live() int { return len(u.entries) - u.head - u.dead }

// append takes an id higher than all before.
func (u *unsettled) append(e entry) {
	if n := len(u.entries); n == cap(u.entries) && n-u.live() > n/3 {
		u.squeeze(u.entries[:0])
	}
	u.entries = append(u.entries, e)
}

// find returns the place of an unsettled entry, or -1.
func (u *unsettled) find(id LSN) int {
	i := u.hint
	if i < u.head || i >= len(u.entries) || u.entries[i].id != id {
		tail := u.entries[u.head:]
		i = u.head + sort.Search(len(tail), func(i int) bool { return tail[i].id >= id })
		if i == len(u.entries) || u.entries[i].id != id {
			return -1
		}
	}
	u.hint = i + 1
	if u.entries[i].file == 0 {
		return -1
	}
	return i
}

func (u *unsettled) remove(i int) {
	u.entries[i].file = 0
	u.dead++
	for u.head < len(u.entries) && u.entries[u.head].file == 0 {
		u.head++
		u.dead--
	}
	live := u.live()
	switch {
	case cap(u.entries) > unsettledSmall && live < cap(u.entries)/4:
		u.squeeze(make([]entry, 0, 2*live))
	case live == 0:
		u.squeeze(u.entries[:0])
	}
}

// squeeze moves the unsettled entries to the empty slice to, which may be the same memory.
func (u *unsettled) squeeze(to []entry) {
	for _, e := range u.entries[u.head:] {
		if e.file != 0 {
			to = append(to, e)
		}
	}
	u.entries, u.head, u.dead, u.hint = to, 0, 0, 0
}

// index knows every unsettled message of every queue.
type index struct {
	queues map[QueueID]*unsettled
	count  int
	// strays are entries that came out of order: only recovery has them, of messages whose copy
	// is all that is left. mergeStrays puts them in their places.
	strays map[stray]entry
}

type stray struct {
	queue QueueID
	id    LSN
}

func newIndex() index {
	return index{queues: make(map[QueueID]*unsettled), strays: make(map[stray]entry)}
}

// add returns false if the message that came last is this one: the queue was named twice.
func (x *index) add(q QueueID, e entry) bool {
	u := x.queues[q]
	if u == nil {
		u = &unsettled{}
		x.queues[q] = u
	}
	n := len(u.entries)
	if n > 0 && u.entries[n-1].id == e.id {
		return false
	}
	x.count++
	if n > 0 && u.entries[n-1].id > e.id {
		x.strays[stray{q, e.id}] = e
	} else {
		u.append(e)
	}
	return true
}

// find returns the entry of a message in a queue; it can be changed until the next call.
func (x *index) find(q QueueID, id LSN) *entry {
	u := x.queues[q]
	if u == nil {
		return nil
	}
	if i := u.find(id); i >= 0 {
		return &u.entries[i]
	}
	return nil
}

// unsettledIn appends to dst the queues of a publish or copy record in which its message is
// unsettled, if this record, in the file of that number, is the latest of the message.
func (x *index) unsettledIn(dst []QueueID, r *record, number uint32) []QueueID {
	for _, q := range r.queues {
		if e := x.find(q, r.id); e != nil && e.file == number {
			dst = append(dst, q)
		}
	}
	return dst
}

// remove settles a message in a queue and returns what its entry was.
func (x *index) remove(q QueueID, id LSN) (entry, bool) {
	u := x.queues[q]
	if u == nil {
		return entry{}, false
	}
	if i := u.find(id); i >= 0 {
		e := u.entries[i]
		u.remove(i)
		x.count--
		return e, true
	}
	e, ok := x.strays[stray{q, id}]
	if ok {
		delete(x.strays, stray{q, id})
		x.count--
	}
	return e, ok
}

// removeQueue forgets a queue; each is called with what its entries were.
func (x *index) removeQueue(q QueueID, each func(entry)) {
	u := x.queues[q]
	if u == nil {
		return
	}
	for _, e := range u.entries[u.head:] {
		if e.file != 0 {
			each(e)
			x.count--
		}
	}
	delete(x.queues, q)
	for s, e := range x.strays {
		if s.queue == q {
			each(e)
			x.count--
			delete(x.strays, s)
		}
	}
}

// relocate notes that the latest record of a message in a queue is now another. It returns the
// entry before, or false if there was none; then the message is added.
func (x *index) relocate(q QueueID, e entry) (before entry, known bool) {
	if old := x.find(q, e.id); old != nil {
		before, *old = *old, e
		return before, true
	}
	if before, known = x.strays[stray{q, e.id}]; known {
		x.strays[stray{q, e.id}] = e
		return before, true
	}
	x.add(q, e)
	return entry{}, false
}

// mergeStrays ends recovery.
func (x *index) mergeStrays() {
	touched := make(map[QueueID]struct{})
	for s, e := range x.strays {
		u := x.queues[s.queue]
		u.entries = append(u.entries, e)
		touched[s.queue] = struct{}{}
	}
	x.strays = nil
	for q := range touched {
		u := x.queues[q]
		u.squeeze(u.entries[:0])
		slices.SortFunc(u.entries, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	}
}
