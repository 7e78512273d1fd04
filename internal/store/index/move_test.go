package index

import "testing"

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

func TestMoveToTheSameFileChangesNothing(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	fill(x, q, 1, 5)
	x.Move(q, 1, 1, 0, 0)
	if e := q.Find(5); e.Start != 50 || e.End != 60 {
		t.Fatalf("%+v", e)
	}
}

func TestMovedExtentsAreNotJoinedOverAWideHole(t *testing.T) {
	for number, want := range map[uint64]int{3 + gapMax: 1, 4 + gapMax: 2} {
		x, q := New(), &Queue{}
		for f := range FileID(4) {
			x.AddFile(f)
		}
		fill(x, q, 1, 1, 2, 3)
		fill(x, q, 2, number)
		x.Move(q, 1, 3, 100, 200)
		x.Move(q, 2, 3, 200, 300)
		if n := extents(q); n != want {
			t.Errorf("%d is in one of %d extents, want %d", number, n, want)
		}
	}
}

// A copy was made, then the end of the queue was truncated and written anew: the copy has other
// messages of the same numbers.
func TestMovedExtentIsNotJoinedToWhatWasTruncated(t *testing.T) {
	x, q := New(), &Queue{}
	for f := range FileID(4) {
		x.AddFile(f)
	}
	fill(x, q, 1, 1, 2, 3, 4) // and a copy in file 3, from 0 to 40
	x.TruncateFrom(q, 3, nil)
	fill(x, q, 2, 3, 4)
	x.Move(q, 1, 3, 0, 40)
	x.Move(q, 2, 3, 40, 60)
	if e := q.Find(3); extents(q) != 2 || e.First != 3 || e.Start != 40 {
		t.Fatalf("%d extents, %+v", extents(q), e)
	}
}

func TestMovedExtentBeginsAndEndsWithALiveMessage(t *testing.T) {
	x, q := New(), &Queue{}
	x.AddFile(1)
	x.AddFile(2)
	fill(x, q, 1, 1, 2, 3, 4, 5, 6, 7)
	x.Settle(q, 1, 2, nil)
	x.Settle(q, 4, 4, nil)
	x.Settle(q, 6, 7, nil)
	x.Move(q, 1, 2, 0, 20)
	if e := q.Find(0); e.First != 3 || e.Last != 5 || e.Live != 2 {
		t.Fatalf("%+v", e)
	}
}
