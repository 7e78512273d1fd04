package store

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Who would wait for a full disk can do something before, and goes on when there is room.
func TestTryPublishDoesNotWaitForAFullDisk(t *testing.T) {
	w := newFull(t)
	q, body := []*Queue{w.OpenQueue(1)}, make([]byte, 1024)
	try := func() bool {
		numbers := make([]uint64, 1)
		lsn, ok := w.TryPublish(q, numbers, body)
		if ok != (lsn != 0) || ok != (numbers[0] != 0) {
			t.Fatalf("%v: number %d, group %d", ok, numbers[0], lsn)
		}
		return ok
	}
	count := 0
	for count < fullMessages && (try() || !w.Stats().Full) {
		if count++; count%16 == 0 { // else the buffer is full
			must(t, w.Wait(w.Stats().Last))
		}
	}
	if !w.Stats().Full || !<-w.changes {
		t.Fatalf("not full with %d messages", count)
	}
	for range 100 {
		if try() {
			t.Fatal("published on a full disk, where publishers are held")
		}
	}
	w.Settle(q[0], []Range{{1, 1 << 40}})
	if full := <-w.changes; full || !try() {
		t.Error("held though there is room")
	}
}

// Two goroutines find out that the disk is full, and that it is not: what is told last is true, in
// whatever order they come to tell it.
func TestWhatIsToldLastOfAFullDiskIsTrue(t *testing.T) {
	for _, last := range []bool{true, false} {
		var told atomic.Bool
		var holdUp atomic.Bool
		begun, release := make(chan struct{}), make(chan struct{})
		s, err := Open(Options{Dir: worldDir, FS: newDisk(t), Full: func(full bool) {
			if full != last && holdUp.Load() {
				close(begun)
				<-release
			}
			told.Store(full)
		}})
		must(t, err)
		must(t, s.begin()) // without the keeper, who would have an opinion of its own
		t.Cleanup(func() { must(t, s.Close()) })
		s.setFull(last, syscall.ENOSPC)
		holdUp.Store(true)
		var both sync.WaitGroup
		both.Go(func() { s.setFull(!last, syscall.ENOSPC) })
		<-begun
		done := make(chan struct{})
		both.Go(func() { s.setFull(last, syscall.ENOSPC); close(done) })
		for s.Stats().Full != last {
		}
		select {
		case <-done: // it did not wait for its turn
		case <-time.After(10 * time.Millisecond):
		}
		close(release)
		both.Wait()
		if told.Load() != last {
			t.Errorf("told last that the disk is full: %v, it is: %v", !last, last)
		}
	}
}
