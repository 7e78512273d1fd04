package store

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	spaceFile = 256 << 10
	// spaceFactor and spaceConstant: the disk has so many times what is live, and what log files
	// and what is set aside take.
	spaceFactor   = 2
	spaceFiles    = smallMax + LogFilesDefault + poolMax + 6 // with definitions, manifest, reserve
	spaceConstant = (LogFilesDefault+1+poolMax+deadFiles+2)*spaceFile + 2<<20
)

// spaceWorld is a store with small files, and what it takes.
type spaceWorld struct {
	*Store
	t   *testing.T
	mem *disk.Memory
}

func newSpace(t *testing.T) *spaceWorld {
	m := newDisk(t)
	return &spaceWorld{open(t, Options{Dir: worldDir, FS: m, FileBytesMax: spaceFile,
		BufferBytesMax: 32 << 10}), t, m}
}

// check waits until the keeper has nothing to do, and looks at the disk.
func (w *spaceWorld) check(when string) (bytes int64, files int) {
	w.t.Helper()
	must(w.t, w.Wait(w.Stats().Last))
	w.settleKeeper()
	st := w.Stats()
	bytes, files = diskBytes(w.t, w.mem)
	if most := spaceFactor*st.LiveBytes + spaceConstant; bytes > most {
		w.t.Errorf("%s: %d bytes on disk, want %d: %+v", when, bytes, most, st)
	}
	if most := spaceFactor*st.LiveBytes/spaceFile + spaceFiles; int64(files) > most {
		w.t.Errorf("%s: %d files, want %d: %+v", when, files, most, st)
	}
	if st.LogFiles > LogFilesDefault {
		w.t.Errorf("%s: %d log files", when, st.LogFiles)
	}
	w.t.Logf("%-24s %9d live, %9d on disk in %d files; %d moved of %d", when, st.LiveBytes, bytes,
		files, st.MovedBytes, st.WrittenBytes)
	return bytes, files
}

// empty checks that nothing is left but what every store has.
func (w *spaceWorld) empty(when string) {
	w.t.Helper()
	w.check(when)
	if st := w.Stats(); st.Segments != 0 || st.LiveBytes != 0 {
		w.t.Errorf("%s: %+v", when, st)
	}
}

// pass publishes and settles so many messages in a queue, of which window are there at a time.
func (w *spaceWorld) pass(q *Queue, messages, size, window int) {
	body := string(make([]byte, size))
	for i := range messages {
		n, lsn := put(w.Store, q, body)
		if i%window == 0 {
			must(w.t, w.Wait(lsn))
		}
		if n > uint64(window) {
			w.Settle(q, one(n-uint64(window)))
		}
	}
}

func TestChurnTakesNoRoom(t *testing.T) {
	w := newSpace(t)
	q := w.OpenQueue(1)
	w.pass(q, 20_000, 1000, 50)
	w.check("churn")
	if st := w.Stats(); st.MovedBytes > 0 {
		t.Errorf("%d bytes moved", st.MovedBytes)
	}
	w.Settle(q, []Range{{1, 1 << 40}})
	w.empty("churn over")
}

func TestOneOldMessageHoldsNoFiles(t *testing.T) {
	w := newSpace(t)
	slow, fast := w.OpenQueue(1), w.OpenQueue(2)
	put(w.Store, slow, "old")
	w.pass(fast, 10_000, 1000, 10)
	w.check("an old message")
	wantTexts(t, w.Store, slow, "old")
	w.Settle(slow, one(1))
	w.Settle(fast, []Range{{1, 1 << 40}})
	w.pass(fast, 2000, 1000, 1)
	w.DeleteQueue(fast)
	w.empty("it is gone")
}

