package broker

import (
	"strings"
	"sync"
	"testing"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

// countingPool counts what comes back.
type countingPool struct {
	mu   sync.Mutex
	back int
}

func (p *countingPool) Get() *message.Chunk { return nil }

func (p *countingPool) Put(*message.Chunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back++
}

func (p *countingPool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.back
}

const (
	// fewMessages of fullBody fill fewChunks and begin one more.
	fewMessages, fewChunks = 50, 8
	fullBody               = 6000
)

// fill publishes messages that fill chunks.
func (c *client) fill(exchange, key string, messages int, persistent bool) {
	body := strings.Repeat("x", fullBody)
	for range messages {
		c.publish(exchange, key, body, persistent)
	}
}

// counted returns a client whose messages lie in chunks that are counted when they come back.
func counted(h *house) (*client, *countingPool) {
	c := h.guest()
	c.declare("elsewhere", false)
	c.fill("", "elsewhere", 10, false) // small chunks at first
	pool := &countingPool{}
	c.arena.Pool = pool
	return c, pool
}

// TestEveryWayOutGivesMemoryBack: whichever way messages leave a queue, their memory is reused.
func TestEveryWayOutGivesMemoryBack(t *testing.T) {
	settle := func(kind queue.Kind) func(c *client, q *Queue) {
		return func(c *client, q *Queue) {
			c.consume(q, queue.Consumer{})
			for _, e := range c.inbox.take() {
				c.batch.Do(q, queue.Command{Kind: kind, Seq: e.seq})
			}
		}
	}
	ways := map[string]func(c *client, q *Queue){
		"ack":    settle(queue.Ack),
		"reject": settle(queue.Discard),
		"return, then ack": func(c *client, q *Queue) {
			e, _ := c.get(q)
			c.batch.Do(q, queue.Command{Kind: queue.Return, Seq: e.seq})
			settle(queue.Ack)(c, q)
		},
		"consumer without ack": func(c *client, q *Queue) {
			c.consume(q, queue.Consumer{NoAck: true})
		},
		"get without ack": func(c *client, q *Queue) {
			for range fewMessages {
				c.batch.Do(q, queue.Command{
					Kind: queue.Get, Consumer: &queue.Consumer{Owner: &c.inbox, NoAck: true},
				})
			}
		},
		"purge": func(c *client, q *Queue) {
			if n, err := c.PurgeQueue(c.batch, q.Name()); n != fewMessages || err != nil {
				c.t.Errorf("purged %d, %v", n, err)
			}
		},
	}
	for name, leave := range ways {
		t.Run(name, func(t *testing.T) {
			c, pool := counted(open(t, disk.NewMemory()))
			q := c.declare("q", false)
			c.fill("", "q", fewMessages, false)
			if n := pool.count(); n != 0 {
				t.Errorf("%d chunks came back while the queue had the messages", n)
			}
			leave(c, q)
			if n := pool.count(); n < fewChunks {
				t.Errorf("%d chunks came back, want at least %d", n, fewChunks)
			}
		})
	}
}

func TestAShortcutToAWaitingConsumerGivesMemoryBack(t *testing.T) {
	c, pool := counted(open(t, disk.NewMemory()))
	c.consume(c.declare("q", false), queue.Consumer{NoAck: true})
	c.fill("", "q", fewMessages, false)
	if n := pool.count(); n < fewChunks {
		t.Errorf("%d chunks came back, want at least %d", n, fewChunks)
	}
}

// TestEveryQueueHoldsAMessage: the memory is reused only after the last queue has let it go.
func TestEveryQueueHoldsAMessage(t *testing.T) {
	c, pool := counted(open(t, disk.NewMemory()))
	c.declareExchange(definition.Exchange{Name: "x", Type: "fanout"})
	var queues []*Queue
	for _, name := range []string{"a", "b", "c"} {
		queues = append(queues, c.declare(name, name == "b"))
		c.bind("x", name, "")
	}
	c.fill("x", "", fewMessages, false)
	for _, q := range queues {
		if n := pool.count(); n != 0 {
			t.Errorf("%d chunks came back before %s let them go", n, q.Name())
		}
		c.consume(q, queue.Consumer{NoAck: true})
	}
	if n := pool.count(); n < fewChunks {
		t.Errorf("%d chunks came back, want at least %d", n, fewChunks)
	}
}

func TestWhatIsOnDiskOnlyNeedsNoMemory(t *testing.T) {
	for name, persistent := range map[string]bool{"logged": true, "spilled": false} {
		t.Run(name, func(t *testing.T) {
			c, pool := counted(open(t, disk.NewMemory()))
			c.declare("q", true)
			c.fill("", "q", 3*residentMax/fullBody, persistent)
			if n := pool.count(); n < residentMax/(32<<10) {
				t.Errorf("%d chunks came back", n)
			}
		})
	}
}
