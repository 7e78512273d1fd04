package store

import (
	"errors"
	"sync"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// told is a Waiter that keeps what it was told.
type told struct {
	mu    sync.Mutex
	calls []call
	each  chan call
}

type call struct {
	upTo LSN
	err  error
}

func newTold() *told { return &told{each: make(chan call, 1000)} }

func (w *told) Synced(upTo LSN, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call{upTo, err})
	w.each <- call{upTo, err}
}

func TestWaiterIsToldOnceWhenTheLogIsStable(t *testing.T) {
	g := newGate()
	g.release(2)
	s := open(t, worldOptions(g.fs(newDisk(t))))
	early, late := newTold(), newTold()
	first := s.Publish([]QueueID{1}, []byte("first"))
	for range 3 {
		<-g.begun
	}
	s.Notify(early, first)
	second := s.Publish([]QueueID{1}, []byte("second"))
	s.Notify(late, second)
	if len(early.each) > 0 {
		t.Error("told before the sync")
	}
	g.release(1)
	if c := <-early.each; c.err != nil || c.upTo < first || c.upTo >= second {
		t.Errorf("first waiter told %+v", c)
	}
	if len(late.each) > 0 {
		t.Error("the second was told with the first")
	}
	g.release(100)
	if c := <-late.each; c.err != nil || c.upTo < second {
		t.Errorf("second waiter told %+v", c)
	}
	s.Notify(late, first) // long since stable
	if c := <-late.each; c.err != nil || c.upTo < second {
		t.Errorf("late waiter told %+v", c)
	}
	must(t, s.Close())
	s.Notify(late, second)
	if c := <-late.each; c.err != nil || c.upTo < second {
		t.Errorf("waiter after Close told %+v", c)
	}
	if len(early.calls) != 1 || len(late.calls) != 3 {
		t.Errorf("told %d and %d times, want 1 and 3", len(early.calls), len(late.calls))
	}
}

func TestWaiterForThePositionToComeIsToldWhenItComes(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	w := newTold()
	first := s.Publish([]QueueID{1}, []byte("first"))
	must(t, s.Wait(first))
	s.Notify(w, s.Stats().Synced+1)
	second := s.Publish([]QueueID{1}, []byte("second"))
	if c := <-w.each; c.err != nil || c.upTo < second {
		t.Errorf("told %+v", c)
	}
	s.Notify(w, second+1000)
	must(t, s.Close())
	if c := <-w.each; !errors.Is(c.err, ErrClosed) {
		t.Errorf("told %+v", c)
	}
}

func TestFailedSyncIsFinal(t *testing.T) {
	m := newDisk(t)
	var writes int
	failed := false
	options := worldOptions(disk.Faulty(m, func(c disk.Call) disk.Fault {
		if failed && (c.Op == disk.OpWrite || c.Op == disk.OpSync || c.Op == disk.OpCreate) {
			writes++
		}
		if c.Op == disk.OpSync && c.Count == 4 {
			failed = true
			return disk.Fault{Err: syscall.EIO}
		}
		return disk.Fault{}
	}))
	s := open(t, options)
	must(t, s.Wait(s.Publish([]QueueID{1}, []byte("safe"))))
	w := newTold()
	lost := s.Publish([]QueueID{1}, []byte("lost"))
	s.Notify(w, lost)
	if c := <-w.each; !errors.Is(c.err, syscall.EIO) || c.upTo >= lost {
		t.Errorf("waiter told %+v", c)
	}
	<-s.Failed()
	if err := s.Err(); !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v", err)
	}
	if id := s.Publish([]QueueID{1}, []byte("more")); id != 0 {
		t.Errorf("published %d", id)
	}
	if lsn := s.Settle(1, []LSN{lost}); lsn != 0 {
		t.Errorf("settled %d", lsn)
	}
	s.Notify(w, 0)
	if c := <-w.each; !errors.Is(c.err, syscall.EIO) {
		t.Errorf("late waiter told %+v", c)
	}
	if err := s.Wait(lost); !errors.Is(err, syscall.EIO) {
		t.Errorf("waited: %v", err)
	}
	if err := s.Define(nil, []byte("x")); !errors.Is(err, syscall.EIO) {
		t.Errorf("defined: %v", err)
	}
	if err := s.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("closed: %v", err)
	}
	if writes != 0 {
		t.Errorf("%d calls that write after the failure", writes)
	}
	if lines := recoverAll(t, worldOptions(m.Crash(1))); len(lines) == 0 || lines[0] != "[1] safe" {
		t.Errorf("recovered %v", lines)
	}
}

