package store

import (
	"errors"
	"sync"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// told is a Waiter that keeps what it was told.
type told chan call

type call struct {
	upTo LSN
	err  error
}

func newTold() told { return make(told, 1000) }

func (w told) Synced(upTo LSN, err error) { w <- call{upTo, err} }

// logGate makes syncs of log files wait.
func logGate(g *gate, fsys disk.FS) disk.FS {
	return disk.Faulty(fsys, func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && isLog(c.Name) {
			g.begun <- c.Name
			<-g.open
		}
		return disk.Fault{}
	})
}

func TestWaiterIsToldOnceWhenTheLogIsStable(t *testing.T) {
	g := newGate()
	s := open(t, unprepared(worldOptions(logGate(g, newDisk(t)))))
	q, early, late := s.OpenQueue(1), newTold(), newTold()
	_, first := put(s, q, "first")
	<-g.begun
	s.Notify(early, first)
	_, second := put(s, q, "second")
	s.Notify(late, second)
	if len(early) > 0 {
		t.Error("told before the sync")
	}
	g.release(1)
	if c := <-early; c.err != nil || c.upTo < first || c.upTo >= second {
		t.Errorf("first waiter told %+v", c)
	}
	if len(late) > 0 {
		t.Error("the second was told with the first")
	}
	g.release(100)
	for _, lsn := range []LSN{second, first} { // the first long since stable
		if lsn == first {
			s.Notify(late, lsn)
		}
		if c := <-late; c.err != nil || c.upTo < second {
			t.Errorf("late waiter told %+v", c)
		}
	}
	must(t, s.Close())
	s.Notify(late, second)
	if c := <-late; c.err != nil || c.upTo < second {
		t.Errorf("waiter after Close told %+v", c)
	}
	if len(early)+len(late) != 0 {
		t.Error("somebody was told twice")
	}
}

func TestWaiterForTheGroupToComeIsToldWhenItComes(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	q, w := s.OpenQueue(1), newTold()
	_, first := put(s, q, "first")
	must(t, s.Wait(first))
	s.Notify(w, s.Stats().Synced+1)
	_, second := put(s, q, "second")
	if c := <-w; c.err != nil || c.upTo < second {
		t.Errorf("told %+v", c)
	}
	s.Notify(w, second+1000)
	must(t, s.Close())
	if c := <-w; !errors.Is(c.err, ErrClosed) {
		t.Errorf("told %+v", c)
	}
	if _, lsn := put(s, q, "late"); lsn != 0 {
		t.Errorf("published as %d after Close", lsn)
	}
	if err := s.Wait(second + 1000); !errors.Is(err, ErrClosed) {
		t.Errorf("waited: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestFailedSyncIsFinal(t *testing.T) {
	m := newDisk(t)
	var mu sync.Mutex
	syncs, writes, failed := 0, 0, ""
	options := unprepared(worldOptions(disk.Faulty(m, func(c disk.Call) disk.Fault {
		mu.Lock()
		defer mu.Unlock()
		if (c.Op == disk.OpWrite || c.Op == disk.OpSync) && c.Name == failed {
			writes++
		}
		if c.Op == disk.OpSync && isLog(c.Name) {
			if syncs++; syncs == 2 {
				failed = c.Name
				return disk.Fault{Err: syscall.EIO}
			}
		}
		return disk.Fault{}
	})))
	s := open(t, options)
	q := s.OpenQueue(1)
	_, lsn := put(s, q, "safe")
	must(t, s.Wait(lsn))
	w := newTold()
	_, lost := put(s, q, "lost")
	s.Notify(w, lost)
	if c := <-w; !errors.Is(c.err, syscall.EIO) || c.upTo >= lost {
		t.Errorf("waiter told %+v", c)
	}
	<-s.Failed()
	if n, lsn := put(s, q, "more"); lsn != 0 || n != 3 {
		t.Errorf("published %d as %d", n, lsn)
	}
	if lsn := s.Settle(q, one(1)); lsn != 0 {
		t.Errorf("settled %d", lsn)
	}
	if lsn := s.DeleteQueue(q); lsn != 0 {
		t.Errorf("deleted %d", lsn)
	}
	s.Notify(w, 0)
	late := <-w
	for what, err := range map[string]error{
		"Err": s.Err(), "a late waiter": late.err, "Wait": s.Wait(lost),
		"Define": s.Define(nil, []byte("x")), "Close": s.Close(),
	} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if writes != 0 {
		t.Errorf("%d calls that write to the log after the failure", writes)
	}
	if lines := mustSurvive(t, worldOptions(m.Crash(1))); len(lines) == 0 ||
		lines[0] != "1/1 safe" {
		t.Errorf("recovered %q", lines)
	}
}

func TestPublishersWaitingForRoomAreFreedByAFailure(t *testing.T) {
	g := newGate()
	fail := make(chan struct{})
	options := unprepared(worldOptions(logGate(g, disk.Faulty(newDisk(t),
		func(c disk.Call) disk.Fault {
			select {
			case <-fail:
				return disk.Fault{Err: syscall.EIO}
			default:
				return disk.Fault{}
			}
		}))))
	options.BufferBytesMax = 1000
	s := open(t, options)
	q := s.OpenQueue(1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				put(s, q, string(make([]byte, 900)))
			}
		})
	}
	<-g.begun
	close(fail)
	g.release(100)
	all.Wait()
	<-s.Failed()
}