func TestSparseSegmentsAreMerged(t *testing.T) {
	w := newSpace(t)
	q, body := w.OpenQueue(1), string(make([]byte, 1000))
	for range 8000 {
		put(w.Store, q, body)
	}
	w.check("backlog")
	if st := w.Stats(); st.MovedBytes > 0 || st.Segments < 20 {
		t.Errorf("a backlog was not adopted: %+v", st)
	}
	for n := uint64(1); n < 7900; n++ {
		if n%10 != 0 {
			w.Settle(q, one(n))
		}
	}
	w.check("nine of ten are gone")
	all, err := loadAll(w.Store, q, 1<<20)
	must(t, err)
	if len(all) != 890 || all[1].Number != 20 {
		t.Errorf("%d messages", len(all))
	}
	w.Settle(q, []Range{{1, 1 << 40}})
	w.empty("purged")
}

func TestTimeToLiveTakesNoRoom(t *testing.T) {
	w := newSpace(t)
	random := rand.New(rand.NewPCG(1, 1))
	var queues []*Queue
	for id := range QueueID(20) {
		queues = append(queues, w.OpenQueue(id+1))
	}
	ends := make(map[int][]func()) // by step
	for step := range 20_000 {
		q := queues[random.IntN(len(queues))]
		n, lsn := put(w.Store, q, string(make([]byte, random.IntN(1000))))
		end := step + 1 + random.IntN(20) // most expire soon, a few late
		if random.IntN(20) == 0 {
			end += random.IntN(8000)
		}
		ends[end] = append(ends[end], func() { w.Settle(q, one(n)) })
		for _, settle := range ends[step] {
			settle()
		}
		delete(ends, step)
		if step%100 == 0 {
			must(t, w.Wait(lsn))
		}
		if step%5000 == 4999 {
			w.check("expiring")
		}
	}
	for _, list := range ends {
		for _, settle := range list {
			settle()
		}
	}
	w.empty("all expired")
}

func TestManyQueuesWithOneMessageEach(t *testing.T) {
	w := newSpace(t)
	const many = 10_000
	var queues []*Queue
	for id := range QueueID(many) {
		q := w.OpenQueue(id + 10)
		put(w.Store, q, "the only one")
		queues = append(queues, q)
	}
	fast := w.OpenQueue(1)
	w.pass(fast, 5000, 1000, 10)
	w.check("10,000 queues")
	if st := w.Stats(); st.ManifestBytes > 100*many {
		t.Errorf("manifest of %d bytes", st.ManifestBytes)
	}
	for _, q := range queues[:many-1] {
		w.DeleteQueue(q)
	}
	w.check("all but one deleted")
	wantTexts(t, w.Store, queues[many-1], "the only one")
	w.DeleteQueue(queues[many-1])
	w.DeleteQueue(fast)
	w.empty("deleted")
}

// A message for many queues is one message on disk, also when it lives long.
func TestFanOutIsNotMultiplied(t *testing.T) {
	w := newSpace(t)
	var queues []*Queue
	for id := range QueueID(100) {
		queues = append(queues, w.OpenQueue(id+1))
	}
	body, numbers := bytes.Repeat([]byte("x"), 10_000), make([]uint64, len(queues))
	for range 500 {
		w.Publish(queues, numbers, body)
	}
	must(t, w.Wait(w.Stats().Last))
	w.settleKeeper()
	if n, _ := diskBytes(t, w.mem); n > 500*2*10_000+spaceConstant {
		t.Errorf("%d bytes on disk", n)
	}
	for _, q := range queues[1:] { // each is drained by itself
		w.Settle(q, []Range{{1, 1000}})
	}
	w.check("one queue has all of them")
	if all, err := loadAll(w.Store, queues[0], 1<<20); err != nil || len(all) != 500 {
		t.Errorf("%d messages, %v", len(all), err)
	}
	moved := w.Stats().MovedBytes
	w.settleKeeper()
	if w.Stats().MovedBytes != moved {
		t.Error("it never ends")
	}
	w.Settle(queues[0], []Range{{1, 1000}})
	w.empty("the last one too")
}
