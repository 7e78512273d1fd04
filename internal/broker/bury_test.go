package broker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/deadletter"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
)

// TestLettersThatMultiplyEnd reaches followersMax: many queues of which each sends what it drops to
// all the others make more letters of one message than anybody can count.
func TestLettersThatMultiplyEnd(t *testing.T) {
	for limit, value := range map[string]any{"x-max-length": 0, "x-message-ttl": 0} {
		h := open(t, disk.NewMemory())
		c := h.guest()
		c.must(c.DeclareExchange(definition.Exchange{Name: "all", Type: "fanout"}))
		var queues []*Queue
		for i := range 50 {
			q := c.declareQueue(definition.Queue{
				Name: fmt.Sprint("q", i), Durable: i%2 == 0,
				Arguments: amqp.NewTable(map[string]any{
					limit: value, "x-dead-letter-exchange": "all",
				}),
			})
			c.bind("all", q.Name(), "")
			queues = append(queues, q)
		}
		published := func() (sum uint64) {
			for _, q := range queues {
				if s := q.Stats(); s.Ready != 0 {
					t.Fatalf("%s holds %d messages", q.Name(), s.Ready)
				} else {
					sum += s.Published
				}
			}
			return sum
		}
		c.publish("", "q0", "m", true)
		const most = followersMax + 2*followersEach + 50*letterRunMax
		if got := published(); got < followersMax/2 || got > most {
			t.Errorf("%s: one message was published %d times, want at most %d", limit, got, most)
		}
		if got := cap(c.batch.morgue.waiting); got > morgueKept {
			t.Errorf("room for %d dead messages is kept", got)
		}
		if n := h.store.Stats().Unsettled; n != 0 {
			t.Errorf("%s: the log has %d messages", limit, n)
		}
		// Who is not part of it goes on.
		c.declareWith("q", map[string]any{
			"x-max-length": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
		})
		letters := c.declare("dead", true)
		c.publish("", "q", "other", true)
		equal(t, "dead", c.bodies(letters), "other")
	}
}

// TestAChainOfQueuesKeepsTheOrder: what follows from a letter comes before the next ones, but in
// each queue they stay in order.
func TestAChainOfQueuesKeepsTheOrder(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	const chain, n = 5, 3*letterRunMax + 7
	for i := range chain {
		c.declareWith(fmt.Sprint("q", i), map[string]any{
			"x-max-length": 0, "x-dead-letter-exchange": "",
			"x-dead-letter-routing-key": fmt.Sprint("q", i+1),
		})
	}
	end := c.declare(fmt.Sprint("q", chain), true)
	for i := range n {
		m := c.message("", "q0", fmt.Sprint(i), i%3 == 0)
		c.batch.Publish(c.routes.Route(c.Access, nil, []byte("q0"), m.Properties()), m)
	}
	c.batch.Run()
	for i, body := range c.bodies(end) {
		if body != fmt.Sprint(i) {
			t.Fatalf("message %s came where %d was expected", body, i)
		}
	}
	if got := end.Stats().Published; got != n {
		t.Errorf("%d messages of %d came", got, n)
	}
}

// TestAMessageWithoutALetterIsGone: of one that could not be written nothing is left in the log.
func TestAMessageWithoutALetterIsGone(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	letters := c.declare("dead", true)
	c.stable(c.publishWith("", "q", "large", amqp.Properties{
		DeliveryMode: 2, Headers: amqp.NewTable(map[string]any{
			"own": strings.Repeat("x", deadletter.HeadersMax),
		}),
	}))
	c.discard(q)
	if n := letters.Stats().Ready; n != 0 {
		t.Errorf("%d letters", n)
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("the log has %d messages", n)
	}
}

// TestAtLeastOnceAsksOnlyThoseAgainWhoRefused: a queue that has taken a letter does not get it with
// every attempt.
func TestAtLeastOnceAsksOnlyThoseAgainWhoRefused(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-queue-type": "quorum", "x-dead-letter-exchange": "amq.fanout",
		"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
	})
	taker := c.declare("taker", true)
	full := c.declareWith("full", map[string]any{
		"x-max-length": 1, "x-overflow": "reject-publish",
	})
	c.bind("amq.fanout", "taker", "")
	c.bind("amq.fanout", "full", "")
	c.publish("", "full", "first", true)
	c.stable(c.publish("", "q", "dead", true))
	c.discard(q)
	again := func() { c.await(q) }
	for range 3 {
		again()
	}
	if got := taker.Stats().Ready; got != 1 {
		t.Errorf("who took the letter has it %d times", got)
	}
	e, _ := c.get(full)
	c.batch.Do(full, queue.Command{Kind: queue.Ack, Seq: e.seq})
	again()
	equal(t, "full", c.bodies(full), "dead")
	equal(t, "taker", c.bodies(taker), "dead")
	if len(q.letters) != 0 || q.Stats().Bytes != 0 {
		t.Errorf("the queue still knows of %d letters, and has %d bytes", len(q.letters),
			q.Stats().Bytes)
	}
}

// TestAForgedHistoryIsReadOnce: a letter that may go to many queues, and is said to have died very
// often, is not compared with all of one for each of the other.
func TestAForgedHistoryIsReadOnce(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	const queues, deaths, n = 1000, 10_000, 3
	for i := range queues {
		c.bind("amq.fanout", c.declareWith(fmt.Sprint("q", i), map[string]any{
			"x-max-length": 0,
		}).Name(), "")
	}
	forged := make([]any, deaths)
	for i := range forged {
		forged[i] = map[string]any{"queue": fmt.Sprint("x", i)}
	}
	forged[deaths-1] = map[string]any{"queue": "q7"}
	c.declareWith("source", map[string]any{
		"x-max-length": 0, "x-dead-letter-exchange": "amq.fanout",
	})
	allocations := testing.AllocsPerRun(n-1, func() {
		c.publishWith("", "source", "m", amqp.Properties{
			Headers: amqp.NewTable(map[string]any{"x-death": forged}),
		})
	})
	if allocations > 10*deaths {
		t.Errorf("%v allocations", allocations)
	}
	for i, want := range map[int]uint64{6: n, 7: 0, 8: n} {
		q, _ := c.CheckQueue(fmt.Sprint("q", i))
		if got := q.Stats().Published; got != want {
			t.Errorf("q%d got %d messages, want %d", i, got, want)
		}
	}
	c.publish("", "source", "m", false)
	c.publish("", "source", "m", false)
	if kept := len(c.batch.morgue.routes.past); kept > pastKept {
		t.Errorf("%d names are kept", kept)
	}
}
