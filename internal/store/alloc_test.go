//go:build !race

package store

import "testing"

// The log goroutine and the keeper count too, on the real file system.
func TestPublishSettleAndNotifyDoNotAllocate(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	c := newConfirms()
	head, body := make([]byte, 50), make([]byte, 200)
	queues, numbers := []*Queue{s.OpenQueue(1), s.OpenQueue(2), s.OpenQueue(3)}, make([]uint64, 3)
	ranges := make([]Range, 1)
	var last LSN
	step := func() {
		last = s.Publish(queues, numbers, head, body)
		s.Notify(c, last)
		for i, q := range queues {
			ranges[0] = Range{numbers[i], numbers[i]}
			s.Settle(q, ranges)
		}
	}
	for range 20_000 { // until the buffers have grown
		step()
	}
	c.wait(last)
	if allocs := testing.AllocsPerRun(10_000, step); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
