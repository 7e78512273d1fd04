package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/warrenmq/warren/internal/disk"
)

func TestLoadStopsAtEveryLimitAndGoesOn(t *testing.T) {
	s := open(t, Options{Dir: worldDir, FS: newDisk(t)})
	a, b := s.OpenQueue(1), s.OpenQueue(2)
	var want [][]byte
	for i := range 60 {
		// Around the window of the scanner, and beyond it; some for both queues.
		size := []int{0, 1, 100, windowBytes - 40, windowBytes, windowBytes + 1, 70}[i%7]
		message := bytes.Repeat([]byte{byte(i)}, size)
		numbers := make([]uint64, 2)
		if i%3 == 0 {
			s.Publish([]*Queue{b, a}, numbers, message[:size/2], message[size/2:])
		} else {
			put(s, b, "other")
			put(s, a, string(message))
		}
		want = append(want, message)
	}
	for _, limit := range []int{0, 1, 99, 300_000, 1 << 30} {
		all, err := loadAll(s, a, limit)
		must(t, err)
		if len(all) != len(want) {
			t.Fatalf("%d messages with limit %d", len(all), limit)
		}
		for i, m := range all {
			if m.Number != uint64(i+1) || !m.Logged || !bytes.Equal(m.Message, want[i]) {
				t.Fatalf("limit %d: message %d is number %d, %d bytes", limit, i, m.Number,
					len(m.Message))
			}
		}
	}
	out, next, err := s.Load(a, 10, 12, 1<<30, make([]Stored, 3))
	if err != nil || len(out) != 6 || out[3].Number != 10 || next != 13 {
		t.Errorf("a range: %d messages, next %d, %v", len(out), next, err)
	}
	out, next, err = s.Load(a, 61, 1000, 1<<30, nil)
	if err != nil || len(out) != 0 || next != 1001 {
		t.Errorf("behind the end: %d messages, next %d, %v", len(out), next, err)
	}
}

func TestLoadMergesWhatIsLoggedAndWhatIsSpilled(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	q := s.OpenQueue(1)
	random := rand.New(rand.NewPCG(1, 1))
	var want []string
	var spilled []Stored
	for range 500 {
		if random.IntN(2) == 0 {
			n, _ := put(s, q, "logged")
			want = append(want, fmt.Sprint(n, true))
			continue
		}
		n := q.Number()
		spilled = append(spilled, Stored{Number: n, Head: []byte("spi"), Message: []byte("lled")})
		want = append(want, fmt.Sprint(n, false))
	}
	for part := range slices.Chunk(spilled, 7) {
		must(t, s.Spill(q, part))
	}
	must(t, s.Spill(q, nil))
	s.Settle(q, []Range{{100, 200}, {300, 300}})
	want = slices.Concat(want[:99], want[200:299], want[300:])
	all, err := loadAll(s, q, 100)
	must(t, err)
	var got []string
	for _, m := range all {
		got = append(got, fmt.Sprint(m.Number, m.Logged))
		if text := string(m.Message); (text == "logged") != m.Logged {
			t.Fatalf("%d: %q", m.Number, text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s.Stats().SpillFiles == 0 {
		t.Error("no spill file")
	}
	s.Settle(q, []Range{{1, 1000}})
	wantTexts(t, s, q)
}

// Readers, publishers and those who settle meet while files are adopted, moved, merged, recycled
// and removed under them. Each queue has one who publishes to it and reads it.
func TestLoadWhileFilesComeAndGo(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	var all sync.WaitGroup
	for id := range QueueID(6) {
		q := s.OpenQueue(id + 1)
		all.Go(func() { liveOf(t, s, q) })
	}
	all.Wait()
	st := s.Stats()
	if st.MovedBytes == 0 || st.RemovedFiles < 10 || st.SpilledBytes == 0 {
		t.Errorf("too little happened: %+v", st)
	}
}

// liveOf does 1200 things to a queue and compares it with a model.
func liveOf(t *testing.T, s *Store, q *Queue) {
	random := rand.New(rand.NewPCG(uint64(q.ID()), 2))
	model := make(map[uint64]uint64) // number: sum
	for step := range 1200 {
		message := make([]byte, random.IntN(3000))
		for i := range message {
			message[i] = byte(random.Uint32())
		}
		if random.IntN(8) == 0 {
			n := q.Number()
			if err := s.Spill(q, []Stored{{Number: n, Message: message}}); err != nil {
				t.Error(err)
			}
			model[n] = sumOf(message)
		} else {
			n, _ := put(s, q, string(message))
			model[n] = sumOf(message)
		}
		if random.IntN(3) == 0 || len(model) > 60 {
			settleSome(s, q, model, random)
		}
		if step%20 == 0 && !sameQueue(t, s, q, model) {
			return
		}
	}
}

func settleSome(s *Store, q *Queue, model map[uint64]uint64, random *rand.Rand) {
	for n := range model {
		if random.IntN(3) > 0 {
			s.Settle(q, one(n))
			delete(model, n)
		}
	}
}

func sameQueue(t *testing.T, s *Store, q *Queue, model map[uint64]uint64) bool {
	all, err := loadAll(s, q, 20_000)
	if err != nil || len(all) != len(model) {
		t.Errorf("queue %d: %d messages of %d, %v", q.ID(), len(all), len(model), err)
		return false
	}
	for _, m := range all {
		if model[m.Number] != sumOf(m.Message) {
			t.Errorf("queue %d: %d is not what was published", q.ID(), m.Number)
			return false
		}
	}
	return true
}

func TestFlippedBitIsDamageWhenItIsLoaded(t *testing.T) {
	m := newDisk(t)
	s := open(t, worldOptions(m))
	q, other := s.OpenQueue(1), s.OpenQueue(2)
	for range 20 {
		put(s, q, "some text to be damaged")
		put(s, other, "untouched")
	}
	must(t, s.Wait(s.Stats().Last))
	name := namesOf(t, m, roleLog)[0]
	at := bytes.LastIndex(contentOf(t, m, name), []byte("damaged"))
	must(t, m.FlipBit(worldDir+"/"+name, int64(at)*8))
	all, err := loadAll(s, q, 1<<20)
	var damage *DamageError
	if !errors.Is(err, ErrDamaged) || !errors.As(err, &damage) || len(all) != 19 ||
		damage.Offset > int64(at) {
		t.Errorf("%d messages, %v", len(all), err)
	}
	for _, m := range all {
		if string(m.Message) != "some text to be damaged" {
			t.Errorf("delivered %q", m.Message)
		}
	}
	if s.Err() != nil {
		t.Error("the store failed by it")
	}
}

// TestLoadedMessagesKeepOnlyAsMuchMemoryAlive loads messages between which others lie: a little of
// each chunk, then nearly all of it.
func TestLoadedMessagesKeepOnlyAsMuchMemoryAlive(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), FS: disk.OS(), BufferBytesMax: 1 << 20})
	q, other := s.OpenQueue(1), s.OpenQueue(2)
	const messages = 2000
	for i := range messages {
		n, _ := put(s, q, string(bytes.Repeat([]byte{byte(i)}, 500)))
		if i < messages/2 {
			put(s, other, string(make([]byte, loadChunkBytes/2)))
		}
		if i%10 == 0 {
			number := q.Number()
			must(t, s.Spill(q, []Stored{{Number: number, Message: make([]byte, n%100)}}))
		}
	}
	must(t, s.Wait(s.Stats().Last))
	before := heap()
	all, err := loadAll(s, q, 1<<20)
	after := heap()
	must(t, err)
	kept, size := int64(after)-int64(before), int64(0)
	for _, m := range all {
		size += int64(len(m.Message)) + int64(unsafe.Sizeof(m))
	}
	const others = 4 << 20 // what the log and the keeper may have taken meanwhile
	if kept > 2*size+others {
		t.Errorf("%d messages of %d bytes keep %d alive", len(all), size, kept)
	}
	runtime.KeepAlive(all)
}

