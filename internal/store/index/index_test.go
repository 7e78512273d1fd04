package index

import (
	"slices"
	"testing"
)

// fill appends the numbers to a file; each takes 10 bytes, and lies at 10 times its number.
func fill(x *Index, q *Queue, f FileID, numbers ...uint64) {
	for _, n := range numbers {
		x.Append(q, f, n, uint32(10*n), uint32(10*n+10), 10)
	}
}

func liveOf(e *Extent) (live []uint64) {
	for n, ok := e.NextLive(0); ok; n, ok = e.NextLive(n + 1) {
		live = append(live, n)
	}
	return live
}

func TestSettledMessagesAreGoneAndFilesRunEmpty(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	x.AddFile(2)
	fill(x, q, 1, 1, 2, 3, 5, 6)
	fill(x, q, 2, 7, 8)
	n, bytes, emptied := x.Settle(q, 2, 5, nil)
	if n != 3 || bytes != 30 || emptied != nil {
		t.Fatal(n, bytes, emptied)
	}
	if got := liveOf(q.Find(1)); !slices.Equal(got, []uint64{1, 6}) {
		t.Fatal(got)
	}
	n, bytes, emptied = x.Settle(q, 0, 7, nil)
	if n != 3 || bytes != 30 || !slices.Equal(emptied, []FileID{1}) {
		t.Fatal(n, bytes, emptied)
	}
	if n, bytes := q.Live(); n != 1 || bytes != 10 {
		t.Fatal(n, bytes)
	}
	x.RemoveFile(1)
}

func extents(q *Queue) (n int) {
	for range q.Extents() {
		n++
	}
	return n
}

func TestWideHoleBeginsAnotherExtent(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	fill(x, q, 1, 1, 2+gapMax-1)
	if n := extents(q); n != 1 {
		t.Fatalf("%d extents", n)
	}
	fill(x, q, 1, 2+2*gapMax)
	if n := extents(q); n != 2 {
		t.Fatalf("%d extents", n)
	}
}

func TestExtentSpansNoMoreThanSpanMax(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	for n := uint64(1); n <= 3*SpanMax; n += gapMax {
		x.Append(q, 1, n, 0, 10, 1)
	}
	if n := extents(q); n != 3 {
		t.Fatalf("%d extents", n)
	}
	for e := range q.Extents() {
		if e.Last-e.First >= SpanMax || len(e.gone.words) > SpanMax/64 {
			t.Fatalf("from %d to %d, %d words", e.First, e.Last, len(e.gone.words))
		}
	}
	x.AddFile(2)
	x.Move(q, 1, 2, 0, 100) // joins none
	if n := extents(q); n != 3 {
		t.Fatalf("%d extents", n)
	}
}

func TestNumbersMayBeTheHighestThereAre(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	fill(x, q, 1, NumberMax-2, NumberMax-1, NumberMax)
	x.Settle(q, NumberMax-1, NumberMax-1, nil)
	if got := liveOf(q.Find(0)); !slices.Equal(got, []uint64{NumberMax - 2, NumberMax}) {
		t.Fatal(got)
	}
	if n, _, _ := x.Settle(q, 0, 1<<64-1, nil); n != 2 {
		t.Fatal(n)
	}
}

func TestMisuseOfTheIndexPanics(t *testing.T) {
	for name, misuse := range map[string]func(x *Index, q *Queue){
		"file added twice":    func(x *Index, _ *Queue) { x.AddFile(1) },
		"file removed twice":  func(x *Index, _ *Queue) { x.RemoveFile(3) },
		"live file removed":   func(x *Index, _ *Queue) { x.RemoveFile(1) },
		"append to no file":   func(x *Index, _ *Queue) { fill(x, &Queue{}, 3, 1) },
		"number 0":            func(x *Index, _ *Queue) { fill(x, &Queue{}, 1, 0) },
		"number too high":     func(x *Index, q *Queue) { fill(x, q, 1, NumberMax+1) },
		"same number":         func(x *Index, q *Queue) { fill(x, q, 1, 5) },
		"lower number":        func(x *Index, q *Queue) { fill(x, q, 1, 4) },
		"lower in other file": func(x *Index, q *Queue) { fill(x, q, 2, 4) },
		"move to no file":     func(x *Index, q *Queue) { x.Move(q, 1, 3, 0, 0) },
	} {
		x, q := New(), &Queue{}
		x.AddFile(1)
		x.AddFile(2)
		fill(x, q, 1, 5)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse(x, q)
		}()
	}
}

// Bytes are an estimate while some are live, and exact when none is.
func TestBytesAreSharedOut(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	for n, share := range []int64{1000, 10, 10, 10, 10, 10, 10, 10} {
		x.Append(q, 1, uint64(n+1), 0, 10, share)
	}
	sum := int64(0)
	for n := range uint64(8) {
		_, bytes, _ := x.Settle(q, n+1, n+1, nil)
		if sum += bytes; bytes < 118 || bytes > 152 { // 1070/8 is 133
			t.Errorf("%d takes %d bytes", n+1, bytes)
		}
	}
	if _, bytes := x.File(1); bytes != 0 || sum != 1070 {
		t.Fatalf("%d bytes were settled, %d are left", sum, bytes)
	}
}
