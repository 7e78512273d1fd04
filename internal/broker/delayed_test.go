package broker

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// inBubble runs f under a clock that moves when everybody waits.
func inBubble(t *testing.T, f func(t *testing.T, h *house, c *client)) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, disk.NewMemory())
		f(t, h, h.guest())
	})
}

// delaying declares an exchange in which messages wait.
func (c *client) delaying(name, kind string, more map[string]any) {
	c.t.Helper()
	arguments := map[string]any{"x-delayed-type": kind}
	for k, v := range more {
		arguments[k] = v
	}
	c.declareExchange(definition.Exchange{
		Name: name, Type: "x-delayed-message", Durable: true,
		Arguments: amqp.NewTable(arguments),
	})
}

// delay publishes a message that is to wait.
func (c *client) delay(exchange, key, body string, persistent bool, delay any) store.LSN {
	c.t.Helper()
	p := amqp.Properties{Headers: amqp.NewTable(map[string]any{"x-delay": delay, "n": 1})}
	if persistent {
		p.DeliveryMode = 2
	}
	return c.publishWith(exchange, key, body, p)
}

// elapse lets time pass, and all that comes with it happen.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestDelayedMessagesComeInTheirTime(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house, c *client) {
		c.delaying("later", "direct", nil)
		q := c.declare("q", true)
		c.bind("later", "q", "k")
		c.delay("later", "k", "third", true, 3000)
		c.delay("later", "k", "first", false, "1000")
		c.delay("later", "k", "second", true, 2000.9)
		c.delay("later", "elsewhere", "lost", true, 1)
		for _, delay := range []any{nil, 0, -5, "soon", int64(1 << 32)} {
			c.delay("later", "k", "now", false, delay)
		}
		equal(t, "at once", c.bodies(q), "now", "now", "now", "now", "now")
		if n := c.vhost.Waiting("later"); n != 4 {
			t.Errorf("%d wait", n)
		}
		elapse(999 * time.Millisecond)
		equal(t, "early", c.bodies(q))
		elapse(2 * time.Millisecond)
		equal(t, "after a second", c.bodies(q), "first")
		elapse(time.Second)
		equal(t, "after two seconds", c.bodies(q), "second")
		elapse(time.Second)
		equal(t, "after three seconds", c.bodies(q), "third")
		elapse(time.Second)
		if n := h.store.Stats().Unsettled; n != 2 { // in q, not acknowledged
			t.Errorf("%d messages in the log", n)
		}
	})
}

func TestTheLongestDelayIsSevenWeeks(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *house, c *client) {
		c.delaying("later", "fanout", nil)
		q := c.declare("q", false)
		c.bind("later", "q", "")
		c.delay("later", "", "at last", false, int64(exchange.DelayMax))
		elapse((exchange.DelayMax + 2) * time.Millisecond)
		e, ok := c.get(q)
		if !ok || e.body != "at last" {
			t.Fatalf("got %+v", e)
		}
	})
}

func TestReleasedMessagesAreRoutedAsTheyAreThen(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *house, c *client) {
		c.declareExchange(definition.Exchange{Name: "rest", Type: "fanout"})
		c.delaying("later", "topic", map[string]any{"alternate-exchange": "rest"})
		c.delaying("again", "fanout", nil)
		c.declareExchange(definition.Exchange{Name: "front", Type: "fanout"})
		q, rest, twice := c.declare("q", true), c.declare("rest", false), c.declare("twice", false)
		c.bind("rest", "rest", "")
		c.bindExchange("front", "later", "")
		c.bindExchange("later", "again", "#")
		c.bindExchange("again", "front", "") // round
		c.bind("again", "twice", "")
		c.delay("front", "a.b", "x", true, 100)
		equal(t, "rest", c.bodies(rest))
		c.bind("later", "q", "*.b")
		elapse(101 * time.Millisecond)
		equal(t, "q", c.bodies(q), "x")
		equal(t, "twice", c.bodies(twice), "x") // no second delay
		c.must(c.Unbind(exchange.Binding{Source: "later", Destination: "again", ToExchange: true,
			RoutingKey: "#"}))
		c.delay("later", "other", "y", true, 100)
		elapse(101 * time.Millisecond)
		equal(t, "rest", c.bodies(rest), "y")
		c.delay("later", "a.b", "z", true, 100)
		c.delay("later", "a.b", "z", false, 100)
		c.must(c.DeleteExchange("later", false))
		c.delaying("later", "topic", nil)
		c.bind("later", "q", "#")
		elapse(time.Second)
		equal(t, "q", c.bodies(q))
	})
}

// TestWhatWaitsAndIsPersistentSurvives crashes a node while messages are released. Whatever was
// confirmed waits again or is in the queue.
func TestWhatWaitsAndIsPersistentSurvives(t *testing.T) {
	const count = 300
	for seed := range uint64(10) {
		var after *disk.Memory
		synctest.Test(t, func(t *testing.T) {
			fs := disk.NewMemory()
			c := open(t, fs).guest()
			c.delaying("later", "fanout", nil)
			c.declare("q", true)
			c.bind("later", "q", "")
			var last store.LSN
			for i := range count {
				last = c.delay("later", "", strconv.Itoa(i), true, 1000+i/10)
			}
			c.delay("later", "", "transient", false, 2000)
			c.stable(last)
			<-time.After(time.Duration(998+3*seed) * time.Millisecond)
			after = fs.Crash(seed) // whatever is under way
		})
		synctest.Test(t, func(t *testing.T) {
			c := open(t, after).guest()
			q, _ := c.queue("q")
			elapse(10 * time.Second) // the clock of a bubble begins where all of them do
			seen := make(map[string]bool)
			for _, body := range c.bodies(q) {
				seen[body] = true
			}
			if len(seen) != count || seen["transient"] || c.vhost.Waiting("later") != 0 {
				t.Errorf("seed %d: %d of %d came", seed, len(seen), count)
			}
		})
	}
}

