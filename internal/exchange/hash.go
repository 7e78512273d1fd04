package exchange

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/warrenmq/warren/amqp"
)

// hashText returns a number that depends on every byte (64-bit FNV-1a, and mix because the upper
// bits of that are poor). It decides which queue gets what: it must be the same on every node and
// in every version.
func hashText(text []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range text {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return mix(h)
}

// mix spreads each bit of a number over all others (the finalizer of SplitMix64).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// hashNumber returns a number that depends on n.
func hashNumber(n int64) uint64 {
	var b [9]byte // longer than a number in octets: no text looks like it
	binary.BigEndian.PutUint64(b[1:], uint64(n))
	return hashText(b[:])
}

// hashValue returns a number that depends on the value of a header. Integers are equal whatever
// their size, and text is equal to the same bytes.
func hashValue(v amqp.Value) uint64 {
	if n, ok := v.Int64(); ok {
		return hashNumber(n)
	}
	if f, ok := v.Float64(); ok {
		return hashNumber(int64(math.Float64bits(f)))
	}
	switch v.Type {
	case amqp.TypeTimestamp:
		t, _ := v.Timestamp()
		return hashNumber(int64(t))
	case amqp.TypeText, amqp.TypeBytes:
		return hashText(v.Data)
	}
	return mix(hashText(v.Data) + uint64(v.Type))
}

// below turns a hash into a number from 0 to n-1, each as likely as the next.
func below(hash, n uint64) uint64 {
	high, _ := bits.Mul64(hash, n)
	return high
}
