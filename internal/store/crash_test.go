package store

import (
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// start opens the store, checks what it recovers against the model, and begins.
func (w *world) start() error {
	s, err := Open(worldOptions(w.fs()))
	if err != nil {
		return err
	}
	w.store = s
	if err := w.checkDefinitions(); err != nil {
		return err
	}
	if err := w.checkMessages(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	w.check()
	return w.err
}

// checkSums recomputes what is summed up as messages come and go.
func (s *Store) checkSums() error {
	count, live := make(map[uint32]int), make(map[uint32]int64)
	total := 0
	for _, u := range s.index.queues {
		for _, e := range u.entries {
			if e.file != 0 {
				count[e.file]++
				live[e.file] += int64(e.share)
				total++
			}
		}
	}
	if total != s.index.count {
		return fmt.Errorf("%d entries in the index, counted %d", total, s.index.count)
	}
	var bytes, allLive int64
	for _, f := range s.files.list {
		if f.count != count[f.number] || f.live != live[f.number] {
			return fmt.Errorf("file %d: %d entries of %d bytes, counted %d of %d",
				f.number, count[f.number], live[f.number], f.count, f.live)
		}
		bytes, allLive = bytes+f.bytes, allLive+f.live
		if f.number < s.writer.number {
			sc, err := s.openLog(f.number)
			if err != nil {
				return err
			}
			if err := sc.file.Close(); err != nil {
				return err
			}
			if sc.size != f.bytes {
				return fmt.Errorf("file %d: %d bytes, counted %d", f.number, sc.size, f.bytes)
			}
		}
	}
	if bytes != s.files.bytes || allLive != s.files.live {
		return fmt.Errorf("log of %d bytes, %d live, counted %d, %d",
			bytes, allLive, s.files.bytes, s.files.live)
	}
	return nil
}

// checkMessages recovers the messages. They must be those after some part of the operations, from
// the first on, that contains all that are on stable storage. This part becomes the truth.
func (w *world) checkMessages() error {
	got, before := make(state), LSN(0)
	err := w.store.RecoverMessages(func(queues []QueueID, id LSN, message []byte) error {
		m := newUnsettled(message, queues)
		if id <= before || len(queues) == 0 || len(m.queues) < len(queues) {
			return fmt.Errorf("message %d after %d for queues %v", id, before, queues)
		}
		got[id], before = m, id
		return nil
	})
	if err != nil {
		return err
	}
	want, sum, i := w.base.clone(), got.sum(), 0
	for ; i < len(w.ops) && w.ops[i].lsn <= w.synced; i++ {
		want.apply(w.ops[i])
	}
	safe := i
	for want.sum() != sum {
		if i == len(w.ops) {
			return fmt.Errorf("recovered messages fit no point after the %d synced of %d "+
				"operations: %d messages recovered, %s",
				safe, len(w.ops), len(got), difference(want, got))
		}
		want.apply(w.ops[i])
		i++
	}
	w.base, w.ops = want, nil
	return nil
}

func difference(want, got state) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if len(got[id].queues) != len(want[id].queues) {
			fmt.Fprintf(&b, "message %d in %v, at the end of the model in %v; ",
				id, got[id].queues, want[id].queues)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[id]; !ok {
			fmt.Fprintf(&b, "message %d in %v, at the end of the model gone; ",
				id, got[id].queues)
		}
	}
	return b.String()
}

func (w *world) checkDefinitions() error {
	got := make(map[byte]byte)
	err := w.store.RecoverDefinitions(func(r []byte) error {
		got[r[0]] = r[1]
		return nil
	})
	if err != nil {
		return err
	}
	want, i := maps.Clone(w.definedBase), 0
	for i < w.confirmed || !maps.Equal(want, got) {
		if i == len(w.defined) {
			return fmt.Errorf("recovered definitions %v, want %v", got, want)
		}
		want[w.defined[i].key] = w.defined[i].value
		i++
	}
	w.definedBase, w.defined, w.confirmed = want, nil, 0
	return nil
}

// reopen closes cleanly; then everything done must be there.
func (w *world) reopen() error {
	w.endLife()
	if err := w.store.Close(); err != nil {
		return err
	}
	if w.untold != 0 {
		return fmt.Errorf("closed with %d waiters not told", w.untold)
	}
	return w.start()
}

func (w *world) endLife() {
	st := w.store.Stats()
	w.done.CopiedBytes += st.CopiedBytes
	w.done.RemovedFiles += st.RemovedFiles
}

// restart ends the store in one of the ways a process ends, and starts it again.
func (w *world) restart() {
	var err error
	switch w.random.IntN(3) {
	case 0:
		err = w.reopen()
	case 1: // killed; what was written is in the cache of the kernel
		w.mem, w.untold = w.mem.Clone(), 0
		err = w.start()
	default:
		w.mem, w.untold = w.lostPower(), 0
		err = w.start()
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("restart: %w", err)
	}
}

// history runs one world from its seed.
func history(seed uint64, steps int, lose func(disk.Call) bool) (*world, error) {
	w := newWorld(seed)
	w.lose = lose
	if err := w.mem.MkdirAll(worldDir); err != nil {
		return w, err
	}
	if err := w.start(); err != nil {
		return w, err
	}
	if err := w.run(steps); err != nil {
		return w, err
	}
	if err := w.reopen(); err != nil {
		return w, err
	}
	return w, w.err
}

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
		w, err := history(seed, crashSteps, nil)
		if err != nil {
			t.Fatalf("seed %d: %v\nrepeat: WARREN_CRASH_SEED=%d go test -run %s ./internal/store",
				seed, err, seed, t.Name())
		}
		for name, n := range w.points {
			points[name] += n
		}
		done.CopiedBytes += w.done.CopiedBytes
		done.RemovedFiles += w.done.RemovedFiles
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, n := range points {
		total += n
	}
	t.Logf("%d crash points, each before a call: %v; %d log files removed, %d bytes copied",
		total, points, done.RemovedFiles, done.CopiedBytes)
	if total < crashPointsMin*len(seeds) {
		t.Errorf("%d crash points, want %d at least", total, crashPointsMin*len(seeds))
	}
	if done.RemovedFiles == 0 || done.CopiedBytes == 0 {
		t.Error("no file was removed, or nothing copied: the histories are no good")
	}
}
