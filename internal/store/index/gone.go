package index

import (
	"math/bits"
	"slices"
)

// wordsKept is how many words of an empty bitmap are kept: an extent that is settled a little out
// of order needs some again and again.
const wordsKept = 16

// all is a word with every bit set.
const all = ^uint64(0)

// gone is the set of numbers of an extent that are not live: those below a number, and behind it
// those in a bitmap, which is there only if some are gone out of order.
type gone struct {
	below uint64   // lower numbers are gone; it is not, as long as anything is live
	base  uint64   // the number of bit 0 of words, a multiple of 64 and not above below
	words []uint64 // a bit is set if the number is gone; behind the words, none is
}

// has reports whether a number, which is not under below, is gone.
func (g *gone) has(number uint64) bool {
	i := (number - g.base) / 64
	return i < uint64(len(g.words)) && g.words[i]>>(number%64)&1 != 0
}

// next returns the lowest number from number on, which is not under below, that is not gone.
func (g *gone) next(number uint64) uint64 {
	return g.scan(number, all)
}

// nextGone returns the lowest number from number on, which is not under below, that is gone, or
// one behind all.
func (g *gone) nextGone(number uint64) uint64 {
	if n := g.scan(number, 0); n < g.end() {
		return n
	}
	return all
}

// end returns the number behind the bitmap.
func (g *gone) end() uint64 { return g.base + 64*uint64(len(g.words)) }

// scan returns the lowest number from number on whose bit, flipped by flip, is set; the first
// behind the bitmap if there is none in it.
func (g *gone) scan(number, flip uint64) uint64 {
	if len(g.words) == 0 || number >= g.end() {
		return number
	}
	i := (number - g.base) / 64
	w := (g.words[i] ^ flip) & (all << (number % 64))
	for w == 0 {
		i++
		if i == uint64(len(g.words)) {
			return g.end()
		}
		w = g.words[i] ^ flip
	}
	return g.base + 64*i + uint64(bits.TrailingZeros64(w))
}

// previous returns the highest number up to number that is not gone. There is one.
func (g *gone) previous(number uint64) uint64 {
	if len(g.words) == 0 || number >= g.end() {
		return number
	}
	i := (number - g.base) / 64
	w := ^g.words[i] & (all >> (63 - number%64))
	for w == 0 {
		i--
		w = ^g.words[i]
	}
	return g.base + 64*i + 63 - uint64(bits.LeadingZeros64(w))
}

// mask selects the bits of word i that stand for the numbers from first to last.
func (g *gone) mask(i int, first, last uint64) uint64 {
	m := all
	if i == int((first-g.base)/64) {
		m = all << (first % 64)
	}
	if i == int((last-g.base)/64) {
		m &= all >> (63 - last%64)
	}
	return m
}

// count returns how many numbers from first to last, not under below, are in the bitmap.
func (g *gone) count(first, last uint64) (n int) {
	if len(g.words) == 0 || first >= g.end() {
		return 0
	}
	last = min(last, g.end()-1)
	for i := int((first - g.base) / 64); i <= int((last-g.base)/64); i++ {
		n += bits.OnesCount64(g.words[i] & g.mask(i, first, last))
	}
	return n
}

// mark adds the numbers from first to last, not under below, and says how many are new.
func (g *gone) mark(first, last uint64) (n int) {
	g.cover(last)
	for i := int((first - g.base) / 64); i <= int((last-g.base)/64); i++ {
		m := g.mask(i, first, last)
		n += bits.OnesCount64(m &^ g.words[i])
		g.words[i] |= m
	}
	return n
}

// cover makes the bitmap long enough for a number.
func (g *gone) cover(number uint64) {
	if len(g.words) == 0 {
		g.base = g.below &^ 63
	}
	need, n := int((number-g.base)/64)+1, len(g.words)
	if need > n {
		g.words = slices.Grow(g.words, need-n)[:need]
		clear(g.words[n:])
	}
}

// dead returns how many words at the front stand only for numbers under below.
func (g *gone) dead() int { return min(int((g.below-g.base)/64), len(g.words)) }

// shift takes words off the front, and gives memory back if little of it is in use.
func (g *gone) shift(dead int) {
	rest := g.words[dead:]
	g.base += 64 * uint64(dead)
	if cap(g.words) > wordsKept && len(rest) < cap(g.words)/4 {
		g.words = append(make([]uint64, 0, 2*len(rest)), rest...)
		return
	}
	g.words = g.words[:copy(g.words, rest)]
}

// rise lets below rise to a number, and behind those that follow it and are gone. It takes words
// off the front when they are half of all, so that each word is moved once or so.
func (g *gone) rise(number uint64) {
	if len(g.words) == 0 {
		g.below = number
		return
	}
	g.below = g.next(number)
	switch dead := g.dead(); {
	case dead == len(g.words):
		g.empty()
	case dead >= wordsKept && dead >= len(g.words)/2:
		g.shift(dead)
	}
}

// cut takes the numbers from number on, which is not under below, out of the bitmap.
func (g *gone) cut(number uint64) {
	if len(g.words) == 0 || number >= g.end() {
		return
	}
	i := int((number - g.base) / 64)
	g.words[i] &^= all << (number % 64)
	g.words = g.words[:i+1]
}

// empty empties the bitmap.
func (g *gone) empty() {
	g.words = g.words[:0]
	if cap(g.words) > wordsKept {
		g.words = nil
	}
}
