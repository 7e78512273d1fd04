package store

import (
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
)

const (
	crashSteps     = 500
	crashPointsMin = 800 // for each history
)

// crashSeeds are those of a run: the first ones, or as many as WARREN_CRASH_HISTORIES says, or
// the one that WARREN_CRASH_SEED names.
func crashSeeds(t *testing.T) []uint64 {
	first, n := uint64(0), uint64(crashHistories)
	for name, value := range map[string]*uint64{
		"WARREN_CRASH_HISTORIES": &n, "WARREN_CRASH_SEED": &first,
	} {
		if text := os.Getenv(name); text != "" {
			v, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if *value = v; name == "WARREN_CRASH_SEED" {
				return []uint64{v}
			}
		}
	}
	var seeds []uint64
	for seed := range n {
		seeds = append(seeds, seed)
	}
	return seeds
}

func TestNothingSyncedIsLostByACrashAtAnyBoundary(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // half the time went into collecting
	points, done := make(map[string]int), Stats{}
	seeds := crashSeeds(t)
	for _, seed := range seeds {
		w, err := history(seed, crashSteps, nil, nothing)
		if err != nil {
			t.Fatalf("seed %d: %v\nrepeat: WARREN_CRASH_SEED=%d go test -run %s ./internal/store",
				seed, err, seed, t.Name())
		}
		for name, n := range w.points {
			points[name] += n
		}
		done.MovedBytes += w.done.MovedBytes
		done.RemovedFiles += w.done.RemovedFiles
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, n := range points {
		total += n
	}
	for _, name := range slices.Sorted(maps.Keys(points)) {
		t.Logf("%8d before %s", points[name], name)
	}
	t.Logf("%8d crash points; %d files let go, %d bytes moved", total, done.RemovedFiles,
		done.MovedBytes)
	if total < crashPointsMin*len(seeds) {
		t.Errorf("%d crash points, want %d at least", total, crashPointsMin*len(seeds))
	}
	if done.RemovedFiles == 0 || done.MovedBytes == 0 {
		t.Error("no file was removed, or nothing copied: the histories are no good")
	}
}
