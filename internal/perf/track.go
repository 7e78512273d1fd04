package perf

import "math/bits"

const (
	// gapMax is how far a sequence may run ahead of the lowest missing one. Beyond it the
	// missing ones are given up: they stay counted as missing, and one that still arrives
	// counts as a duplicate. It bounds the memory of a tracker to gapMax/8 octets.
	gapMax = 1 << 26

	pageBits = 1 << 16
)

// page marks pageBits sequences as received.
type page [pageBits / 64]uint64

// tracker follows the sequences of one producer through one queue. The usual case, the next
// sequence in order, costs an increment; memory is used only while some are missing.
type tracker struct {
	next       uint64 // all below were received or given up
	high       uint64 // one more than the highest received
	received   uint64 // different ones
	duplicates uint64
	pages      map[uint64]*page // marks of what was received at or above next
}

// widen makes 64 bits of a wrapping sequence: the value nearest to near.
func widen(sequence uint32, near uint64) uint64 {
	return uint64(int64(near) + int64(int32(sequence-uint32(near))))
}

// add takes a sequence as it was received. It returns it in 64 bits, and whether it is new.
func (t *tracker) add(sequence uint32) (uint64, bool) {
	if sequence == uint32(t.next) && t.high == t.next {
		t.next++
		t.high++
		t.received++
		return t.high - 1, true
	}
	return t.addApart(sequence)
}

func (t *tracker) addApart(sequence uint32) (uint64, bool) {
	seq := widen(sequence, t.high)
	if int64(seq) < int64(t.next) || t.marked(seq) { // below 0: before the first, a stray
		t.duplicates++
		return seq, false
	}
	if seq-t.next >= gapMax {
		t.giveUp(seq - gapMax + 1)
	}
	t.received++
	t.high = max(t.high, seq+1)
	if seq != t.next {
		t.mark(seq)
		return seq, true
	}
	t.next++
	t.advance()
	return seq, true
}

// missing is how many below the highest received did not arrive.
func (t *tracker) missing() uint64 { return t.high - t.received }

func (t *tracker) marked(seq uint64) bool {
	p := t.pages[seq/pageBits]
	return p != nil && p[seq%pageBits/64]&(1<<(seq%64)) != 0
}

func (t *tracker) mark(seq uint64) {
	if t.pages == nil {
		t.pages = make(map[uint64]*page)
	}
	p := t.pages[seq/pageBits]
	if p == nil {
		p = new(page)
		t.pages[seq/pageBits] = p
	}
	p[seq%pageBits/64] |= 1 << (seq % 64)
}

// advance moves next over what is marked, a word of marks at a time, and drops the pages it
// leaves behind.
func (t *tracker) advance() {
	for t.next < t.high {
		p := t.pages[t.next/pageBits]
		if p == nil {
			return
		}
		word := p[t.next%pageBits/64] >> (t.next % 64)
		run := uint64(bits.TrailingZeros64(^word))
		if run == 0 {
			return
		}
		t.moveTo(t.next + run)
		if t.next%64 != 0 {
			return
		}
	}
}

// giveUp moves next to seq, whatever is missing below.
func (t *tracker) giveUp(seq uint64) {
	for t.next < seq {
		t.moveTo(min(seq, (t.next/pageBits+1)*pageBits))
	}
	t.advance()
}

// moveTo moves next within its page or to the start of the following one.
func (t *tracker) moveTo(seq uint64) {
	old := t.next / pageBits
	t.next = seq
	if seq/pageBits != old || t.next >= t.high {
		delete(t.pages, old)
	}
}
