package store

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// fullWorld is a store on a disk of 4 MiB.
type fullWorld struct {
	*Store
	changes  chan bool
	messages int // of 1 KiB, to be published: more than the disk has
}

const fullMessages = 6000

func newFull(t *testing.T) *fullWorld {
	m := newDisk(t)
	m.SetCapacity(4 << 20)
	w := &fullWorld{changes: make(chan bool, 10_000), messages: fullMessages}
	w.Store = open(t, Options{Dir: worldDir, FS: m, FileBytesMax: spaceFile,
		BufferBytesMax: 32 << 10, Full: func(full bool) { w.changes <- full }})
	return w
}

// On a full disk publishers wait and consumers drain; then publishing goes on and nothing is lost.
func TestFullDiskIsDrained(t *testing.T) {
	for name, consume := range map[string]func(t *testing.T, w *fullWorld, q *Queue) int{
		"in order":    consumeInOrder,
		"one by one":  consumeOneByOne,
		"every other": consumeAlternating,
		"all but few": consumeAllButFew,
	} {
		t.Run(name, func(t *testing.T) {
			drainFull(t, newFull(t), consume)
		})
	}
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

// consumeOneByOne settles each message alone, and waits for some of the settlements.
func consumeOneByOne(t *testing.T, w *fullWorld, q *Queue) (count int) {
	for next := uint64(2); next <= uint64(w.messages); {
		got, _, err := w.Load(q, next, next, 1, nil)
		must(t, err)
		for _, m := range got {
			lsn := w.Settle(q, one(m.Number))
			if m.Number%16 == 0 {
				must(t, w.Wait(lsn))
			}
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

// TestRoomIsSetAsideThoughItsFileIsThere: the file could not be removed when its room was needed.
func TestRoomIsSetAsideThoughItsFileIsThere(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	for range 2 {
		must(t, s.writeReserve(mergeRoomName, s.mergeRoomSize()))
	}
}

// TestASpareThatMayComeBackEndsTheStore: it was removed, and the directory could not be synced.
func TestASpareThatMayComeBackEndsTheStore(t *testing.T) {
	var broken atomic.Bool
	fs := disk.Faulty(newDisk(t), func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSyncDir && broken.Load() {
			return disk.Fault{Err: syscall.EIO}
		}
		return disk.Fault{}
	})
	w := &fullWorld{Store: open(t, worldOptions(fs))}
	put(w.Store, w.OpenQueue(1), "first")
	w.settleKeeper() // has a file prepared
	broken.Store(true)
	if w.giveSpare() || w.Err() == nil {
		t.Errorf("the store goes on: %v", w.Err())
	}
}

// TestNobodyWaitsForRoomAfterRefuse: who publishes is told, who waits already as well; what was
// taken before is safe.
func TestNobodyWaitsForRoomAfterRefuse(t *testing.T) {
	w := newFull(t)
	q := w.OpenQueue(1)
	taken := make(chan int)
	go func() {
		n, body := 0, string(make([]byte, 1024))
		for {
			if _, lsn := put(w.Store, q, body); lsn == 0 {
				break
			}
			n++
		}
		taken <- n
	}()
	<-w.changes
	w.Refuse()
	n := <-taken
	var c Commit
	c.Publish([]*Queue{q}, make([]uint64, 1), []byte("head"), []byte("message"))
	c.Settle(q, one(1))
	if lsn := w.Commit(&c); lsn != 0 {
		t.Errorf("a commit was taken at %d", lsn)
	}
	if got := w.Stats().Unsettled; got != n {
		t.Errorf("%d messages of %d are there", got, n)
	}
	w.Settle(q, one(1))
	if got := w.Stats().Unsettled; got != n-1 {
		t.Errorf("%d messages are there after one was settled", got)
	}
}
