package store

import (
	"fmt"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// TestWhatIsSpilledLaterMayComeBefore: a queue spills its tail first, then what is in front of it.
func TestWhatIsSpilledLaterMayComeBefore(t *testing.T) {
	s, err := Open(Options{Dir: "data", FS: disk.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	q := s.OpenQueue(1)
	spill := func(numbers ...uint64) error {
		var list []Stored
		for _, n := range numbers {
			list = append(list, Stored{Number: n, Message: fmt.Appendf(nil, "message %d", n)})
		}
		return s.Spill(q, list)
	}
	for _, run := range [][]uint64{{200, 201, 205}, {100, 101}, {300}, {102, 199}, {1}} {
		if err := spill(run...); err != nil {
			t.Fatalf("spill %d: %v", run, err)
		}
	}
	if err := spill(202); err == nil {
		t.Error("what lies between others that were spilled together is taken")
	}
	for range 2 {
		var got string
		for from := uint64(1); from <= 300; { // one at a time, so that each goes on from a hint
			var one []Stored
			if one, from, err = s.Load(q, from, 300, 1, nil); err != nil {
				t.Fatal(err)
			}
			for _, m := range one {
				got += fmt.Sprintf("%d=%s ", m.Number, m.Message)
			}
		}
		want := ""
		for _, n := range []uint64{1, 100, 101, 102, 199, 200, 201, 205, 300} {
			want += fmt.Sprintf("%d=message %d ", n, n)
		}
		if got != want {
			t.Errorf("loaded %s, want %s", got, want)
		}
	}
}
