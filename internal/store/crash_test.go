package store

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	crashSteps = 500
	// crashFlips bits are flipped after each clean end.
	crashFlips = 6

	// crashSeedsMax histories are made at most, to find the rarest boundaries.
	crashSeedsMax = 1000

	// What is wanted when WARREN_CRASH_HISTORIES asks for the full run.
	crashEachFull = 1000    // points of each name
	crashSumFull  = 100_000 // points
	crashEachPace = 15      // points of each name in each history, if there are as many
)

// crashHistoriesMin is the number of histories: the default, or what WARREN_CRASH_HISTORIES says.
// Then the run goes on until there are enough crash points.
func crashHistoriesMin(t testing.TB) (n int, full bool) {
	text := os.Getenv("WARREN_CRASH_HISTORIES")
	if text == "" {
		return crashHistories, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("WARREN_CRASH_HISTORIES: %v", err)
	}
	return n, true
}

func TestNothingSyncedIsLostByACrashAtAnyBoundary(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(200)) // half the time went into collecting
	c := newCampaign(crashEach)
	c.faults, c.flips = true, crashFlips
	if path := os.Getenv("WARREN_CRASH_REPEAT"); path != "" {
		seed, repeat, err := parsePath(path)
		must(t, err)
		must(t, c.history(seed, append([]branch{}, repeat...), crashSteps))
		return
	}
	n, full := crashHistoriesMin(t)
	if full {
		c.each = crashEachPace
	}
	begin := time.Now()
	seeds := c.run(t, func(seeds int) bool {
		least, sum := c.rarest()
		return seeds < n || full && seeds < crashSeedsMax &&
			(least < crashEachFull || sum < crashSumFull)
	})
	least, sum := c.rarest()
	for _, name := range slices.Sorted(maps.Keys(c.points)) {
		t.Logf("crash summary | %8d before %s", c.points[name], name)
	}
	t.Logf("crash summary | %d histories of %d steps, %d crash points at %d boundaries, "+
		"each %d times or more; %d bits flipped; %d files let go, %d bytes moved; %v",
		seeds, crashSteps, sum, len(c.points), least, c.bits, c.done.RemovedFiles,
		c.done.MovedBytes, time.Since(begin).Round(time.Second))
	t.Logf("crash summary | the disk failed: %v", c.fails)
	checkAblations(t, c)
	if full && (least < crashEachFull || sum < crashSumFull) {
		t.Errorf("want %d crash points, %d of each name", crashSumFull, crashEachFull)
	}
	if c.done.RemovedFiles == 0 || c.done.MovedBytes == 0 {
		t.Error("no file was removed, or nothing copied: the histories are no good")
	}
}

// run makes histories, of seeds from 0 on, while it is asked to, on all processors. It returns how
// many. The first that fails ends it.
func (c *campaign) run(t testing.TB, more func(seeds int) bool) int {
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make(chan error, 1)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for len(errs) == 0 && more(int(next.Load())) {
				seed := uint64(next.Add(1) - 1)
				if err := c.history(seed, nil, crashSteps); err != nil {
					select {
					case errs <- fmt.Errorf("history %d: %w", seed, err):
					default:
					}
				}
			}
		})
	}
	wait.Wait()
	if len(errs) > 0 {
		t.Fatalf("%v\nrepeat: WARREN_CRASH_REPEAT=<the longest path above> go test -run %s "+
			"./internal/store", <-errs, t.Name())
	}
	return int(next.Load())
}