// A full buffer makes publishers wait; settlements still pass, and a message larger than the buffer
// is taken when there is nothing else in it.
func TestFullBufferHoldsPublishersAndLetsSettlementsPass(t *testing.T) {
	g := newGate()
	options := unprepared(worldOptions(logGate(g, newDisk(t))))
	options.BufferBytesMax = 1000
	s := open(t, options)
	q := s.OpenQueue(1)
	put(s, q, "first")
	<-g.begun // the first group is being synced
	large := string(make([]byte, 50_000))
	if n, lsn := put(s, q, large); n != 2 || lsn == 0 {
		t.Fatalf("large message: %d in group %d", n, lsn)
	}
	if lsn, ok := s.TryPublish([]*Queue{q}, make([]uint64, 1), []byte("waits")); ok || lsn != 0 {
		t.Error("a publisher who will wait is not told so")
	}
	passed := make(chan LSN)
	go func() {
		_, lsn := put(s, q, "waits")
		passed <- lsn
	}()
	for range 100 {
		s.Settle(q, one(1))
	}
	if lsn := s.Settle(q, one(2)); lsn == 0 {
		t.Error("not settled")
	}
	select {
	case <-passed:
		t.Error("published into a full buffer")
	default:
	}
	g.release(1000)
	must(t, s.Wait(<-passed))
	wantTexts(t, s, q, "waits")
}

func TestCloseTellsEverybodyAndKeepsWhatWasPublished(t *testing.T) {
	m := newDisk(t)
	s := open(t, worldOptions(m))
	const publishers, each = 4, 200
	w := make(told, publishers*each)
	var all, begun sync.WaitGroup
	var mu sync.Mutex
	published := 0
	begun.Add(publishers)
	for i := range publishers {
		q := s.OpenQueue(QueueID(i + 1))
		all.Go(func() {
			for j := range each {
				_, lsn := put(s, q, "x")
				s.Notify(w, lsn)
				if lsn != 0 {
					mu.Lock()
					published++
					mu.Unlock()
				}
				if j == each/4 {
					begun.Done()
				}
			}
		})
	}
	begun.Wait()
	must(t, s.Close())
	all.Wait()
	confirmed := 0
	for range publishers * each { // each once, whenever he came
		if c := <-w; c.err == nil && c.upTo > 0 {
			confirmed++
		}
	}
	lines := mustSurvive(t, worldOptions(m))
	if len(lines) < published*9/10 || len(lines) > publishers*each || len(lines) == 0 {
		t.Errorf("%d messages, %d were taken, %d told", len(lines), published, confirmed)
	}
	if len(lines) != published {
		t.Errorf("%d messages, %d were taken before Close", len(lines), published)
	}
}

// isLog says whether a call concerns a log file.
func isLog(name string) bool { return roleOf(name) == roleLog }

// unprepared keeps the keeper from preparing files, so that tests can count the syncs of the log.
func unprepared(o Options) Options {
	o.FileBytesMax = FileBytesLimit
	o.firstBytes = o.FileBytesMax
	return o
}
