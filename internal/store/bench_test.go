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
func benchmarkPublish(b *testing.B, bodyBytes, window int) {
	s := open(b, Options{Dir: b.TempDir()})
	head, body := make([]byte, 50), make([]byte, bodyBytes)
	queues := []QueueID{1}
	ring := make([]LSN, window)
	c := newConfirms()
	every := max(1, window/10)
	b.SetBytes(int64(bodyBytes))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if old := ring[i%window]; old != 0 {
			c.wait(old)
			s.Settle(1, ring[i%window:i%window+1])
		}
		id := s.Publish(queues, head, body)
		ring[i%window] = id
		if i%every == every-1 || i == b.N-1 {
			s.Notify(c, id)
		}
	}
	must(b, s.Wait(s.Stats().Last))
	b.StopTimer()
	st := s.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(b.N)/float64(st.Syncs), "msg/sync")
}

func BenchmarkPublish16Window1000(b *testing.B)  { benchmarkPublish(b, 16, 1000) }
func BenchmarkPublish1KWindow1000(b *testing.B)  { benchmarkPublish(b, 1024, 1000) }
func BenchmarkPublish1KWindow10000(b *testing.B) { benchmarkPublish(b, 1024, 10000) }
func BenchmarkPublish1KWindow1(b *testing.B)     { benchmarkPublish(b, 1024, 1) }

// BenchmarkAppend is Publish and Settle without waiting for anything: the cost to the caller.
func BenchmarkAppend(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	body, queues, ids := make([]byte, 256), []QueueID{1}, make([]LSN, 1)
	b.ReportAllocs()
	for b.Loop() {
		ids[0] = s.Publish(queues, body)
		s.Settle(1, ids)
	}
}
