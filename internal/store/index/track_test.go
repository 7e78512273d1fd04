package index

import (
	"slices"
	"testing"
)

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

// dirty returns the last numbers of the dirty extents.
func dirty(x *Index) (last []uint64) {
	x.Dirty(func(_ *Queue, e *Extent) { last = append(last, e.Last) })
	return last
}

func TestExtentIsDirtyWhenItGrows(t *testing.T) {
	x, q := New(), &Queue{}
	for f := range FileID(4) {
		x.AddFile(f)
	}
	x.TrackFile(1)
	for n := range uint64(3) {
		fill(x, q, 1, n+1)
		if got := dirty(x); !slices.Equal(got, []uint64{n + 1}) {
			t.Fatal(got)
		}
	}
	x.TrackFile(3)
	fill(x, q, 2, 4)
	x.Move(q, 1, 3, 100, 200)
	if got := dirty(x); !slices.Equal(got, []uint64{3, 3}) { // gone from file 1, new in file 3
		t.Fatal(got)
	}
	x.Move(q, 2, 3, 200, 300)
	if got := dirty(x); !slices.Equal(got, []uint64{4}) {
		t.Fatal(got)
	}
	if got := dirty(x); got != nil {
		t.Fatal(got)
	}
}

// TestARunThatFollowsExtendsWhatItFollows unless something may come between them, in number or in
// the file.
func TestARunThatFollowsExtendsWhatItFollows(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	x.AddFile(2)
	insert := func(f FileID, at uint32, numbers ...uint64) error {
		places := []uint32{at}
		for range numbers {
			at += 10
			places = append(places, at)
		}
		return x.InsertRun(q, f, numbers, places)
	}
	for _, c := range []struct {
		f       FileID
		at      uint32
		numbers []uint64
		extents int
	}{
		{1, 100, []uint64{1, 2}, 1},
		{1, 120, []uint64{3, 5, 5 + gapMax + 1}, 2}, // what is too far goes to another
		{1, 150, []uint64{7}, 3},                    // a gap in numbers
		{1, 160, []uint64{6}, 4},                    // which is filled
		{1, 180, []uint64{8}, 5},                    // a gap in the file
		{2, 190, []uint64{9}, 6},
		{2, 200, []uint64{10, 11}, 6},
	} {
		if err := insert(c.f, c.at, c.numbers...); err != nil {
			t.Fatal(c, err)
		}
		if n := len(slices.Collect(q.Extents())); n != c.extents {
			t.Errorf("after %v: %d extents, want %d", c, n, c.extents)
		}
	}
	if err := insert(2, 500, 4); err != errOverlap {
		t.Error("between numbers of a run:", err)
	}
	var got []uint64
	for e := range q.Extents() {
		got = append(got, liveOf(e)...)
	}
	if want := []uint64{1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 6 + gapMax}; !slices.Equal(got, want) {
		t.Error(got)
	}
	one, bytes := x.File(1)
	two, _ := x.File(2)
	if n, _ := q.Live(); one != 8 || bytes != 80 || two != 3 || n != 11 {
		t.Errorf("%d live, %d in file 1, %d bytes, %d in file 2", n, one, bytes, two)
	}
}
