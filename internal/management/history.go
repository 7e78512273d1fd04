package management

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// history is what some numbers were: at the last two samples, and further back in tracks, which
// grow with what changes and not with time. A sample is known by its tick: the time in sampling
// intervals since 1970.
//
// Who keeps many of them keeps none of what does not move: see histories.
type history struct {
	// last and before are the numbers at the ticks lastTick and beforeTick.
	last, before         []int64
	lastTick, beforeTick int64
	tracks               []track
}

// retention says how far back a track reaches, and in which steps; in ticks.
type retention struct{ step, age int64 }

// newHistory begins a history with numbers that were so at tick, and always before.
func newHistory(tick int64, numbers []int64, policy []retention) *history {
	h := &history{
		last: numbers, before: numbers, lastTick: tick, beforeTick: tick,
		tracks: make([]track, len(policy)),
	}
	for i := range policy {
		h.tracks[i] = track{retention: policy[i], first: numbers, latest: numbers, lastTick: tick}
	}
	return h
}

// add appends a sample. The history keeps numbers, which nobody writes to. Ticks go up.
func (h *history) add(tick int64, numbers []int64) {
	h.before, h.beforeTick = h.last, h.lastTick
	h.last, h.lastTick = numbers, tick
	for i := range h.tracks {
		h.tracks[i].add(tick, numbers)
	}
}

// still reports whether nothing has moved as far back as the history reaches.
func (h *history) still() bool {
	if !slices.Equal(h.last, h.before) {
		return false
	}
	for i := range h.tracks {
		if len(h.tracks[i].log) > 0 {
			return false
		}
	}
	return true
}

// at calls f with the numbers at each of the ticks, which go up, taken from the track that
// reaches back to the first one in the finest steps. Before the history begins the numbers are
// those it began with.
func (h *history) at(now int64, ticks []int64, f func(i int, numbers []int64)) {
	chosen := &h.tracks[len(h.tracks)-1]
	for i := range h.tracks {
		if t := &h.tracks[i]; now-ticks[0] <= t.age {
			chosen = t
			break
		}
	}
	chosen.at(ticks, f)
}

// track is a history in even steps: the numbers it begins with, and what changed since:
//
//	| ticks since the change before, uvarint | which numbers, a bit each, uvarint |
//	| by how much each of them, varints |
type track struct {
	retention

	first, latest []int64
	log           []byte
	// firstTick is that of first, lastTick that of the last change; ticks of changes count from
	// there.
	firstTick, lastTick int64
}

// add appends a sample if it is time for one, and forgets what is too old.
func (t *track) add(tick int64, numbers []int64) {
	if len(t.log) == 0 {
		t.firstTick, t.lastTick = tick-t.step, tick-t.step
	}
	if tick/t.step == t.lastTick/t.step {
		return // the step has its sample
	}
	t.forget(tick - t.age)
	var mask uint64
	for i, n := range numbers {
		if n != t.latest[i] {
			mask |= 1 << i
		}
	}
	if mask == 0 {
		return
	}
	if len(t.log) == 0 {
		t.first = t.latest
	}
	t.log = binary.AppendUvarint(t.log, uint64(tick-t.lastTick))
	t.log = binary.AppendUvarint(t.log, mask)
	for rest := mask; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		t.log = binary.AppendVarint(t.log, numbers[i]-t.latest[i])
	}
	t.latest, t.lastTick = numbers, tick
}

// forget moves the beginning up to the last change that was at tick or before.
func (t *track) forget(tick int64) {
	rest, numbers, at := t.log, t.first, t.firstTick
	own := false
	for len(rest) > 0 {
		step, n := binary.Uvarint(rest)
		if at+int64(step) > tick {
			break
		}
		if !own { // others may share it
			numbers, own = slices.Clone(numbers), true
		}
		at += int64(step)
		rest = apply(rest[n:], numbers)
	}
	if own {
		t.first, t.firstTick = numbers, at
		t.log = t.log[:copy(t.log, rest)]
	}
}

// apply adds what a change says to numbers, and returns what follows it.
func apply(log []byte, numbers []int64) (rest []byte) {
	mask, n := binary.Uvarint(log)
	log = log[n:]
	for ; mask != 0; mask &= mask - 1 {
		change, n := binary.Varint(log)
		numbers[bits.TrailingZeros64(mask)] += change
		log = log[n:]
	}
	return log
}

// at calls f with the numbers at ticks, which go up.
func (t *track) at(ticks []int64, f func(i int, numbers []int64)) {
	numbers, at, rest := slices.Clone(t.first), t.firstTick, t.log
	for i, tick := range ticks {
		for len(rest) > 0 {
			step, n := binary.Uvarint(rest)
			if at+int64(step) > tick {
				break
			}
			at += int64(step)
			rest = apply(rest[n:], numbers)
		}
		f(i, numbers)
	}
}

// appendPacked appends the short form of numbers that do not move.
func appendPacked(dst []byte, numbers []int64) []byte {
	for _, n := range numbers {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

// unpack is the inverse of appendPacked for count numbers.
func unpack(text string, count int) []int64 {
	numbers := make([]int64, count)
	rest := []byte(text)
	for i := range numbers {
		n, size := binary.Varint(rest)
		numbers[i], rest = n, rest[size:]
	}
	return numbers
}
