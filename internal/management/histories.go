package management

import (
	"slices"
	"sync"
	"time"
)

// histories are those of all objects of a kind, by key. What has not moved for as long as its
// history reaches costs some bytes, and what has never moved nothing.
type histories[K comparable] struct {
	numbers  int // that each object has
	policy   []retention
	interval time.Duration

	mu sync.RWMutex
	// taken is when the last two samples were taken, the last one first.
	taken   [2]time.Time
	tick    int64
	moving  map[K]*history
	resting map[K]string // appendPacked
}

func newHistories[K comparable](
	numbers int, policy []retention, interval time.Duration,
) *histories[K] {
	return &histories[K]{
		numbers: numbers, policy: policy, interval: interval,
		moving: make(map[K]*history), resting: make(map[K]string),
	}
}

// sample takes a sample at now. each calls f with each object there is and its numbers, which f
// does not keep.
func (s *histories[K]) sample(now time.Time, each func(f func(key K, numbers []int64))) {
	tick := now.UnixNano() / int64(s.interval)
	s.mu.Lock()
	defer s.mu.Unlock()
	if tick <= s.tick {
		return // the clock was set back, or ticked twice
	}
	first := s.tick == 0
	before := s.tick
	if first {
		before, s.taken[0] = tick, now
	}
	s.taken = [2]time.Time{now, s.taken[0]}
	s.tick = tick
	seen := 0
	each(func(key K, numbers []int64) {
		if s.add(key, numbers, tick, before, first) {
			seen++
		}
	})
	if seen < len(s.moving)+len(s.resting) {
		s.forget(each)
	}
}

// add adds the sample of one object, and reports whether it is known from now on.
func (s *histories[K]) add(key K, numbers []int64, tick, before int64, first bool) bool {
	var buf [8 * 16]byte
	h := s.moving[key]
	if h == nil {
		text, known := s.resting[key]
		packed := appendPacked(buf[:0], numbers)
		switch {
		case known && text == string(packed):
			return true
		case !known && !slices.ContainsFunc(numbers, func(n int64) bool { return n != 0 }):
			return false
		case first: // what it was before nobody knows
			s.resting[key] = string(packed)
			return true
		}
		h = newHistory(before, make([]int64, s.numbers), s.policy)
		if known {
			h = newHistory(before, unpack(text, s.numbers), s.policy)
			delete(s.resting, key)
		}
		s.moving[key] = h
	}
	kept := h.last
	if !slices.Equal(kept, numbers) {
		kept = slices.Clone(numbers)
	}
	h.add(tick, kept)
	if h.still() {
		delete(s.moving, key)
		s.resting[key] = string(appendPacked(buf[:0], numbers))
	}
	return true
}

// forget drops what is gone.
func (s *histories[K]) forget(each func(f func(key K, numbers []int64))) {
	there := make(map[K]struct{})
	each(func(key K, _ []int64) { there[key] = struct{}{} })
	for key := range s.moving {
		if _, ok := there[key]; !ok {
			delete(s.moving, key)
		}
	}
	for key := range s.resting {
		if _, ok := there[key]; !ok {
			delete(s.resting, key)
		}
	}
}

// rateMin is the shortest time that a rate is of: what came in less would look like a flood.
const rateMin = time.Second

// rates appends, to dst, by how much each number moves in a second: from the last sample but
// one, or the last if that is an interval ago, up to the numbers of now.
func (s *histories[K]) rates(dst []float64, key K, now time.Time, numbers []int64) []float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	late := now.Sub(s.taken[0]) >= s.interval
	since, base := s.taken[1], []int64(nil)
	if late {
		since = s.taken[0]
	}
	if h := s.moving[key]; h != nil {
		base = h.before
		if late {
			base = h.last
		}
	} else if text, ok := s.resting[key]; ok {
		base = unpack(text, s.numbers)
	}
	seconds := max(now.Sub(since), rateMin).Seconds()
	for i, n := range numbers {
		if base != nil {
			n -= base[i]
		}
		dst = append(dst, float64(n)/seconds)
	}
	return dst
}

// window calls f with the numbers of an object at each of the ticks, which go up.
func (s *histories[K]) window(key K, ticks []int64, f func(i int, numbers []int64)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if h := s.moving[key]; h != nil {
		h.at(s.tick, ticks, f)
		return
	}
	numbers := make([]int64, s.numbers)
	if text, ok := s.resting[key]; ok {
		numbers = unpack(text, s.numbers)
	}
	for i := range ticks {
		f(i, numbers)
	}
}
