package amqp091

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/wheel"
)

// clock is the time of a connection: what has to happen though its client does nothing. All
// connections share the timers of the node, and none of this takes memory of its own.
type clock struct {
	mu        sync.Mutex
	handshake wheel.Handle // until the vhost is open
	late      bool         // the handshake took too long
	beat      wheel.Handle
	interval  time.Duration // of heartbeats, 0: none
	heard     wheel.Tick    // when it was last seen that something had arrived
	unsent    int           // bytes that its socket held when that was last looked at
	stopped   bool
}

// silentMax is the number of intervals after which a silent client counts as dead.
const silentMax = 2

// handshakeTask and beatTask are a connection as seen by its timers.
type (
	handshakeTask Connection
	beatTask      Connection
)

// startHandshake gives the client until d from now to open its vhost.
func (c *Connection) startHandshake(d time.Duration) {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	c.clock.handshake = c.options.Timers.AfterCoarse(d, (*handshakeTask)(c))
}

// Due wakes the reader: the handshake took too long.
func (t *handshakeTask) Due() {
	c := (*Connection)(t)
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	if c.clock.handshake != 0 {
		c.clock.late = true
		_ = c.conn.SetReadDeadline(time.Now())
	}
}

// endHandshake takes the limit away.
func (c *Connection) endHandshake() {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	c.options.Timers.Stop(c.clock.handshake)
	c.clock.handshake = 0
	if c.clock.late {
		_ = c.conn.SetReadDeadline(time.Time{})
	}
}

// startHeartbeat watches a silent connection from both ends (AMQP 0-9-1, 4.2.7): it sends a
// heartbeat whenever half an interval passes with nothing sent, and closes the connection
// when nothing arrives for two intervals. A client is not silent while the broker works on what
// it has sent, or has blocked it: then nobody reads. Nor is one that is not read because it has
// many answers to take, as long as it takes some.
func (c *Connection) startHeartbeat(interval time.Duration) {
	if interval <= 0 {
		return
	}
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	c.clock.interval = interval
	c.clock.heard = c.options.Timers.Now()
	c.nextBeat()
}

// nextBeat sets the timer for half an interval, or a little less: the timer may be late.
func (c *Connection) nextBeat() {
	h := &c.clock
	h.beat = c.options.Timers.AfterCoarse(h.interval/2-wheel.Coarse, (*beatTask)(c))
}

// Due is called each half interval.
func (t *beatTask) Due() {
	c := (*Connection)(t)
	h := &c.clock
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return
	}
	now := c.options.Timers.Now()
	if c.received.Swap(false) || c.working.Load() || c.takesAnswers() {
		h.heard = now
	}
	if now-h.heard > silentMax*wheel.Tick(h.interval/time.Millisecond) {
		c.say(slog.LevelWarn, "missed heartbeats from client",
			"timeout", fmt.Sprint(h.interval))
		c.out.fail()
		return
	}
	c.nextBeat()
	c.out.mu.Lock()
	if !c.out.active {
		c.out.end(amqp.AppendHeartbeat(c.out.begin()))
	}
	c.out.active = false
	c.out.mu.Unlock()
	c.out.flush()
}

// takesAnswers reports whether a client that is not read, because too many answers wait for it,
// has taken some of them since the last call: it is slow, but it lives.
func (c *Connection) takesAnswers() bool {
	took := c.out.taken.Swap(false)
	c.clock.unsent, took = c.out.unsent(c.clock.unsent, took)
	return took && c.out.crowded.Load()
}

// stopClock ends all that: nothing happens any more when it has returned.
func (c *Connection) stopClock() {
	h := &c.clock
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	c.options.Timers.Stop(h.beat)
	c.options.Timers.Stop(h.handshake)
	h.handshake = 0
}
