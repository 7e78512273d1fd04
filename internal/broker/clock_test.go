package broker

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
)

// TestWhatExpiresIsSentOnWithoutAnybodyAsking: the clock does.
func TestWhatExpiresIsSentOnWithoutAnybodyAsking(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.declareWith("q", map[string]any{
		"x-message-ttl": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	letters := c.declare("dead", true)
	arrived := &signal{came: make(chan struct{}, 1)}
	c.batch.Do(letters, queue.Command{
		Kind: queue.Subscribe, Consumer: &queue.Consumer{Owner: arrived},
	})
	<-arrived.came // subscribed
	c.publish("", "q", "expires", true)
	<-arrived.came
}

func TestAQueueThatNobodyUsesEnds(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{"x-expires": 20})
	for !q.deleted() {
		h.clock.idle()
	}
	if _, err := c.CheckQueue("q"); err == nil {
		t.Error("the queue is still there")
	}
}

// TestQueuesThatNobodyUsesEndTogether: the clock, which others wait for, does not wait for the disk
// with each of them.
func TestQueuesThatNobodyUsesEndTogether(t *testing.T) {
	var syncs atomic.Int64
	h := open(t, disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && strings.Contains(c.Name, "definitions") {
			syncs.Add(1)
		}
		return disk.Fault{}
	}))
	c := h.guest()
	const n = 3 * endedMax / 2
	var queues []*Queue
	for i := range n {
		queues = append(queues, c.declareWith(fmt.Sprint("q", i), map[string]any{
			"x-expires": 3_600_000,
		}))
	}
	used := queues[7]
	c.consume(used, queue.Consumer{})
	before := syncs.Load()
	for _, q := range queues {
		q.mu.Lock()
		q.wakesAfter = time.Now()
		q.mu.Unlock()
		c.batch.tick(q)
	}
	c.batch.finish()
	if got := syncs.Load() - before; got == 0 || got > 10 {
		t.Errorf("the disk was waited for %d times", got)
	}
	for _, q := range queues {
		if q.deleted() == (q == used) {
			t.Errorf("%s is deleted: %v", q.Name(), q.deleted())
		}
	}
}

// TestDeadLettersWaitForAStoreThatIsFull: nobody else does, least of all whose messages make room.
func TestDeadLettersWaitForAStoreThatIsFull(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	letters := c.declare("dead", true)
	sends := c.declareWith("sends", map[string]any{
		"x-message-ttl": 3_600_000, "x-dead-letter-exchange": "",
		"x-dead-letter-routing-key": "dead",
	})
	drops := c.declareWith("drops", map[string]any{"x-message-ttl": 3_600_000})
	for _, q := range []*Queue{sends, drops} {
		c.publish("", q.Name(), "m", true)
	}
	tick := func(q *Queue) {
		q.mu.Lock()
		q.wakesAfter = time.Now()
		q.mu.Unlock()
		c.batch.tick(q)
		c.batch.finish()
	}
	h.SetAlarm(StoreAlarm, true)
	tick(sends)
	tick(drops)
	if s, d := sends.Stats().Ready, drops.Stats().Ready; s != 1 || d != 0 {
		t.Errorf("%d and %d messages are left", s, d)
	}
	h.SetAlarm(StoreAlarm, false)
	tick(sends)
	equal(t, "dead", c.bodies(letters), "m")
}

// TestWhatExpiresDoesSoAfterARestart: the log says when it came.
func TestWhatExpiresDoesSoAfterARestart(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	q := c.declareWith("q", map[string]any{"x-message-ttl": 3_600_000})
	c.stable(c.publish("", "q", "old", true))
	h.shut()

	h = open(t, fs)
	c = h.guest()
	q, _ = c.CheckQueue("q")
	h.loading.Wait()
	c.await(q)
	if n := q.Stats().Ready; n != 0 {
		t.Errorf("%d messages have outlived their time", n)
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("the log has %d messages", n)
	}
}

// TestATimerThatComesLateExpiresNothingEarly: others may have told the queue the time since the
// timer came, so that it waits for another one.
func TestATimerThatComesLateExpiresNothingEarly(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{"x-message-ttl": 3_600_000})
	c.publish("", "q", "young", true)
	c.batch.tick(q)
	c.batch.finish()
	equal(t, "q", c.bodies(q), "young")
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.timer == 0 {
		t.Error("the queue is not looked at any more")
	}
}

// TestNoTimeIsTooLongToWait: not even one of which the nanoseconds cannot be counted.
func TestNoTimeIsTooLongToWait(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declare("q", true)
	q.mu.Lock()
	h.clock.wake(q, math.MaxInt64-1)
	q.mu.Unlock()
	if wait := time.Until(q.wakesAfter); wait < 30*365*24*time.Hour {
		t.Errorf("the queue is looked at after %v", wait)
	}
}

// await has the time come that q waits for.
func (c *client) await(q *Queue) {
	c.t.Helper()
	q.mu.Lock()
	c.batch.time = q.wakes
	q.mu.Unlock()
	if c.batch.time == 0 {
		c.t.Fatal("nothing is waited for")
	}
	c.batch.apply(q, nil)
	c.batch.finish()
}

// idle returns when nothing is due.
func (c *clock) idle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.running {
		c.stopped.Wait()
	}
}

// signal is a Receiver that tells of each call.
type signal struct{ came chan struct{} }

// Receive implements Receiver.
func (s *signal) Receive(*Queue, []queue.Effect) bool {
	s.came <- struct{}{}
	return false
}

// Flush implements Receiver.
func (s *signal) Flush() {}

// TestAPlainQueueLearnsTheTimeWhenItNeedsIt: from the command that makes it need it.
func TestAPlainQueueLearnsTheTimeWhenItNeedsIt(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	held := c.declare("held", false)
	c.publish("", "held", "m", false)
	k := c.consume(held, queue.Consumer{Tag: "k", Timeout: 3_600_000})
	c.batch.Do(held, queue.Command{Kind: queue.Resume, Consumer: k})
	for _, e := range c.inbox.take() {
		if e.kind == queue.TimedOut {
			t.Error("a consumer has timed out at once")
		}
	}
	lives := c.declare("lives", false)
	m := c.messageWith("", "lives", "m", amqp.Properties{Expiration: "3600000"})
	c.batch.Publish(c.routes.Route(c.Access, nil, []byte("lives"), m.Properties()), m)
	c.batch.Run()
	c.batch.apply(lives, nil)
	c.batch.finish()
	if lives.Stats().Ready != 1 {
		t.Error("a message has expired at once")
	}
}
