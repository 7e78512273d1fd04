package broker

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
)

// hold gives a message to a transaction.
func (c *client) hold(t *Transaction, exchange, key, body string, persistent bool) {
	c.t.Helper()
	m := c.message(exchange, key, body, persistent)
	r := c.routes.Route(c.Access, m.Exchange(), m.RoutingKey(), m.Properties())
	c.must(r.Err)
	t.Publish(r, m, 0)
}

// crashing is a disk in memory that keeps what crashes around each of its calls would leave.
type crashing struct {
	*disk.Memory
	mu     sync.Mutex
	armed  bool
	states []*disk.Memory
}

func (d *crashing) take() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.armed {
		return
	}
	for seed := range uint64(4) {
		d.states = append(d.states, d.Memory.Crash(seed))
	}
}

func (d *crashing) arm(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = on
}

// TestACommitIsAllOrNothing crashes at every call of the disk while a transaction is committed that
// moves messages from two queues to two others.
func TestACommitIsAllOrNothing(t *testing.T) {
	d := &crashing{Memory: disk.NewMemory()}
	h := open(t, disk.Faulty(d.Memory, func(disk.Call) disk.Fault {
		d.take()
		return disk.Fault{}
	}))
	c := h.guest()
	var from []*Queue
	for _, name := range []string{"from-1", "from-2", "to-1", "to-2"} {
		q := c.declare(name, true)
		if name[0] == 'f' {
			c.stable(c.publish("", name, "old", true))
			from = append(from, q)
		}
	}
	tx := c.batch.Begin()
	for i := range 100 { // more than one block of the log
		c.hold(tx, "", "to-1", strconv.Itoa(i)+string(make([]byte, 200)), true)
	}
	c.hold(tx, "", "to-2", "new", true)
	var acks []queue.Command
	for _, q := range from {
		e, _ := c.get(q)
		acks = append(acks, queue.Command{Kind: queue.Ack, Seq: e.seq})
	}
	d.arm(true)
	for i, q := range from {
		c.batch.Add(q, acks[i])
	}
	c.stable(tx.Commit())
	d.take()
	d.arm(false)
	h.shut()
	seen := map[string]int{}
	for _, state := range d.states {
		seen[counts(t, state)]++
	}
	if len(seen) != 2 || seen["1 1 0 0"] == 0 || seen["0 0 100 1"] == 0 {
		t.Errorf("crashes left %v", seen)
	}
}

// counts returns how many messages the queues have that a disk holds.
func counts(t *testing.T, fs *disk.Memory) string {
	h := open(t, fs)
	defer h.shut()
	var ready []int
	for _, q := range h.VHost("/").Queues() { // in the order of their names
		ready = append(ready, q.Stats().Ready)
	}
	text := fmt.Sprint(ready)
	return text[1 : len(text)-1]
}

// TestATransactionPublishesAllKinds: persistent and transient messages, to durable queues and
// others, keep their order in each.
func TestATransactionPublishesAllKinds(t *testing.T) {
	h := open(t, disk.NewMemory())
	defer h.shut()
	c := h.guest()
	durable, transient := c.declare("durable", true), c.declare("transient", false)
	for _, name := range []string{"durable", "transient"} {
		c.bind("amq.fanout", name, "")
	}
	tx := c.batch.Begin()
	var want []string
	for i := range 3 * BatchCommandsMax {
		body := strconv.Itoa(i)
		c.hold(tx, "amq.fanout", "", body, i%3 > 0)
		want = append(want, body)
	}
	if n := durable.Stats().Ready; n != 0 {
		t.Errorf("%d messages are there before the commit", n)
	}
	if stable := tx.Commit(); stable == 0 || stable == Never {
		t.Errorf("stable at %d", stable)
	}
	for _, q := range []*Queue{durable, transient} {
		if got := c.bodies(q); !slices.Equal(got, want) {
			t.Errorf("%s has %d messages: %q and so on", q.Name(), len(got), got[:5])
		}
	}
	if stable := c.batch.Begin().Commit(); stable != 0 {
		t.Errorf("an empty one is stable at %d", stable)
	}
}

// TestATransactionTellsWhatWasRefused as a batch does.
func TestATransactionTellsWhatWasRefused(t *testing.T) {
	h := open(t, disk.NewMemory())
	defer h.shut()
	c := h.guest()
	d := amqp.NewTable(map[string]any{"x-max-length": 1, "x-overflow": "reject-publish"})
	c.declareQueue(definition.Queue{Name: "full", Durable: true, Arguments: d})
	tx := c.batch.Begin()
	for i := range 3 {
		m := c.message("", "full", strconv.Itoa(i), true)
		tx.Publish(c.routes.Route(c.Access, nil, []byte("full"), m.Properties()), m, uint32(i+1))
	}
	tx.Commit()
	if got := fmt.Sprint(c.batch.TakeRejected()); got != "[2 3]" {
		t.Errorf("refused were %s", got)
	}
}
