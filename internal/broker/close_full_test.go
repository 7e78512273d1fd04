package broker

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/disk"
)

// TestCloseDoesNotWaitForRoom: on a disk that is full somebody may send a dead letter, and waits.
func TestCloseDoesNotWaitForRoom(t *testing.T) {
	fs := disk.NewMemory()
	fs.SetCapacity(64 << 20)
	h := open(t, fs)
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-message-ttl": 3_600_000, "x-dead-letter-exchange": "",
		"x-dead-letter-routing-key": "dead",
	})
	c.declare("dead", true)
	var publisher sync.WaitGroup
	var confirmed atomic.Int64
	publisher.Go(func() {
		body := string(make([]byte, 100<<10))
		for {
			lsn := c.publish("", "q", body, true)
			if lsn == Never || h.Wait(lsn) != nil {
				return
			}
			confirmed.Add(1)
		}
	})
	for !h.store.Stats().Full {
		runtime.Gosched()
	}
	q.mu.Lock()
	q.wakesAfter = time.Now()
	q.mu.Unlock()
	ready := q.Stats().Ready
	h.clock.add(q)
	for q.Stats().Ready >= ready { // then its dead letters wait, too
		runtime.Gosched()
	}
	h.Close()
	// What was not confirmed may have no room any more.
	if err := h.store.Close(); err != nil && !disk.IsFull(err) {
		t.Fatal(err)
	}
	publisher.Wait()
	fs.SetCapacity(0)
	h = open(t, fs)
	c = h.guest()
	q, _ = c.CheckQueue("q")
	letters, _ := c.CheckQueue("dead")
	got, count := q.Stats().Ready+letters.Stats().Ready, int(confirmed.Load())
	if got < count || count == 0 {
		t.Errorf("%d messages of %d are left", got, count)
	}
}
