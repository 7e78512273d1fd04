package broker

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

// declareWith makes a durable queue with arguments.
func (c *client) declareWith(name string, arguments map[string]any) *Queue {
	c.t.Helper()
	return c.declareQueue(definition.Queue{
		Name: name, Durable: true, Arguments: amqp.NewTable(arguments),
	})
}

// discard rejects the head of a queue.
func (c *client) discard(q *Queue) {
	c.t.Helper()
	e, ok := c.get(q)
	if !ok {
		c.t.Fatalf("%s is empty", q.Name())
	}
	c.batch.Do(q, queue.Command{Kind: queue.Discard, Seq: e.seq})
}

func TestARejectedMessageGoesToTheDeadLetterExchange(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	letters := c.declare("dead", true)
	c.stable(c.publish("", "q", "persistent", true))
	c.publish("", "q", "transient", false)
	c.discard(q)
	c.discard(q)
	if n := h.store.Stats().Unsettled; n != 1 {
		t.Errorf("the log has %d messages, want the dead letter of the persistent one", n)
	}
	equal(t, "dead", c.bodies(letters), "persistent", "transient")
	h.shut()

	h = open(t, fs)
	c = h.guest()
	letters, _ = c.CheckQueue("dead")
	equal(t, "dead, after a restart", c.bodies(letters), "persistent")
	if q, _ := c.CheckQueue("q"); q.Stats().Ready != 0 {
		t.Error("the original is back")
	}
}

func TestWithoutADeadLetterExchangeWhatDiesIsGone(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	for name, arguments := range map[string]map[string]any{
		"none": {"x-max-length": 1}, "missing": {
			"x-max-length": 1, "x-dead-letter-exchange": "nowhere",
		},
	} {
		q := c.declareWith(name, arguments)
		for i := range 3 {
			c.stable(c.publish("", name, strconv.Itoa(i), true))
		}
		equal(t, name, c.bodies(q), "2")
	}
	if n := h.store.Stats().Unsettled; n != 2 {
		t.Errorf("the log has %d messages, want 2", n)
	}
}

// TestACycleOfQueuesThatOverflowEnds: each message goes round once.
func TestACycleOfQueuesThatOverflowEnds(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	const n = 5
	var ring []*Queue
	for i := range n {
		ring = append(ring, c.declareWith(fmt.Sprint("q", i), map[string]any{
			"x-max-length": 0, "x-dead-letter-exchange": "",
			"x-dead-letter-routing-key": fmt.Sprint("q", (i+1)%n),
		}))
	}
	c.publish("", "q0", "round", true)
	for _, q := range ring {
		if s := q.Stats(); s.Published != 1 || s.Ready != 0 {
			t.Errorf("%s got %d messages and holds %d", q.Name(), s.Published, s.Ready)
		}
	}
	if left := h.store.Stats().Unsettled; left != 0 {
		t.Errorf("the log has %d messages", left)
	}
}

// TestAsManyAsYouLikeMayDieAtOnce: they are sent on some at a time.
func TestAsManyAsYouLikeMayDieAtOnce(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	letters := c.declare("dead", true)
	const n = 3*deadMax + 1
	for i := range n {
		c.publish("", "q", strconv.Itoa(i), false)
	}
	e := *q.settings()
	e.MaxLength = 0
	q.configure(e)
	c.batch.apply(q, nil)
	if len(c.batch.morgue.dead) > deadMax+queue.DeliveriesMax {
		t.Errorf("%d messages are dead and not sent on", len(c.batch.morgue.dead))
	}
	c.batch.finish()
	h.clock.idle()
	if got := letters.Stats().Ready; got != n {
		t.Errorf("%d letters of %d", got, n)
	}
	if m, ok := c.get(letters); !ok || m.body != "0" {
		t.Errorf("the first letter is %q", m.body)
	}
}

// TestAtLeastOnceKeepsWhatNobodyTakes: until somebody does.
func TestAtLeastOnceKeepsWhatNobodyTakes(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	arguments := map[string]any{
		"x-queue-type": "quorum", "x-dead-letter-exchange": "",
		"x-dead-letter-routing-key": "dead", "x-dead-letter-strategy": "at-least-once",
		"x-overflow": "reject-publish",
	}
	q := c.declareWith("q", arguments)
	c.stable(c.publish("", "q", "kept", true))
	c.discard(q)
	if n := h.store.Stats().Unsettled; n != 1 || q.Stats().Ready != 0 {
		t.Errorf("the log has %d messages, %d are ready", n, q.Stats().Ready)
	}
	letters := c.declare("dead", true)
	c.await(q)
	equal(t, "dead", c.bodies(letters), "kept")
	if n := h.store.Stats().Unsettled; n != 1 {
		t.Errorf("the log has %d messages, want the letter alone", n)
	}
}

func TestAQueueThatIsFullRefusesAndTells(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-max-length": 2, "x-overflow": "reject-publish",
	})
	for i := range 4 {
		m := c.message("", "q", strconv.Itoa(i), i%2 == 0)
		r := c.routes.Route(c.Access, nil, []byte("q"), m.Properties())
		if !r.Rejects() {
			t.Fatal("the route does not say that it rejects")
		}
		c.batch.PublishFor(r, &m, uint32(i+1))
	}
	c.batch.Run()
	if got := fmt.Sprint(c.batch.TakeRejected()); got != "[3 4]" {
		t.Errorf("rejected %s", got)
	}
	if n := h.store.Stats().Unsettled; n != 1 {
		t.Errorf("the log has %d messages", n)
	}
	equal(t, "q", c.bodies(q), "0", "1")
	if got := c.batch.TakeRejected(); len(got) != 0 {
		t.Errorf("told twice: %v", got)
	}
}

// TestACrashLosesNeitherAMessageNorItsDeadLetter: whatever it takes, one of the two is left.
func TestACrashLosesNeitherAMessageNorItsDeadLetter(t *testing.T) {
	const n = 20
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	c.declare("dead", true)
	for i := range n {
		c.stable(c.publish("", "q", strconv.Itoa(i), true))
	}
	moved := map[bool]int{}
	for i := range n {
		c.discard(q)
		for seed := range uint64(4) {
			after := open(t, fs.Crash(4*uint64(i)+seed))
			left := map[string]bool{}
			for _, name := range []string{"q", "dead"} {
				other := after.guest()
				q, err := other.CheckQueue(name)
				if err != nil {
					t.Fatal(err)
				}
				for _, body := range other.bodies(q) {
					left[body] = true
					moved[name == "dead"]++
				}
			}
			if len(left) != n {
				t.Errorf("message %d, seed %d: %d messages of %d are left", i, seed, len(left), n)
			}
			after.shut()
		}
	}
	if moved[true] == 0 || moved[false] == 0 {
		t.Errorf("all crashes were alike: %v", moved)
	}
}

// TestALetterThatCannotBeWrittenIsSettled: its exchange has a name that no message can carry.
func TestALetterThatCannotBeWrittenIsSettled(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareWith("q", map[string]any{
		"x-dead-letter-exchange": strings.Repeat("long", message.NameMax),
	})
	c.stable(c.publish("", "q", "dies", true))
	c.discard(q)
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("the log has %d messages", n)
	}
}