func TestPublishersWaitingForRoomAreFreedByAFailure(t *testing.T) {
	g := newGate()
	g.release(2)
	full := g.fs(disk.Faulty(newDisk(t), func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && c.Count == 3 {
			return disk.Fault{Err: syscall.EIO}
		}
		return disk.Fault{}
	}))
	options := worldOptions(full)
	options.BufferBytesMax = 1000
	s := open(t, options)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				s.Publish([]QueueID{1}, make([]byte, 900))
			}
		})
	}
	g.release(1)
	all.Wait()
	<-s.Failed()
}

// A full disk, an error and a short write at each call in turn: the store fails or does not
// start, hangs nowhere, and what it confirmed is there afterwards.
func TestEveryCallMayFailOnce(t *testing.T) {
	count := 0
	must(t, failingLife(t, newDisk(t), func(disk.Call) disk.Fault {
		count++
		return disk.Fault{}
	}))
	for i := range count {
		for _, fault := range []disk.Fault{
			{Err: syscall.ENOSPC, Bytes: 7}, {Err: syscall.EIO, Bytes: 1 << 20},
		} {
			n, m := 0, newDisk(t)
			var at disk.Call
			err := failingLife(t, m, func(c disk.Call) disk.Fault {
				if n++; n != i+1 {
					return disk.Fault{}
				}
				at = c
				return fault
			})
			// How many calls there are depends on how the goroutines meet.
			if n > i && !errors.Is(err, fault.Err) {
				t.Errorf("call %d, %+v: error %v", i, at, err)
			}
		}
	}
	t.Logf("%d calls failed in two ways each", count)
}

// failingLife runs a short life on m with faults; what was confirmed must be there after a crash.
func failingLife(t *testing.T, m *disk.Memory, rule disk.Rule) error {
	t.Helper()
	var confirmed []string
	err := shortLife(worldOptions(disk.Faulty(m, rule)), func(what string) {
		confirmed = append(confirmed, what)
	})
	lines, recoverErr := tryRecover(worldOptions(m.Crash(uint64(len(confirmed)))))
	if recoverErr != nil {
		t.Errorf("after %v: %v", err, recoverErr)
		return err
	}
	found := make(map[string]bool)
	for _, line := range lines {
		found[line] = true
	}
	for _, what := range confirmed {
		if !found[what] {
			t.Errorf("after %v: lost %q, recovered %v", err, what, lines)
		}
	}
	return err
}

func shortLife(options Options, confirm func(string)) (err error) {
	s, err := Open(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Start(); err != nil {
		return err
	}
	if err := s.Define(nil, []byte("d")); err != nil {
		return err
	}
	confirm("definition d")
	snapshot := func(emit func([]byte)) { emit([]byte("d")) }
	if err := s.Define(snapshot, make([]byte, 600)); err != nil {
		return err
	}
	if err := s.Wait(s.Publish([]QueueID{1}, []byte("old"))); err != nil {
		return err
	}
	confirm("[1] old")
	for range 30 {
		id := s.Publish([]QueueID{2}, make([]byte, 900))
		if err := s.Wait(s.Settle(2, []LSN{id})); err != nil {
			return err
		}
	}
	return s.Define(snapshot, []byte("e")) // rewrites
}
