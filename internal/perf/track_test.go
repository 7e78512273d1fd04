package perf

import (
	"math/rand"
	"testing"
)

func TestTrackerCountsWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name                string
		in                  []uint32
		missing, duplicates uint64
		next                uint64
	}{
		{"nothing", nil, 0, 0, 0},
		{"in order", []uint32{0, 1, 2, 3}, 0, 0, 4},
		{"gap", []uint32{0, 1, 3, 4}, 1, 0, 2},
		{"gap filled", []uint32{0, 3, 1, 2, 4}, 0, 0, 5},
		{"reversed", []uint32{4, 3, 2, 1, 0}, 0, 0, 5},
		{"first missing", []uint32{1, 2}, 1, 0, 0},
		{"repeated", []uint32{0, 1, 1, 0, 2}, 0, 2, 3},
		{"repeated above a gap", []uint32{0, 5, 5}, 4, 1, 1},
		{"across words", []uint32{70, 64, 63, 0}, 67, 0, 1},
		{"across pages", []uint32{pageBits, pageBits + 1, 0}, pageBits - 1, 0, 1},
		{"before the first", []uint32{0xffffffff, 0}, 0, 1, 1},
	} {
		var tr tracker
		for _, seq := range c.in {
			tr.add(seq)
		}
		if tr.missing() != c.missing || tr.duplicates != c.duplicates || tr.next != c.next {
			t.Errorf("%s: missing %d, duplicates %d, next %d; want %d, %d, %d", c.name,
				tr.missing(), tr.duplicates, tr.next, c.missing, c.duplicates, c.next)
		}
	}
}

// TestTrackerAgreesWithASet compares with the slow and obvious twin.
func TestTrackerAgreesWithASet(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewSource(seed))
	var tr tracker
	set := make(map[uint64]bool)
	duplicates, at := uint64(0), uint64(0)
	for range 400_000 {
		at++
		seq := at
		switch random.Intn(20) {
		case 0:
			at += uint64(random.Intn(200))
		case 1:
			seq -= min(seq, uint64(random.Intn(100_000)))
		}
		got, fresh := tr.add(uint32(seq))
		if got != seq || fresh == set[seq] {
			t.Fatalf("seed %d: add(%d) = %d, %v; in the set: %v", seed, seq, got, fresh, set[seq])
		}
		if set[seq] {
			duplicates++
		}
		set[seq] = true
	}
	next := uint64(0)
	for set[next] {
		next++
	}
	if tr.received != uint64(len(set)) || tr.duplicates != duplicates || tr.next != next {
		t.Errorf("seed %d: received %d, duplicates %d, next %d; want %d, %d, %d", seed,
			tr.received, tr.duplicates, tr.next, len(set), duplicates, next)
	}
}

func TestTrackerOutlivesTheWrapOfTheSequence(t *testing.T) {
	tr := tracker{next: 1<<32 - 2, high: 1<<32 - 2, received: 1<<32 - 2}
	for _, seq := range []uint32{1<<32 - 2, 0, 1<<32 - 1, 1, 1} {
		tr.add(seq)
	}
	if tr.next != 1<<32+2 || tr.missing() != 0 || tr.duplicates != 1 {
		t.Errorf("next %d, missing %d, duplicates %d", tr.next, tr.missing(), tr.duplicates)
	}
}

func TestTrackerGivesUpBeyondItsLimit(t *testing.T) {
	var tr tracker
	for seq := uint32(1); seq <= gapMax+10; seq += 8 {
		tr.add(seq)
	}
	most := gapMax/pageBits + 2
	if len(tr.pages) > most {
		t.Errorf("%d pages, want at most %d", len(tr.pages), most)
	}
	high := tr.high
	if _, fresh := tr.add(0); fresh || tr.next <= high-gapMax-2 {
		t.Errorf("next %d of %d: nothing was given up", tr.next, high)
	}
	if want := high - tr.received; tr.missing() != want {
		t.Errorf("missing %d, want %d", tr.missing(), want)
	}
	tr.giveUp(tr.high + 10*pageBits)
	if len(tr.pages) != 0 {
		t.Errorf("%d pages are left behind", len(tr.pages))
	}
}
