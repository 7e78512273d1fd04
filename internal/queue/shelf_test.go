package queue

import (
	"slices"
	"strconv"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/message"
)

// shelf is a store as a queue sees it: a map of what lives.
type shelf struct {
	live map[uint64]message.Message // ID 0: spilled
}

func (s *shelf) numbers() (numbers []uint64) {
	for seq := range s.live {
		numbers = append(numbers, seq)
	}
	slices.Sort(numbers)
	return numbers
}

// load reads what lives from first to last, at most count messages.
func (s *shelf) load(first, last uint64, count int) *Loaded {
	l := &Loaded{From: first, Next: last + 1}
	for _, seq := range s.numbers() {
		if seq < first || seq > last {
			continue
		}
		if len(l.Messages) == count {
			l.Next = seq
			break
		}
		l.Messages = append(l.Messages, Numbered{Seq: seq, Message: s.live[seq]})
	}
	return l
}

// extents describes what lives, in pieces; with lies, counts and sizes are not quite right.
func (s *shelf) extents(t *rapid.T, lies bool) (extents []Extent) {
	for _, seq := range s.numbers() {
		m := s.live[seq]
		n := len(extents)
		if n == 0 || rapid.IntRange(0, 7).Draw(t, "piece") == 5 {
			extents = append(extents, Extent{First: seq})
			n++
		}
		e := &extents[n-1]
		e.Last = seq
		e.Count++
		e.Bytes += int64(m.Size())
	}
	for i := range extents {
		if e := &extents[i]; lies {
			span := int(e.Last - e.First + 1)
			e.Count = rapid.IntRange(1, span).Draw(t, "count")
			e.Bytes = int64(rapid.IntRange(0, 100*span).Draw(t, "bytes"))
		}
	}
	return extents
}

// ledger is what must be true of the messages of a queue.
type ledger struct {
	ready  []uint64 // in order
	fresh  map[uint64]bool
	unread map[uint64]bool // ready and never delivered; anything else that is ready returned
	held   map[uint64]*Consumer
	coming map[uint64]message.Message // numbered, not enqueued yet
	sizes  map[uint64]int
}

func newLedger() ledger {
	return ledger{
		unread: make(map[uint64]bool), held: make(map[uint64]*Consumer),
		fresh: make(map[uint64]bool), coming: make(map[uint64]message.Message),
		sizes: make(map[uint64]int),
	}
}

func (l *ledger) add(seq uint64) {
	at, _ := slices.BinarySearch(l.ready, seq)
	l.ready = slices.Insert(l.ready, at, seq)
	l.fresh[seq] = true
}

func (l *ledger) remove(seq uint64) bool {
	at, found := slices.BinarySearch(l.ready, seq)
	if found {
		l.ready = slices.Delete(l.ready, at, at+1)
	}
	return found
}

// gone reports whether seq came and is neither ready nor unacknowledged, or never was.
func (l *ledger) gone(seq uint64) bool {
	_, isReady := slices.BinarySearch(l.ready, seq)
	_, isComing := l.coming[seq]
	return !isReady && !isComing && l.held[seq] == nil
}

func (l *ledger) bytes() (sum int) {
	for _, seq := range l.ready {
		sum += l.sizes[seq]
	}
	for seq := range l.held {
		sum += l.sizes[seq]
	}
	return sum
}

func shelfMessage(t *rapid.T, seq uint64, size int, logged bool) message.Message {
	var arena message.Arena
	var b message.Builder
	key := strconv.FormatUint(seq, 10)
	if err := b.Begin(&arena, nil, []byte(key), nil, uint64(size)); err != nil {
		t.Fatal(err)
	}
	b.Append(pairBody[:size])
	m := b.Done()
	if logged {
		m.ID = seq
	}
	return m
}
