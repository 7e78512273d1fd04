package broker

import (
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/wheel"
)

// clock applies to queues what only time brings about: one goroutine for all of them, which runs
// while something is due.
type clock struct {
	m      *Manager
	timers *wheel.Timers
	own    bool // the timers are ours to close

	mu      sync.Mutex
	due     []*Queue
	running bool
	closed  bool
	stopped sync.Cond // running became false
}

func newClock(m *Manager, timers *wheel.Timers) *clock {
	c := &clock{m: m, timers: timers}
	if timers == nil {
		c.timers, c.own = wheel.NewTimers(), true
	}
	c.stopped.L = &c.mu
	return c
}

// milliseconds returns the time in milliseconds since 1970: what messages expire by survives a
// restart, so it is that of the wall.
func milliseconds() int64 { return time.Now().UnixMilli() }

// wake has the queue looked at again at a time, and no more at the one it was told before; its
// lock is held.
func (c *clock) wake(q *Queue, at int64) {
	if q.timer != 0 {
		c.timers.Stop(q.timer)
	}
	now := time.Now()
	ms := min(at-now.UnixMilli(), waitMax)
	wait := time.Duration(ms) * time.Millisecond
	q.wakes, q.wakesAfter = now.UnixMilli()+ms, now.Add(wait)
	q.timer = c.timers.After(wait, q)
}

// waitMax is the longest time in milliseconds that is waited for: 34 years, in nanoseconds a number
// that is not too large.
const waitMax = 1 << 40

// forget takes the timer of a queue that has ended away; its lock is held.
func (c *clock) forget(q *Queue) {
	if q.timer != 0 {
		c.timers.Stop(q.timer)
		q.timer = 0
	}
}

// Due implements wheel.Task.
func (q *Queue) Due() { q.vhost.m.clock.add(q) }

// add has a queue looked at as soon as those are done that were due before.
func (c *clock) add(q *Queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.due = append(c.due, q)
	if !c.running {
		c.running = true
		go c.run()
	}
}

// run looks at what is due until nothing is.
func (c *clock) run() {
	b := c.m.NewBatch()
	var due []*Queue
	for {
		c.mu.Lock()
		clear(due)
		due, c.due = c.due, due[:0]
		if len(due) == 0 || c.closed {
			c.running = false
			c.stopped.Broadcast()
			c.mu.Unlock()
			b.Release()
			return
		}
		c.mu.Unlock()
		for _, q := range due {
			b.tick(q)
		}
		b.finish() // what ends, ends together
	}
}

// tick tells a queue what time it is. The caller sees to a finish.
func (b *Batch) tick(q *Queue) {
	q.mu.Lock()
	if b.m.clock.postpones(q) {
		q.mu.Unlock()
		return
	}
	b.time = milliseconds()
	// Since its timer came, the queue may have been told the time by others, and wait for another
	// timer now. If it still waits for this one, the wall's clock may be behind the timer's.
	if q.timer != 0 && !time.Now().Before(q.wakesAfter) {
		q.timer = 0
		b.time = max(b.time, q.wakes)
	}
	q.mu.Unlock()
	b.apply(q, nil)
	b.time = 0 // dead letters come at the wall's time
	b.finishMessages()
}

// storeRetry is how long a queue with dead letters waits while the store is full.
const storeRetry = time.Second

// postpones reports whether a queue is looked at later: its dead letters would wait for room in the
// store, and with them all queues, among them those whose messages expire and make room. q's lock
// is held.
func (c *clock) postpones(q *Queue) bool {
	if c.m.Alarms()&StoreAlarm == 0 || q.machine.Settings().DeadLetters == queue.NoDeadLetters {
		return false
	}
	c.timers.After(storeRetry, q) // beside the one that it may wait for
	return true
}

// close returns when nothing is due any more.
func (c *clock) close() {
	c.mu.Lock()
	c.closed = true
	for c.running {
		c.stopped.Wait()
	}
	c.mu.Unlock()
	if c.own {
		c.timers.Close()
	}
}
