package index

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// extentOf makes an extent of 1000 to 1000+span-1 of which the numbers for which gone says so are
// not live.
func extentOf(span uint64, gone func(uint64) bool) *Extent {
	x, q := New(), &Queue{}
	x.AddFile(7)
	for n := range span {
		x.Append(q, 7, 1000+n, uint32(10*n), uint32(10*n+10), 10)
	}
	for n := range span {
		if gone(n) {
			x.Settle(q, 1000+n, 1000+n, nil)
		}
	}
	return q.Find(0)
}

// The bytes on disk do not change.
func TestExtentOnDisk(t *testing.T) {
	for _, c := range []struct {
		name string
		gone func(n uint64) bool
		want string
	}{
		{"nothing is gone", func(uint64) bool { return false }, "07e8076300e807e80700" + "0000"},
		{"a front", func(n uint64) bool { return n < 10 }, "07e8076300e80784070a" + "0000"},
		{"runs", func(n uint64) bool { return n >= 3 && n < 90 }, "07e8076300e80782010000" +
			"010357"},
		{"a bitmap", func(n uint64) bool { return n > 9 && n < 60 && n%2 == 1 }, "" +
			"07e8076300e807ee0500" + "0108" + "00a8aaaaaaaaaa0a"},
	} {
		e := extentOf(100, c.gone)
		if got := hex.EncodeToString(e.AppendTo(nil)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEncodingTakesTheSmallerForm(t *testing.T) {
	const span = 100_000
	for name, c := range map[string]struct {
		gone func(n uint64) bool
		max  int
	}{
		"every other":   {func(n uint64) bool { return n%2 == 1 }, 20 + span/8 + 1},
		"one":           {func(n uint64) bool { return n == span/2 }, 25},
		"all but one":   {func(n uint64) bool { return n != span/2 }, 20},
		"all but three": {func(n uint64) bool { return n%40_000 != 7 }, 30},
	} {
		e := extentOf(span, c.gone)
		b := e.AppendTo([]byte("before"))
		if len(b)-6 > c.max {
			t.Errorf("%s: %d bytes, at most %d", name, len(b), c.max)
		}
		d, rest, err := DecodeExtent(append(b, "behind"...)[6:])
		if err != nil || string(rest) != "behind" {
			t.Fatalf("%s: %v %q", name, err, rest)
		}
		wantSame(t, &d, e)
	}
}

func wantSame(t interface {
	Helper()
	Fatalf(string, ...any)
}, got, want *Extent) {
	t.Helper()
	if got.File != want.File || got.First != want.First || got.Last != want.Last ||
		got.Start != want.Start || got.End != want.End || got.Live != want.Live ||
		got.Bytes != want.Bytes || !slices.Equal(liveOf(got), liveOf(want)) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestEncodedExtentComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.Uint64Range(1, 2000).Draw(t, "span")
		gone := map[uint64]bool{}
		for range rapid.IntRange(0, 20).Draw(t, "runs") {
			at := rapid.Uint64Range(0, span-1).Draw(t, "at")
			for n := range rapid.Uint64Range(1, 300).Draw(t, "gone") {
				gone[at+n] = true
			}
		}
		delete(gone, rapid.Uint64Range(0, span-1).Draw(t, "live"))
		e := extentOf(span, func(n uint64) bool { return gone[n] })
		d, rest, err := DecodeExtent(e.AppendTo(nil))
		if err != nil || len(rest) > 0 {
			t.Fatal(err, rest)
		}
		wantSame(t, &d, e)
	})
}

// encode writes the fields of an extent as they are.
func encode(fields ...uint64) (b []byte) {
	for _, v := range fields {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func TestDamagedExtentsAreRefused(t *testing.T) {
	const low = 10 // what it begins with
	for name, b := range map[string][]byte{
		"nothing":                 {},
		"half":                    encode(1, low, 5, 0, 100),
		"no count":                encode(1, low, 5, 0, 100, 60, 0, 0),
		"file":                    encode(math.MaxUint32+1, low, 5, 0, 100, 60, 0, 0, 0),
		"number 0":                encode(1, 0, 5, 0, 100, 60, 0, 0, 0),
		"first":                   encode(1, NumberMax+1, 0, 0, 100, 60, 0, 0, 0),
		"last":                    encode(1, NumberMax, 1, 0, 100, 60, 0, 0, 0),
		"span":                    encode(1, low, SpanMax, 0, 100, 60, 0, 0, 0),
		"start":                   encode(1, low, 5, math.MaxUint32+1, 0, 60, 0, 0, 0),
		"length":                  encode(1, low, 5, 1, math.MaxUint32, 60, 0, 0, 0),
		"bytes":                   encode(1, low, 5, 0, 100, bytesMax+1, 0, 0, 0),
		"front":                   encode(1, low, 5, 0, 100, 60, 7, 0, 0),
		"bytes of nothing":        encode(1, low, 5, 0, 100, 60, 6, 0, 0),
		"form":                    encode(1, low, 5, 0, 100, 60, 0, 2, 0),
		"half a run":              encode(1, low, 5, 0, 100, 60, 0, 0, 1, 1),
		"missing run":             encode(1, low, 5, 0, 100, 60, 0, 0, 1),
		"empty run":               encode(1, low, 5, 0, 100, 60, 0, 0, 1, 1, 0),
		"run without live":        encode(1, low, 5, 0, 100, 60, 0, 0, 1, 0, 1),
		"run behind the end":      encode(1, low, 5, 0, 100, 60, 0, 0, 1, 6, 1),
		"run over the end":        encode(1, low, 5, 0, 100, 60, 0, 0, 1, 1, 6),
		"run that wraps":          encode(1, low, 5, 0, 100, 60, 0, 0, 1, 1, math.MaxUint64),
		"runs of nothing":         encode(1, low, 5, 0, 100, 0, 6, 0, 1, 1, 1),
		"empty bitmap":            encode(1, low, 5, 0, 100, 60, 0, 1, 0),
		"bitmap of nothing":       encode(1, low, 5, 0, 100, 0, 6, 1, 1, 1),
		"short bitmap":            encode(1, low, 50, 0, 100, 60, 0, 1, 2, 2),
		"long bitmap":             encode(1, low, 5, 0, 100, 60, 0, 1, 2, 2, 1),
		"bitmap that ends with 0": encode(1, low, 50, 0, 100, 60, 0, 1, 2, 2, 0),
		"bitmap over the end":     encode(1, low, 5, 0, 100, 60, 0, 1, 1, 1<<6),
		"bitmap with below":       encode(1, low, 5, 0, 100, 60, 0, 1, 1, 1),
	} {
		if e, _, err := DecodeExtent(b); err == nil {
			t.Errorf("%s: decoded as %+v", name, e)
		}
	}
}

func FuzzDecodeExtent(f *testing.F) {
	f.Add(extentOf(100, func(n uint64) bool { return n%3 == 0 }).AppendTo(nil))
	f.Add(extentOf(100, func(n uint64) bool { return n > 3 && n < 90 }).AppendTo(nil))
	f.Add(encode(1, 10, 5, 0, 100, 0, 6, 0, 0))
	f.Add(encode(1, 10, SpanMax-1, 0, 100, 0, 0, 0, 1, SpanMax/2, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, rest, err := DecodeExtent(b)
		if err != nil {
			return
		}
		if 64*len(e.gone.words) > SpanMax+64 || len(rest) >= len(b) {
			t.Fatalf("%d words, %d bytes left of %d", len(e.gone.words), len(rest), len(b))
		}
		if got := liveOf(&e); len(got) != e.Live {
			t.Fatalf("%d live, want %d", len(got), e.Live)
		}
		again, rest, err := DecodeExtent(e.AppendTo(nil))
		if err != nil || len(rest) > 0 {
			t.Fatal(err, rest)
		}
		wantSame(t, &again, &e)
		x, q := New(), &Queue{}
		x.AddFile(e.File)
		if err := x.Insert(q, again); err != nil {
			t.Fatal(err)
		}
		count, bytes, _ := x.Settle(q, e.First, e.First+(e.Last-e.First)/2, nil)
		n, more, _ := x.Settle(q, 0, math.MaxUint64, nil)
		if count+n != e.Live || bytes+more != e.Bytes {
			t.Fatalf("settled %d and %d, %d and %d bytes", count, n, bytes, more)
		}
	})
}
