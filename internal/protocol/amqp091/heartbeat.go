package amqp091

import (
	"fmt"
	"sync"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// heartbeat watches a silent connection from both ends (AMQP 0-9-1, 4.2.7): it sends a
// heartbeat whenever half an interval passes with nothing sent, and closes the connection
// when nothing arrives for two intervals. A client is not silent while the broker works on what
// it has sent: then nobody reads.
type heartbeat struct {
	mu       sync.Mutex
	timer    *time.Timer
	interval time.Duration
	silent   int // half intervals without anything received
	stopped  bool
}

// silentMax is the number of half intervals after which a silent client counts as dead.
const silentMax = 4

func (h *heartbeat) start(interval time.Duration, c *Connection) {
	if interval <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.interval = interval
	h.timer = time.AfterFunc(interval/2, func() { h.beat(c) })
}

func (h *heartbeat) beat(c *Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return
	}
	h.silent++
	if c.received.Swap(false) || c.working.Load() {
		h.silent = 0
	}
	if h.silent >= silentMax {
		c.logger().Warn("missed heartbeats from client",
			"timeout", fmt.Sprint(h.interval))
		c.out.fail()
		return
	}
	h.timer.Reset(h.interval / 2)
	c.out.mu.Lock()
	if !c.out.active {
		c.out.end(amqp.AppendHeartbeat(c.out.begin()))
	}
	c.out.active = false
	c.out.mu.Unlock()
	c.out.flush()
}

func (h *heartbeat) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.timer != nil {
		h.timer.Stop()
	}
}
