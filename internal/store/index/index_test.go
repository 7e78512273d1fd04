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
