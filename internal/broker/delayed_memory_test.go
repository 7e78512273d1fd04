package broker

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store"
)

// delayedBytesMax is what a message that waits may cost in memory: the promise is 100 MB for a
// million, of which the collector takes two thirds.
const delayedBytesMax = 30

// TestADelayedMessageTakesLittleMemory lets many wait, in no order, and looks at what they take.
func TestADelayedMessageTakesLittleMemory(t *testing.T) {
	const count = 300_000
	t.Chdir(t.TempDir())
	h := open(t, disk.OS())
	c := h.guest()
	c.delaying("later", "fanout", nil)
	before := liveHeap()
	var last store.LSN
	for range count {
		last = c.delay("later", "", "body", true, int(time.Hour/time.Millisecond)+rand.IntN(1<<22))
	}
	c.stable(last)
	each := (liveHeap() - before - delayedResidentMax) / count
	if n := c.vhost.Waiting("later"); n != count || each > delayedBytesMax {
		t.Errorf("%d wait, each takes %d bytes, at most %d", n, each, delayedBytesMax)
	}
	t.Logf("%d bytes each", each)
}

func liveHeap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
