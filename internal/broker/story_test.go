package broker

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
)

// What takes part in a story.
const (
	storyQueues     = 4
	storyPublishers = 4
	storyMessages   = 250 // of each publisher
	storyWorkers    = 6
	storyCrashes    = 4
	storyPatience   = 60 * time.Second
)

// copyOf is one message in one queue.
type copyOf struct{ queue, body string }

// story is what everybody has seen. Its maps only grow, but for held.
type story struct {
	t    *testing.T
	h    *house
	done chan struct{} // closed when the workers are to end

	mu        sync.Mutex
	confirmed map[copyOf]bool
	acking    map[copyOf]bool // the ack is on its way, or done
	acked     map[copyOf]bool // the ack was carried out
	held      map[copyOf]int  // by which worker
}

func workQueue(i int) string { return "work" + strconv.Itoa(i) }

// TestNothingConfirmedIsLostAndNothingAckedComesBack lets publishers, consumers who ack, reject
// and vanish, and somebody who declares and deletes, work at once, and looks at what a crash
// would leave in between.
func TestNothingConfirmedIsLostAndNothingAckedComesBack(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(strconv.Itoa(int(seed)), func(t *testing.T) { tell(t, seed) })
	}
}

func tell(t *testing.T, seed uint64) {
	fs := disk.NewMemory()
	s := &story{
		t: t, h: open(t, fs), done: make(chan struct{}), confirmed: make(map[copyOf]bool),
		acking: make(map[copyOf]bool), acked: make(map[copyOf]bool), held: make(map[copyOf]int),
	}
	c := s.h.guest()
	c.declareExchange(definition.Exchange{Name: "all", Type: "fanout", Durable: true})
	for i := range storyQueues {
		c.declare(workQueue(i), true)
		c.bind("all", workQueue(i), "")
	}
	var publishers, others sync.WaitGroup
	for i := range storyPublishers {
		publishers.Go(func() { s.publisher(i, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	for i := range storyWorkers {
		others.Go(func() { s.worker(i+1, rand.New(rand.NewPCG(seed, uint64(100+i)))) })
	}
	others.Go(func() { s.meddler(rand.New(rand.NewPCG(seed, 200))) })
	for i := range storyCrashes {
		s.crash(fs, seed*100+uint64(i), (i+1)*storyPublishers*storyMessages/(storyCrashes+1))
	}
	publishers.Wait()
	s.until("all is acknowledged", func() bool { return len(s.acked) == len(s.confirmed) })
	close(s.done)
	others.Wait()
	if n := s.h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages stay in the log", n)
	}
	s.h.shut()
	for queue, bodies := range contents(t, fs) {
		if len(bodies) != 0 {
			t.Errorf("%s has %d messages again, all were acknowledged", queue, len(bodies))
		}
	}
}

// until waits for condition, which is asked with s.mu locked.
func (s *story) until(what string, condition func() bool) {
	deadline := time.After(storyPatience)
	for {
		s.mu.Lock()
		met := condition()
		confirmed, acked, held := len(s.confirmed), len(s.acked), len(s.held)
		s.mu.Unlock()
		if met {
			return
		}
		select {
		case <-deadline:
			s.t.Errorf("waiting in vain until %s: %d confirmed, %d acked, %d held", what, confirmed,
				acked, held)
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// publisher sends messages to one queue or to all, and notes what was confirmed.
func (s *story) publisher(id int, random *rand.Rand) {
	c := s.h.guest()
	for n := range storyMessages {
		body := fmt.Sprintf("%d-%d", id, n)
		reached := []string{workQueue(random.IntN(storyQueues))}
		exchange, key := "", reached[0]
		if random.IntN(4) == 0 {
			exchange, key, reached = "all", "", nil
			for i := range storyQueues {
				reached = append(reached, workQueue(i))
			}
		}
		lsn := c.publish(exchange, key, body, true)
		if err := s.h.Wait(lsn); err != nil {
			s.t.Errorf("confirm: %v", err)
			return
		}
		s.mu.Lock()
		for _, queue := range reached {
			s.confirmed[copyOf{queue, body}] = true
		}
		s.mu.Unlock()
	}
}

// worker is a Receiver and a Gate that takes messages like a channel with a global prefetch.
type worker struct {
	s           *story
	id          int
	wake        chan struct{}
	limit       int64
	outstanding atomic.Int64

	mu       sync.Mutex
	got      []event
	promised bool
}

func (w *worker) Admit(int) bool {
	for n := w.outstanding.Load(); n < w.limit; n = w.outstanding.Load() {
		if w.outstanding.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

func (w *worker) Receive(q *Queue, effects []queue.Effect) bool {
	for i := range effects {
		e := &effects[i]
		if e.Kind != queue.Deliver {
			continue
		}
		body := string(e.Message.Body())
		w.s.took(copyOf{q.Name(), body}, w.id)
		w.mu.Lock()
		w.got = append(w.got, event{queue: q, body: body, seq: e.Seq})
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	flush := !w.promised
	w.promised = true
	return flush
}

func (w *worker) Flush() {
	w.mu.Lock()
	w.promised = false
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) take() []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	return got
}

// took notes a delivery: of nothing that was acknowledged, and not while somebody else has it.
func (s *story) took(c copyOf, worker int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acking[c] {
		s.t.Errorf("%v came back after it was acknowledged", c)
	}
	if other := s.held[c]; other != 0 {
		s.t.Errorf("%v was delivered to %d while %d has it", c, worker, other)
	}
	s.held[c] = worker
}

// worker consumes from queues again and again, until the story is told.
func (s *story) worker(id int, random *rand.Rand) {
	for lives := 0; ; lives++ {
		select {
		case <-s.done:
			return
		default:
			s.live(id, lives, random)
		}
	}
}

// live is one connection of a worker; what it holds in the end goes back.
func (s *story) live(id, lives int, random *rand.Rand) {
	c := s.h.guest()
	w := &worker{s: s, id: id, wake: make(chan struct{}, 1), limit: 1 + random.Int64N(10)}
	var consumers []*queue.Consumer
	var queues []*Queue
	for range 1 + random.IntN(storyQueues) {
		q, err := c.CheckQueue(workQueue(random.IntN(storyQueues)))
		c.must(err)
		k := &queue.Consumer{
			Tag: fmt.Sprint(id, lives), Prefetch: random.IntN(5), Gate: w, Owner: w,
		}
		c.must(c.Ask(c.batch, q, queue.Command{Kind: queue.Subscribe, Consumer: k}))
		consumers, queues = append(consumers, k), append(queues, q)
	}
	for rounds := 1 + random.IntN(60); rounds > 0; rounds-- {
		select {
		case <-w.wake:
		case <-s.done:
			rounds = 0
		case <-time.After(10 * time.Millisecond): // others may have everything
		}
		settled := s.settle(c, w, random)
		w.outstanding.Add(-int64(settled))
		for i, q := range queues {
			c.batch.Add(q, queue.Command{Kind: queue.Resume, Consumer: consumers[i]})
		}
		c.batch.Run()
	}
	for i, q := range queues {
		c.batch.Add(q, queue.Command{Kind: queue.Cancel, Consumer: consumers[i]})
	}
	c.batch.Run()
	for _, e := range w.take() {
		s.giveBack(c, e)
	}
	c.batch.Run()
	c.Close(c.batch)
	c.batch.Release()
}

// settle acknowledges most of what has arrived and gives the rest back.
func (s *story) settle(c *client, w *worker, random *rand.Rand) int {
	events := w.take()
	var acked []copyOf
	for _, e := range events {
		if random.IntN(5) == 0 {
			s.giveBack(c, e)
			continue
		}
		m := copyOf{e.queue.Name(), e.body}
		s.mu.Lock()
		s.acking[m] = true
		delete(s.held, m)
		s.mu.Unlock()
		acked = append(acked, m)
		c.batch.Add(e.queue, queue.Command{Kind: queue.Ack, Seq: e.seq})
	}
	c.batch.Run()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range acked {
		s.acked[m] = true
	}
	return len(events)
}

func (s *story) giveBack(c *client, e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, copyOf{e.queue.Name(), e.body})
	c.batch.Add(e.queue, queue.Command{Kind: queue.Return, Seq: e.seq})
}

// meddler declares, binds and deletes queues of its own beside those the story is about.
func (s *story) meddler(random *rand.Rand) {
	for round := 0; ; round++ {
		select {
		case <-s.done:
			return
		default:
		}
		c := s.h.guest()
		for i := range 1 + random.IntN(3) {
			q := c.declareQueue(definition.Queue{
				Name: fmt.Sprintf("passing%d-%d", round, i), Durable: random.IntN(2) == 0,
				Exclusive: random.IntN(3) == 0, AutoDelete: random.IntN(3) == 0,
			})
			c.bind("all", q.Name(), "")
			k := c.consume(q, queue.Consumer{NoAck: random.IntN(2) == 0})
			if random.IntN(2) == 0 {
				c.batch.Do(q, queue.Command{Kind: queue.Cancel, Consumer: k})
			}
			c.must(c.DeleteQueue(c.batch, q.Name(), false, false, func(int) {}))
		}
		c.Close(c.batch)
		c.batch.Release()
	}
}

// crash waits until so much is confirmed, and looks at what a power loss would leave.
func (s *story) crash(fs *disk.Memory, seed uint64, confirmed int) {
	s.until("enough is confirmed", func() bool { return len(s.confirmed) >= confirmed })
	s.mu.Lock()
	before, gone := clone(s.confirmed), clone(s.acked)
	s.mu.Unlock()
	if err := s.h.Wait(s.h.store.Stats().Last); err != nil {
		s.t.Errorf("wait for the log: %v", err)
	}
	after := fs.Crash(seed)
	s.mu.Lock()
	maybe := clone(s.acking)
	s.mu.Unlock()
	found := contents(s.t, after)
	for m := range before {
		if !maybe[m] && !found[m.queue][m.body] {
			s.t.Errorf("crash %d: %v was confirmed and is lost", seed, m)
		}
	}
	for m := range gone {
		if found[m.queue][m.body] {
			s.t.Errorf("crash %d: %v was acknowledged and is back", seed, m)
		}
	}
}

func clone(m map[copyOf]bool) map[copyOf]bool {
	twin := make(map[copyOf]bool, len(m))
	for k := range m {
		twin[k] = true
	}
	return twin
}

// contents starts a manager on fs and takes out what the queues of the story hold.
func contents(t *testing.T, fs disk.FS) map[string]map[string]bool {
	t.Helper()
	h := open(t, fs)
	defer h.shut()
	c := h.guest()
	all := make(map[string]map[string]bool)
	for i := range storyQueues {
		q, err := c.CheckQueue(workQueue(i))
		c.must(err)
		bodies := make(map[string]bool)
		for _, body := range c.bodies(q) {
			if bodies[body] {
				t.Errorf("%s holds %s twice", q.Name(), body)
			}
			bodies[body] = true
		}
		all[q.Name()] = bodies
	}
	return all
}