func (d *delayed) inMemory() (count, bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.resident), d.bytes
}

// TestManyDelayedMessagesAreNotInMemory spills what is transient, and leaves what is not to the
// log; they come back in the order of their time.
func TestManyDelayedMessagesAreNotInMemory(t *testing.T) {
	for _, persistent := range []bool{false, true} {
		t.Run(fmt.Sprint("persistent ", persistent), func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *house, c *client) {
				c.delaying("later", "fanout", nil)
				q := c.declare("q", false)
				c.bind("later", "q", "")
				random := rand.New(rand.NewPCG(1, 2))
				const count = 3 * delayedResidentMax / 2000
				body := strings.Repeat("x", 2000)
				order := random.Perm(count)
				for _, i := range order {
					c.delay("later", "", fmt.Sprintf("%06d%s", i, body), persistent, 60_000+i)
				}
				d := c.vhost.keepers["later"].delayed
				if _, bytes := d.inMemory(); bytes > delayedResidentMax ||
					h.resident.Load() > delayedResidentMax {
					t.Errorf("%d bytes are in memory", bytes)
				}
				elapse(2 * time.Minute)
				got := c.bodies(q)
				if len(got) != count {
					t.Fatalf("%d of %d came", len(got), count)
				}
				for i := range got {
					if got[i][:6] != fmt.Sprintf("%06d", i) {
						t.Fatalf("%s came as number %d", got[i][:6], i)
					}
				}
				n, bytes := d.inMemory()
				if n != 0 || bytes != 0 || h.store.Live(d.disk[0]) != 0 {
					t.Errorf("left: %d messages, %d bytes", n, bytes)
				}
			})
		})
	}
}

func TestNothingIsReleasedDuringAnAlarm(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house, c *client) {
		c.delaying("later", "fanout", nil)
		q := c.declare("q", false)
		c.bind("later", "q", "")
		c.delay("later", "", "x", true, 100)
		h.SetAlarm(StoreAlarm, true)
		elapse(10 * time.Second)
		equal(t, "during the alarm", c.bodies(q))
		h.SetAlarm(StoreAlarm, false)
		elapse(releaseRetry + time.Millisecond)
		equal(t, "after it", c.bodies(q), "x")
	})
}

// TestDelayedExchangesComeAndGoWhileMessagesDo publishes, short and long, to an exchange that is
// deleted and declared again at the same time. Nothing of it may stay anywhere.
func TestDelayedExchangesComeAndGoWhileMessagesDo(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declare("q", false)
	var publishers sync.WaitGroup
	for i := range 3 {
		publishers.Go(func() {
			p := h.guest()
			body := strings.Repeat("x", 100_000)
			for n := range 200 {
				headers := amqp.NewTable(map[string]any{"x-delay": 1 + n%5*n%7*100})
				m := p.messageWith("later", "", body, amqp.Properties{
					Headers: headers, DeliveryMode: uint8(1 + (n+i)%2),
				})
				r := p.routes.Route(p.Access, m.Exchange(), nil, m.Properties())
				if r.Err == nil && r.Takes() {
					p.batch.Publish(r, m)
					p.batch.Run()
				}
			}
		})
	}
	for range 30 {
		c.delaying("later", "fanout", nil)
		c.bind("later", "q", "")
		c.must(c.DeleteExchange("later", false))
	}
	publishers.Wait()
	c.batch.Do(q, queue.Command{Kind: queue.Purge})
	h.Close()
	c.batch.Do(q, queue.Command{Kind: queue.Purge})
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages stay in the log", n)
	}
	if n := h.resident.Load(); n != 0 {
		t.Errorf("%d bytes stay in memory", n)
	}
}

// TestDelayedMessagesStayInMemoryWhenTheDiskIsFull: those that are nowhere else.
func TestDelayedMessagesStayInMemoryWhenTheDiskIsFull(t *testing.T) {
	fs := &fullForSpills{FS: disk.NewMemory()}
	synctest.Test(t, func(t *testing.T) {
		h := open(t, fs)
		c := h.guest()
		c.delaying("later", "fanout", nil)
		q := c.declare("q", false)
		c.bind("later", "q", "")
		const count, size = 6, delayedResidentMax / 4
		for i := range count {
			c.delay("later", "", strings.Repeat("x", size), false, 1000+i)
		}
		if n, _ := c.vhost.keepers["later"].delayed.inMemory(); n != count {
			t.Errorf("%d of %d are in memory", n, count)
		}
		elapse(2 * time.Second)
		if n := q.Stats().Ready; n != count {
			t.Errorf("%d of %d came", n, count)
		}
	})
}

// fullForSpills is a disk that has no room for spill files.
type fullForSpills struct{ disk.FS }

func (f *fullForSpills) Open(name string, mode disk.Mode) (disk.File, error) {
	if strings.Contains(name, "spill") {
		return nil, syscall.ENOSPC
	}
	return f.FS.Open(name, mode)
}

// TestDelayedMessagesTakeLessWhenAllQueuesTakeMuch: as queues do.
func TestDelayedMessagesTakeLessWhenAllQueuesTakeMuch(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house, c *client) {
		c.delaying("later", "fanout", nil)
		h.resident.Add(residentSum)
		defer h.resident.Add(-residentSum)
		for range 4 * residentLow / 1000 {
			c.delay("later", "", strings.Repeat("x", 1000), false, 1000)
		}
		if _, bytes := c.vhost.keepers["later"].delayed.inMemory(); bytes > residentLow {
			t.Errorf("%d bytes are in memory, at most %d", bytes, residentLow)
		}
	})
}
