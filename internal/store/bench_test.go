package store

import (
	"sync"
	"testing"
)

// confirms counts what is stable, as a publisher with a window of unconfirmed messages sees it.
type confirms struct {
	mu   sync.Mutex
	cond sync.Cond
	upTo LSN
}

func newConfirms() *confirms {
	c := &confirms{}
	c.cond.L = &c.mu
	return c
}

func (c *confirms) Synced(upTo LSN, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		upTo = ^LSN(0)
	}
	c.upTo = upTo
	c.cond.Signal()
}

func (c *confirms) wait(lsn LSN) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.upTo < lsn {
		c.cond.Wait()
	}
}

// benchmarkPublish publishes and settles with at most window messages unconfirmed. It asks to be
// told once for a tenth of the window, as a session does once for what one read brought.
func benchmarkPublish(b *testing.B, options Options, bodyBytes, window int) {
	s := open(b, options)
	head, body := make([]byte, 50), make([]byte, bodyBytes)
	q := s.OpenQueue(1)
	queues, numbers := []*Queue{q}, make([]uint64, 1)
	ring, c, every := make([]LSN, window), newConfirms(), max(1, window/10)
	ranges := make([]Range, 1)
	b.SetBytes(int64(bodyBytes))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if old := ring[i%window]; old != 0 {
			c.wait(old)
			n := uint64(i - window + 1)
			ranges[0] = Range{n, n}
			s.Settle(q, ranges)
		}
		lsn := s.Publish(queues, numbers, head, body)
		ring[i%window] = lsn
		if i%every == every-1 || i == b.N-1 {
			s.Notify(c, lsn)
		}
	}
	must(b, s.Wait(s.Stats().Last))
	b.StopTimer()
	st := s.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(b.N)/float64(st.Syncs), "msg/sync")
}

func BenchmarkPublish1KWindow1000(b *testing.B) {
	benchmarkPublish(b, Options{Dir: b.TempDir()}, 1024, 1000)
}

func BenchmarkPublish1KWindow10000(b *testing.B) {
	benchmarkPublish(b, Options{Dir: b.TempDir()}, 1024, 10000)
}

func BenchmarkPublish1KWindow1(b *testing.B) {
	benchmarkPublish(b, Options{Dir: b.TempDir()}, 1024, 1)
}

func BenchmarkPublish1KWindow10000InMemory(b *testing.B) {
	benchmarkPublish(b, Options{Dir: worldDir, FS: newDisk(b)}, 1024, 10000)
}

// benchmarkAppend is Publish and Settle without waiting for anything: the cost to the caller.
func benchmarkAppend(b *testing.B, options Options) {
	s := open(b, options)
	q, body := s.OpenQueue(1), make([]byte, 1024)
	queues, numbers, ranges := []*Queue{q}, make([]uint64, 1), make([]Range, 1)
	b.ReportAllocs()
	for b.Loop() {
		s.Publish(queues, numbers, body)
		ranges[0] = Range{numbers[0], numbers[0]}
		s.Settle(q, ranges)
	}
}

func BenchmarkAppend1K(b *testing.B) { benchmarkAppend(b, Options{Dir: b.TempDir()}) }

func BenchmarkAppend1KInMemory(b *testing.B) {
	benchmarkAppend(b, Options{Dir: worldDir, FS: newDisk(b)})
}
