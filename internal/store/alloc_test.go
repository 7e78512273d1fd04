//go:build !race

package store

import "testing"

// TestPublishAndSettleDoNotAllocate counts the log goroutine in, on the real file system.
func TestPublishAndSettleDoNotAllocate(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	c := newConfirms()
	head, body := make([]byte, 50), make([]byte, 200)
	queues, ids := []QueueID{1, 2, 3}, make([]LSN, 1)
	step := func() {
		ids[0] = s.Publish(queues, head, body)
		s.Notify(c, ids[0])
		for _, q := range queues {
			s.Settle(q, ids)
		}
	}
	for range 10_000 { // until the buffers have grown
		step()
	}
	c.wait(ids[0])
	if allocs := testing.AllocsPerRun(10_000, step); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
