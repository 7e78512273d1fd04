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

// What is far away in bytes is not joined: a reader of one would read the other's bytes too.
func TestMovedExtentsAreJoinedOnlyIfTheyAreClose(t *testing.T) {
	for _, c := range []struct {
		start uint32
		want  int
	}{{200, 1}, {200 + joinMax, 1}, {201 + joinMax, 2}, {99, 2}} {
		x, q := New(), &Queue{}
		for f := range FileID(4) {
			x.AddFile(f)
		}
		fill(x, q, 1, 1, 2, 3)
		fill(x, q, 2, 4, 5, 6)
		x.Move(q, 1, 3, 100, 200)
		x.Move(q, 2, 3, c.start, c.start+100)
		if n := extents(q); n != c.want {
			t.Errorf("from %d on: %d extents, want %d", c.start, n, c.want)
		}
		for e := range q.In(3) {
			if first := e.First; first == 1 && (e.Start != 100 || e.End < 200) {
				t.Errorf("%+v", e)
			}
		}
	}
}

func TestFileMayBeEmptiedWhileItsQueuesAreVisited(t *testing.T) {
	x := New()
	x.AddFile(1)
	x.AddFile(2)
	queues := make([]Queue, 100)
	for i := range queues {
		fill(x, &queues[i], 1, 1, 2)
	}
	visited := 0
	for q := range x.QueuesOf(1) {
		x.Move(q, 1, 2, 0, 100)
		visited++
	}
	if live, _ := x.File(1); live != 0 || visited != len(queues) {
		t.Fatalf("%d visited, %d live", visited, live)
	}
	x.RemoveFile(1)
	for range x.QueuesOf(2) {
		break
	}
	for range queues[0].Extents() {
		break
	}
	for range queues[0].In(2) {
		break
	}
}

func TestDirtyIsSilentAboutRemovedFiles(t *testing.T) {
	x, q := New(), &Queue{}
	for f := range FileID(3) {
		x.AddFile(f)
		x.TrackFile(f)
	}
	fill(x, q, 1, 1)
	fill(x, q, 2, 2)
	x.Settle(q, 1, 1, nil)
	x.RemoveFile(1)
	x.Dirty(func(_ *Queue, e *Extent) {
		if e.File != 2 {
			t.Errorf("%+v", e)
		}
	})
}

func TestListsThatWereLongAreGivenBack(t *testing.T) {
	x, queues := New(), make([]Queue, dirtyMax+freeMax)
	x.AddFile(1)
	x.TrackFile(1)
	for i := range queues {
		fill(x, &queues[i], 1, 1)
	}
	x.DeleteQueue(&queues[0], nil)
	visited := 0
	x.Dirty(func(*Queue, *Extent) { visited++ })
	if visited != len(queues) || x.dirty != nil {
		t.Fatalf("%d visited, a list for %d is kept", visited, cap(x.dirty))
	}
	for i := range queues {
		x.DeleteQueue(&queues[i], nil)
	}
	x.Dirty(func(*Queue, *Extent) {})
	if x.frees != freeMax {
		t.Fatalf("%d extents are free", x.frees)
	}
}

func TestImpossibleExtentsAreNotInserted(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(7)
	e := extentOf(10, func(uint64) bool { return false })
	decode := func() Extent {
		d, _, err := DecodeExtent(e.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if err := x.Insert(q, decode()); err != nil {
		t.Fatal(err)
	}
	if err := x.Insert(q, decode()); err != errOverlap {
		t.Fatal(err)
	}
	other := decode()
	other.File = 8
	if err := x.Insert(&Queue{}, other); err == nil {
		t.Fatal("inserted in a file that is not there")
	}
	if live, _ := x.File(7); live != 10 {
		t.Fatalf("%d live", live)
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

func TestMoveToTheSameFileChangesNothing(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	fill(x, q, 1, 5)
	x.Move(q, 1, 1, 0, 0)
	if e := q.Find(5); e.Start != 50 || e.End != 60 {
		t.Fatalf("%+v", e)
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
