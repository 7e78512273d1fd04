package store

import (
	"slices"

	"github.com/warrenmq/warren/internal/store/index"
)

// trailMax is the number of places that a trail remembers: 1.5 MB.
const trailMax = 1 << 16

// trail remembers where in their files messages of a queue lie that is not read in the order of its
// numbers, one for each so many bytes: to find a message takes reading that much. It is guarded by
// the store's mu.
type trail struct {
	hints []hint // by rising number
	step  int64  // bytes of a file from one to the next
}

// Scatter says that the messages of a queue will be read here and there, not in the order of their
// numbers. The store then remembers where they are as it comes by, in up to 3 MB of memory.
func (s *Store) Scatter(q *Queue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range q.trails {
		q.trails[i] = &trail{step: loadChunkBytes}
	}
}

func (t *trail) search(number uint64) (at int, found bool) {
	return slices.BinarySearchFunc(t.hints, number, func(h hint, number uint64) int {
		switch {
		case h.number < number:
			return -1
		case h.number > number:
			return 1
		}
		return 0
	})
}

// offset returns where in the file of an extent to begin to look for a number, 0 when that is not
// known. What is said of the extent but is of a file where it no longer lies is forgotten.
func (t *trail) offset(e *index.Extent, number uint64) int64 {
	at, found := t.search(number)
	if found {
		at++
	}
	for at > 0 {
		h := &t.hints[at-1]
		if h.number < e.First {
			return 0
		}
		if h.file == e.File && h.offset >= int64(e.Start) && h.offset < int64(e.End) {
			return h.offset
		}
		t.hints = slices.Delete(t.hints, at-1, at)
		at--
	}
	return 0
}

// add remembers places that rise, unless there is one nearby.
func (t *trail) add(hints []hint) {
	for _, h := range hints {
		at, found := t.search(h.number)
		if found && t.hints[at].file != h.file {
			t.hints[at] = h // it has moved
			continue
		}
		if at > 0 && t.near(&t.hints[at-1], &h) ||
			at < len(t.hints) && t.near(&h, &t.hints[at]) {
			continue
		}
		if len(t.hints) == trailMax {
			t.thin()
			continue
		}
		t.hints = slices.Insert(t.hints, at, h)
	}
}

func (t *trail) near(a, b *hint) bool {
	return a.number == b.number && a.file == b.file ||
		a.file == b.file && b.offset >= a.offset && b.offset-a.offset < t.step
}

// thin forgets every other place, so that there is room.
func (t *trail) thin() {
	t.step *= 2
	kept := t.hints[:0]
	for i, h := range t.hints {
		if i%2 == 0 {
			kept = append(kept, h)
		}
	}
	t.hints = kept
}
