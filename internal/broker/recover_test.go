package broker

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
)

// TestQueuesComeBackInTheirOrder leaves acknowledged, returned and unacknowledged messages.
func TestQueuesComeBackInTheirOrder(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	q := c.declare("q", true)
	for i := range 8 {
		c.publish("", "q", strconv.Itoa(i), i != 3) // 3 is transient
	}
	var seqs []uint64
	for range 6 {
		e, _ := c.get(q)
		seqs = append(seqs, e.seq)
	}
	c.batch.Do(q, queue.Command{Kind: queue.Ack, Seq: seqs[4]})
	c.batch.Do(q, queue.Command{Kind: queue.Ack, Seq: seqs[1]})
	c.batch.Do(q, queue.Command{Kind: queue.Return, Seq: seqs[2]})
	h.shut()

	for range 2 { // reading changes nothing
		h = open(t, fs)
		c = h.guest()
		q, err := c.CheckQueue("q")
		c.must(err)
		equal(t, "the queue", c.bodies(q), "0", "2", "5", "6", "7")
		h.shut()
	}
}

// TestWhatIsConfirmedSurvivesACrash takes the disk as a power loss leaves it.
func TestWhatIsConfirmedSurvivesACrash(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	q := c.declare("q", true)
	c.publish("", "q", "acknowledged", true)
	e, _ := c.get(q)
	c.batch.Do(q, queue.Command{Kind: queue.Ack, Seq: e.seq})
	c.stable(c.publish("", "q", "confirmed", true))
	for seed := range uint64(20) {
		after := open(t, fs.Crash(seed))
		survivor := after.guest()
		q, err := survivor.CheckQueue("q")
		survivor.must(err)
		equal(t, fmt.Sprintf("seed %d", seed), survivor.bodies(q), "confirmed")
		after.shut()
	}
}

// describe lists everything declared in a vhost.
func describe(v *VHost) []string {
	var list []string
	for _, e := range v.definitions.Exchanges() {
		list = append(list, fmt.Sprintf("exchange %s %s %v", e.Name, e.Type, e.Arguments.Map()))
	}
	for _, q := range v.Queues() {
		d := q.Definition
		list = append(list, fmt.Sprintf("queue %d %s %v %v", d.ID, d.Name, d.Durable,
			d.Arguments.Map()))
	}
	for _, b := range v.Bindings() {
		list = append(list, fmt.Sprintf("binding %s %s %v %s %v", b.Source, b.Destination,
			b.ToExchange, b.RoutingKey, b.Arguments.Map()))
	}
	return list
}

func TestDurableDefinitionsSurvive(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	arguments := amqp.NewTable(map[string]any{"x-max-length": 7})
	c.declareExchange(definition.Exchange{Name: "x", Type: "topic", Durable: true})
	c.declareExchange(definition.Exchange{Name: "y", Type: "headers", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"alternate-exchange": "x"})})
	c.declareExchange(definition.Exchange{Name: "gone", Type: "direct", Durable: true})
	c.declareExchange(definition.Exchange{
		Name: "with its last binding", Type: "direct", Durable: true, AutoDelete: true,
	})
	c.declareQueue(definition.Queue{Name: "q", Durable: true, Arguments: arguments})
	c.declare("deleted", true)
	c.bind("x", "q", "a.#")
	c.bind("x", "deleted", "a.#")
	c.bind("gone", "q", "k")
	c.bind("with its last binding", "q", "k")
	c.must(c.Bind(exchange.Binding{Source: "y", Destination: "x", ToExchange: true,
		Arguments: amqp.NewTable(map[string]any{"x-match": "any", "n": 1})}))
	c.must(c.DeleteExchange("gone", false))
	c.must(c.DeleteQueue(c.batch, "deleted", false, false, func(int) {}))
	c.must(c.Unbind(exchange.Binding{
		Source: "with its last binding", Destination: "q", RoutingKey: "k",
	}))
	want := describe(h.VHost("/"))

	// Nothing of this is durable.
	c.declareExchange(definition.Exchange{Name: "light", Type: "fanout"})
	c.declare("light", false)
	c.declareQueue(definition.Queue{Name: "mine", Durable: true, Exclusive: true})
	c.bind("x", "light", "a.#")
	c.bind("light", "q", "")
	h.shut()

	equal(t, "definitions", describe(open(t, fs).VHost("/")), want...)
}

// TestUsersAndVHostsAreMadeOnce: the defaults are for a directory that has none.
func TestUsersAndVHostsAreMadeOnce(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	first, _ := h.User("guest")
	h.shut()
	again := open(t, fs)
	second, ok := again.User("guest")
	if !ok || string(first.PasswordHash) != string(second.PasswordHash) {
		t.Error("the user was made again")
	}
	if len(again.VHosts()) != 1 {
		t.Errorf("%d vhosts", len(again.VHosts()))
	}
}

// TestANewQueueNeverHasTheIDOfAnother, also after a restart.
func TestANewQueueNeverHasTheIDOfAnother(t *testing.T) {
	fs := disk.NewMemory()
	seen := make(map[uint64]string)
	for run := range 3 {
		h := open(t, fs)
		c := h.guest()
		for i := range 3 {
			name := fmt.Sprintf("q%d-%d", run, i)
			id := c.declare(name, true).Definition.ID
			if other, taken := seen[id]; taken {
				t.Errorf("%s has the id of %s", name, other)
			}
			seen[id] = name
			if i == 2 {
				c.must(c.DeleteQueue(c.batch, name, false, false, func(int) {}))
			}
		}
		h.shut()
	}
}
