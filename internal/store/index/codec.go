package index

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
)

// An extent on disk, all numbers as unsigned varints. None of this ever changes: what is new gets
// another record of the manifest.
//
//	file           number of the file
//	first          lowest number it spans
//	span           last - first, less than SpanMax
//	start          offset in the file
//	length         end - start
//	bytes          what is live takes
//	below - first  numbers gone at the front; span + 1 if nothing is live
//	form           0: runs, 1: bitmap
//	count          pairs of runs, or bytes of the bitmap
//	...            runs: live and gone numbers in turn, from below on; what follows them is live
//	               bitmap: bit n of byte m is below + 8m + n, 1 for gone; what follows is live
//
// How many are live is not written: it is counted.
const (
	bytesMax   = 1 << 40 // of an extent
	formRuns   = 0
	formBitmap = 1
)

// AppendTo appends the extent, in the form it has on disk, to b. It is at most 80 bytes and a bit
// for each number it spans.
func (e *Extent) AppendTo(b []byte) []byte {
	for _, v := range [...]uint64{
		uint64(e.File), e.First, e.Last - e.First, uint64(e.Start), uint64(e.End - e.Start),
		uint64(e.Bytes), e.gone.below - e.First,
	} {
		b = binary.AppendUvarint(b, v)
	}
	if e.Live == 0 {
		return append(b, formRuns, 0)
	}
	size := e.bitmapSize()
	if out, ok := e.appendRuns(append(b, formRuns), size); ok {
		return out
	}
	b = append(b, formBitmap)
	b = binary.AppendUvarint(b, uint64(size))
	return e.appendBitmap(b, size)
}

// bitmapSize returns the bytes of the bitmap up to the last number that is gone.
func (e *Extent) bitmapSize() int {
	g := &e.gone
	for i := len(g.words) - 1; i >= g.dead(); i-- {
		w := g.words[i]
		if i == g.dead() {
			w &= all << (g.below % 64)
		}
		if w != 0 {
			highest := g.base + 64*uint64(i) + uint64(bits.Len64(w)) - 1
			return int((highest-g.below)/8) + 1
		}
	}
	return 0
}

// appendRuns appends the runs, with their count, if that takes less than size bytes or nothing is
// gone.
func (e *Extent) appendRuns(b []byte, size int) (out []byte, ok bool) {
	if size == 0 {
		return append(b, 0), true
	}
	at := len(b)
	pairs := uint64(0)
	for n := e.gone.below; ; pairs++ {
		from := e.gone.nextGone(n)
		if from > e.Last {
			break
		}
		to := e.gone.next(from)
		b = binary.AppendUvarint(b, from-n)
		b = binary.AppendUvarint(b, to-from)
		if len(b)-at >= size {
			return nil, false
		}
		n = to
	}
	var count [binary.MaxVarintLen64]byte
	return slices.Insert(b, at, count[:binary.PutUvarint(count[:], pairs)]...), true
}

// appendBitmap appends size bytes of the bitmap from below on.
func (e *Extent) appendBitmap(b []byte, size int) []byte {
	g := &e.gone
	i, shift := g.dead(), g.below%64
	for ; size > 0; i++ {
		w := g.words[i] >> shift
		if i+1 < len(g.words) {
			w |= g.words[i+1] << (64 - shift) // nothing if shift is 0
		}
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], w)
		n := min(size, 8)
		b = append(b, word[:n]...)
		size -= n
	}
	return b
}

var errExtent = errors.New("index: an extent is damaged")

// DecodeExtent decodes the extent that b begins with, and returns the bytes behind it. It keeps
// nothing of b. Whatever b holds, it takes less than SpanMax/4 bytes of memory, and an extent it
// returns is sound in itself.
func DecodeExtent(b []byte) (e Extent, rest []byte, err error) {
	var v [8]uint64
	for i := range v {
		n := 0
		if v[i], n = binary.Uvarint(b); n <= 0 {
			return Extent{}, nil, errExtent
		}
		b = b[n:]
	}
	file, first, span, start, length, bytes, front, form :=
		v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	if file > math.MaxUint32 || first == 0 || first > NumberMax || span >= SpanMax ||
		first+span > NumberMax || start > math.MaxUint32 || length > math.MaxUint32-start ||
		bytes > bytesMax || front > span+1 || form > formBitmap {
		return Extent{}, nil, errExtent
	}
	e = Extent{
		File: FileID(file), Start: uint32(start), End: uint32(start + length),
		First: first, Last: first + span, Bytes: int64(bytes),
	}
	e.gone.below = first + front
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return Extent{}, nil, errExtent
	}
	b = b[n:]
	ok := false
	if form == formBitmap {
		b, ok = e.decodeBitmap(b, count)
	} else {
		b, ok = e.decodeRuns(b, count)
	}
	if !ok || !e.settled() {
		return Extent{}, nil, errExtent
	}
	return e, b, nil
}

// settled counts what is live, and reports whether the rest of the extent agrees with it.
func (e *Extent) settled() bool {
	if e.gone.below > e.Last {
		return e.Bytes == 0 && len(e.gone.words) == 0
	}
	e.Live = int(e.Last-e.gone.below+1) - e.gone.count(e.gone.below, e.Last)
	return e.Live > 0 && !e.gone.has(e.gone.below)
}

func (e *Extent) decodeRuns(b []byte, pairs uint64) (rest []byte, ok bool) {
	for at := e.gone.below; pairs > 0; pairs-- {
		live, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, false
		}
		b = b[n:]
		gone, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, false
		}
		b = b[n:]
		if left := e.Last + 1 - at; live == 0 || gone == 0 || live >= left || gone > left-live {
			return nil, false
		}
		e.gone.mark(at+live, at+live+gone-1)
		at += live + gone
	}
	return b, true
}

func (e *Extent) decodeBitmap(b []byte, size uint64) (rest []byte, ok bool) {
	left := e.Last + 1 - e.gone.below
	if size == 0 || size > uint64(len(b)) || size > (left+7)/8 || b[size-1] == 0 {
		return nil, false
	}
	if over := 8 * size; over > left && b[size-1]>>(8-(over-left)) != 0 {
		return nil, false
	}
	for i, x := range b[:size] {
		for ; x != 0; x &= x - 1 {
			at := e.gone.below + 8*uint64(i) + uint64(bits.TrailingZeros8(x))
			e.gone.mark(at, at)
		}
	}
	return b[size:], true
}
