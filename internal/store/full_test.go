package store

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/disk"
)

// fullWorld is a store on a small disk.
type fullWorld struct {
	*Store
	fs       disk.FS
	changes  chan bool
	messages int // of 1 KiB, to be published: more than the disk has
}

const (
	// fullBytes is the size of the disk.
	fullBytes    = 4 << 20
	fullMessages = 6000
	// fullShare: a disk that is drained slowly is smaller.
	fullShare = 2
)

func newFull(t *testing.T) *fullWorld { return newFullOn(t, newDisk(t), 1) }

// newFullOn is newFull with a disk that is smaller by a factor.
func newFullOn(t *testing.T, m *disk.Memory, factor int) *fullWorld {
	m.SetCapacity(int64(fullBytes / factor))
	return openFull(t, m, factor)
}

func openFull(t *testing.T, fs disk.FS, factor int) *fullWorld {
	w := &fullWorld{fs: fs, changes: make(chan bool, 10_000), messages: fullMessages / factor}
	w.Store = open(t, Options{Dir: worldDir, FS: fs, FileBytesMax: int64(spaceFile / factor),
		BufferBytesMax: 32 << 10, Full: func(full bool) { w.changes <- full }})
	return w
}

// On a full disk publishers wait and consumers drain; then publishing goes on and nothing is lost.
func TestFullDiskIsDrained(t *testing.T) {
	for name, consume := range map[string]func(t *testing.T, w *fullWorld, q *Queue) int{
		"in order":    consumeInOrder,
		"every other": consumeAlternating,
		"all but few": consumeAllButFew,
	} {
		t.Run(name, func(t *testing.T) {
			drainFull(t, newFull(t), consume)
		})
	}
}

// Also when each message is settled alone, and the consumer waits for that: then a settlement takes
// more room than its message gives back.
func TestFullDiskIsDrainedOneByOne(t *testing.T) {
	t.Parallel() // it waits for timers
	drainFull(t, newFullOn(t, newDisk(t), fullShare), consumeOneByOne)
}

func drainFull(t *testing.T, w *fullWorld, consume func(*testing.T, *fullWorld, *Queue) int) {
	q := w.OpenQueue(1)
	put(w.Store, q, "first")
	w.Settle(q, one(1))
	w.settleKeeper() // has something set aside
	var publisher sync.WaitGroup
	publisher.Go(func() {
		body := string(make([]byte, 1024))
		for range w.messages - 1 {
			if _, lsn := put(w.Store, q, body); lsn == 0 {
				t.Error("not published")
				return
			}
		}
	})
	if full := <-w.changes; !full {
		t.Error("told that the disk is not full")
	}
	got := consume(t, w, q)
	publisher.Wait()
	if got != w.messages-1 {
		t.Errorf("%d messages came, %d were published", got, w.messages-1)
	}
	must(t, w.Wait(w.Stats().Last))
	for full := true; full; {
		w.settleKeeper()
		full = <-w.changes
	}
	if st := w.Stats(); st.Unsettled != 0 || st.Full || w.Err() != nil {
		t.Errorf("%+v, %v", st, w.Err())
	}
}

// consumeInOrder settles what one Load brought at once.
func consumeInOrder(t *testing.T, w *fullWorld, q *Queue) (count int) {
	for next := uint64(2); next <= uint64(w.messages); {
		var got []Stored
		var err error
		got, next, err = w.Load(q, next, next+99, 64<<10, nil)
		must(t, err)
		if len(got) == 0 { // not published yet
			next = uint64(count + 2)
			continue
		}
		next = got[len(got)-1].Number + 1
		count += len(got)
		w.Settle(q, []Range{{got[0].Number, got[len(got)-1].Number}})
	}
	return count
}

// consumeOneByOne waits for each settlement: each is a group of its own.
func consumeOneByOne(t *testing.T, w *fullWorld, q *Queue) (count int) {
	for next := uint64(2); next <= uint64(w.messages); {
		got, _, err := w.Load(q, next, next, 1, nil)
		must(t, err)
		for _, m := range got {
			must(t, w.Wait(w.Settle(q, one(m.Number))))
			count, next = count+1, m.Number+1
		}
	}
	return count
}

// consumeAlternating settles every other message, and the rest in the end.
func consumeAlternating(t *testing.T, w *fullWorld, q *Queue) int {
	seen := make(map[uint64]bool)
	for len(seen) < w.messages-1 {
		got, _, err := w.Load(q, 1, 1<<40, 1<<20, nil)
		must(t, err)
		for i, m := range got {
			seen[m.Number] = true
			if i%2 == 0 || len(seen) == w.messages-1 {
				w.Settle(q, one(m.Number))
			}
		}
	}
	w.Settle(q, []Range{{1, 1 << 40}})
	return len(seen)
}

// consumeAllButFew leaves one message in a hundred, which keep every file, until the end.
func consumeAllButFew(t *testing.T, w *fullWorld, q *Queue) (count int) {
	for next := uint64(2); next <= uint64(w.messages); {
		got, _, err := w.Load(q, next, next+31, 64<<10, nil)
		must(t, err)
		for _, m := range got {
			if m.Number%100 != 0 {
				w.Settle(q, one(m.Number))
			}
			count, next = count+1, m.Number+1
		}
	}
	all, err := loadAll(w.Store, q, 1<<20)
	must(t, err)
	if len(all) != w.messages/100 {
		t.Errorf("%d messages are left, want one in a hundred of %d", len(all), w.messages)
	}
	w.Settle(q, []Range{{1, 1 << 40}})
	return count
}

// While the keeper is held up by the disk, settlements whose callers wait leave it the room that it
// needs to give some back: they wait for it.
func TestSettlementsDoNotUseUpTheRoomOfTheKeeper(t *testing.T) {
	t.Parallel() // it waits for timers
	var w *fullWorld
	var ready, once atomic.Bool
	begun, release := make(chan struct{}), make(chan struct{})
	m := newDisk(t)
	m.SetCapacity(fullBytes / fullShare)
	w = openFull(t, disk.Faulty(m, func(c disk.Call) disk.Fault {
		if c.Op == disk.OpWrite && strings.Contains(c.Name, manifestName) && ready.Load() &&
			!w.hasReserve() && once.CompareAndSwap(false, true) {
			close(begun)
			<-release
		}
		return disk.Fault{}
	}), fullShare)
	ready.Store(true)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		<-begun
		free := w.freeBytes(t)
		for end := time.After(time.Second / 4); free > 0; free = min(free, w.freeBytes(t)) {
			select {
			case <-end:
				if least := uint64(w.reserveSize() / 8); free < least {
					t.Errorf("%d bytes are left to the keeper, want %d", free, least)
				}
				close(release)
				return
			default:
			}
		}
		t.Error("nothing is left to the keeper")
		close(release)
	})
	drainFull(t, w, consumeOneByOne)
	keeper.Wait()
}

func (w *fullWorld) freeBytes(t *testing.T) uint64 {
	free, err := w.fs.Free(worldDir)
	if err != nil {
		t.Error(err)
	}
	return free
}

// hasReserve says whether the disk is not full, or something is set aside.
func (s *Store) hasReserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.keeper.full || s.keeper.reserved
}