// TestLoadGoesOnWhereItsLimitWas and does not look for the place again.
func TestLoadGoesOnWhereItsLimitWas(t *testing.T) {
	s := open(t, Options{Dir: worldDir, FS: newDisk(t)})
	q := s.OpenQueue(1)
	for i := range 100 {
		put(s, q, "logged")
		must(t, s.Spill(q, []Stored{{Number: q.Number(), Message: make([]byte, i)}}))
	}
	for next := uint64(1); next <= 200; {
		_, after, err := s.Load(q, next, 200, 60, nil)
		must(t, err)
		if h := q.next; h[laneLogged].number > after || h[laneSpilled].number > after ||
			after <= 200 && max(h[laneLogged].number, h[laneSpilled].number) != after {
			t.Fatalf("the next is %d, places are known of %v", after, h)
		}
		next = after
	}
}

// TestMemoryDoesNotGrowWithTheNumberOfMessages counts the heap of a million messages in a queue.
func TestMemoryDoesNotGrowWithTheNumberOfMessages(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 60 MB")
	}
	const messages = 1_000_000
	s := open(t, Options{Dir: t.TempDir(), FS: disk.OS(), FileBytesMax: 8 << 20,
		BufferBytesMax: 1 << 20})
	q := s.OpenQueue(1)
	queues, numbers, body := []*Queue{q}, make([]uint64, 1), make([]byte, 40)
	for range messages / 10 { // until the buffers have grown
		s.Publish(queues, numbers, body)
	}
	must(t, s.Wait(s.Stats().Last))
	before := heap()
	for range messages {
		s.Publish(queues, numbers, body)
	}
	must(t, s.Wait(s.Stats().Last))
	after := heap()
	if st := s.Stats(); st.Unsettled != messages+messages/10 {
		t.Errorf("%d messages are there", st.Unsettled)
	}
	t.Logf("heap %d before, %d after %d messages", before, after, messages)
	const buffers = 4 << 20 // of the log, which grow with the speed of the disk
	if grown := int64(after) - int64(before); grown > buffers+messages*2 {
		t.Errorf("%d bytes more for %d messages", grown, messages)
	}
}

// heap returns the bytes that are alive. What is in a pool survives one collection.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
