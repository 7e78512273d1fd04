package backup

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/warrenmq/warren/internal/store"
)

const (
	// loadQueues have a publisher and a consumer each.
	loadQueues = 3
	// loadBackups are made under them.
	loadBackups = 6
	// loadBacklog is how many messages a consumer leaves.
	loadBacklog = 400
)

// ledger is what the clients of a queue were told.
type ledger struct {
	mu        sync.Mutex
	confirmed map[uint64]bool // and not yet settled
	settling  map[uint64]bool // settled, and not known to be safe
	settled   map[uint64]bool // that is on stable storage
}

// promise is what has to be in a backup, and what must not.
type promise struct{ there, gone map[uint64]bool }

func (l *ledger) now() promise {
	l.mu.Lock()
	defer l.mu.Unlock()
	return promise{maps.Clone(l.confirmed), maps.Clone(l.settled)}
}

// load publishes to a queue and settles most of it, until stop is closed.
func (l *ledger) load(s *store.Store, q *store.Queue, stop chan struct{}) error {
	body := bytes.Repeat([]byte("x"), 600)
	var n [1]uint64
	for round := 0; ; round++ {
		select {
		case <-stop:
			return nil
		default:
		}
		var last store.LSN
		var fresh []uint64
		for range 20 {
			last = s.Publish([]*store.Queue{q}, n[:], body)
			fresh = append(fresh, n[0])
		}
		if err := s.Wait(last); err != nil {
			return err
		}
		l.mu.Lock()
		for _, number := range fresh {
			l.confirmed[number] = true
		}
		old := slices.Sorted(maps.Keys(l.confirmed))
		old = old[:max(0, len(old)-loadBacklog)]
		var ranges []store.Range
		for i, number := range old {
			if i%50 == 0 && round%40 != 0 {
				continue // it stays long
			}
			ranges = append(ranges, store.Range{First: number, Last: number})
			delete(l.confirmed, number)
			l.settling[number] = true
		}
		l.mu.Unlock()
		if err := s.Wait(s.Settle(q, ranges)); err != nil {
			return err
		}
		l.mu.Lock()
		maps.Copy(l.settled, l.settling)
		clear(l.settling)
		l.mu.Unlock()
	}
}

// TestABackupUnderLoadHasWhatWasConfirmed makes backups while publishers and consumers go on, opens
// each as an ordinary data directory, and looks for what was promised: what was confirmed before
// the call and not settled before its end is there, and what was settled before the call is not.
func TestABackupUnderLoadHasWhatWasConfirmed(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir(), FileBytesMax: 256 << 10, LogFilesMax: 2})
	must(t, s.Define(nil, []byte("before")))
	stop, failed := make(chan struct{}), make(chan error, loadQueues)
	var clients sync.WaitGroup
	var ledgers [loadQueues]*ledger
	for i := range ledgers {
		ledgers[i] = &ledger{confirmed: make(map[uint64]bool),
			settling: make(map[uint64]bool), settled: make(map[uint64]bool)}
		q := s.OpenQueue(store.QueueID(i + 1))
		clients.Go(func() { failed <- ledgers[i].load(s, q, stop) })
	}
	for i := range loadBackups {
		var before, after [loadQueues]promise
		for j, l := range ledgers {
			before[j] = l.now()
		}
		var b bytes.Buffer
		must(t, Write(t.Context(), &b, s, about()))
		for j, l := range ledgers {
			after[j] = l.now()
		}
		must(t, s.Define(nil, fmt.Appendf(nil, "after %d", i)))
		check(t, b.Bytes(), before, after, i)
	}
	close(stop)
	clients.Wait()
	for range ledgers {
		must(t, <-failed)
	}
	if st := s.Stats(); st.RemovedFiles == 0 || st.MovedBytes == 0 {
		t.Errorf("no file was let go of, or nothing moved: %+v", st)
	}
}

func check(t *testing.T, b []byte, before, after [loadQueues]promise, definitions int) {
	t.Helper()
	dir := t.TempDir()
	c, survey, err := Restore(RestoreOptions{Dir: dir}, bytes.NewReader(b))
	must(t, err)
	if survey.Quarantined > 0 || survey.Definitions != definitions+1 {
		t.Errorf("found %+v, want %d definitions", survey, definitions+1)
	}
	s := open(t, store.Options{Dir: dir, FileBytesMax: 256 << 10})
	sum := 0
	for i := range before {
		list, err := numbers(s, store.QueueID(i+1))
		must(t, err)
		there := make(map[uint64]bool)
		for _, n := range list {
			there[n] = true
		}
		sum += len(list)
		for n := range before[i].there {
			if after[i].there[n] && !there[n] {
				t.Errorf("queue %d: message %d was confirmed, and is not there", i+1, n)
			}
		}
		for n := range before[i].gone {
			if there[n] {
				t.Errorf("queue %d: message %d was settled, and is there", i+1, n)
			}
		}
	}
	t.Logf("%d files, %d bytes, %d messages", len(c.Files), c.Bytes(), sum)
	must(t, s.Close())
}
