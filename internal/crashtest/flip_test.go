package crashtest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const (
	// bitFlips is how many bits TestNoFlippedBitIsDelivered flips, one at a time;
	// WARREN_BIT_FLIPS sets another number.
	bitFlips = 500
	// shelfFlips are tried on one data directory.
	shelfFlips = 30
)

// TestNoFlippedBitIsDelivered flips a bit somewhere in the files of a stopped node and starts it:
// it refuses, or quarantines the queue that it cannot vouch for, or nothing is lost and nothing
// changed.
func TestNoFlippedBitIsDelivered(t *testing.T) {
	flips := int(number(t, "WARREN_BIT_FLIPS", bitFlips))
	random := rand.New(rand.NewPCG(seedOf(t), 4))
	begin := time.Now()
	var s *shelf
	count := make(map[outcome]int)
	for flip := range flips {
		if flip%shelfFlips == 0 {
			s = fillShelf(t, random)
			if result, err := s.try(t, func(string) string { return "nothing" }); err != nil ||
				result != harmless {
				t.Fatalf("an undamaged directory: outcome %d, %v", result, err)
			}
		}
		var what string
		result, err := s.try(t, func(dir string) string {
			what = flipBit(t, dir, s, random)
			return what
		})
		if err != nil {
			t.Fatalf("flip %d, %s: %v", flip, what, err)
		}
		count[result]++
	}
	t.Logf("crash summary | bit flips | %d flips | %d refused, %d reported as quarantine of the "+
		"queue, %d without effect; 0 undetected (100 %% detected) | %.0f s", flips, count[refused],
		count[reported], count[harmless], time.Since(begin).Seconds())
	if count[refused]+count[reported] == 0 {
		t.Error("no flip was noticed: the places are no good")
	}
}

// try starts a node on a damaged copy of the shelf.
func (s *shelf) try(t *testing.T, damage func(dir string) string) (outcome, error) {
	dir, err := os.MkdirTemp(t.TempDir(), "copy")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := s.copyTo(dir); err != nil {
		t.Fatal(err)
	}
	damage(dir)
	return s.open(dir)
}

// flipBit flips one bit in a file of dir, mostly where there are no zeros, and says which.
func flipBit(t *testing.T, dir string, s *shelf, random *rand.Rand) string {
	names, err := s.files()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, names[random.IntN(len(names))])
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := random.IntN(len(b))
	if random.IntN(10) > 0 {
		at = used(b, random)
	}
	bit := random.IntN(8)
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{b[at] ^ 1<<bit}, int64(at)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("bit %d at offset %d of the %d of %s", bit, at, len(b), filepath.Base(name))
}

// used returns an offset in a block that has anything in it, if there is one.
func used(b []byte, random *rand.Rand) int {
	const block = 64
	zeros := make([]byte, block)
	var list []int
	for at := 0; at < len(b); at += block {
		if part := b[at:min(at+block, len(b))]; !bytes.Equal(part, zeros[:len(part)]) {
			list = append(list, at)
		}
	}
	if len(list) == 0 {
		return random.IntN(len(b))
	}
	at := list[random.IntN(len(list))]
	return at + random.IntN(min(block, len(b)-at))
}
