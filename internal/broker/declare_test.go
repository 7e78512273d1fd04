package broker

import (
	"testing"
	"testing/synctest"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
)

// later runs f and returns where its answer will be.
func later(f func() *amqp.Error) chan *amqp.Error {
	done := make(chan *amqp.Error, 1)
	go func() { done <- f() }()
	return done
}

// TestWhatSomebodyElseIsWritingIsWaitedFor: declaring what is there, and deleting what is gone,
// changes nothing, and yet must be as it was after a crash.
func TestWhatSomebodyElseIsWritingIsWaitedFor(t *testing.T) {
	x := definition.Exchange{Name: "x", Type: "topic", Durable: true}
	bound := exchange.Binding{Source: "x", Destination: "q", RoutingKey: "a.#"}
	declare := func(c *client) *amqp.Error { return c.DeclareExchange(x) }
	bind := func(c *client) *amqp.Error { return c.Bind(bound) }
	unbind := func(c *client) *amqp.Error { return c.Unbind(bound) }
	remove := func(c *client) *amqp.Error { return c.DeleteExchange("x", false) }
	queue := func(c *client) *amqp.Error {
		_, err := c.DeclareQueue(definition.Queue{Name: "q", Durable: true})
		return err
	}
	removeQueue := func(c *client) *amqp.Error {
		return c.DeleteQueue(c.batch, "q", false, false, func(int) {})
	}
	for _, k := range []struct {
		name   string
		before []func(*client) *amqp.Error
		do     func(*client) *amqp.Error
	}{
		{"declare exchange", nil, declare},
		{"delete exchange", []func(*client) *amqp.Error{declare}, remove},
		{"bind", []func(*client) *amqp.Error{declare, queue}, bind},
		{"unbind", []func(*client) *amqp.Error{declare, queue, bind}, unbind},
		{"declare queue", nil, queue},
		{"delete queue", []func(*client) *amqp.Error{queue}, removeQueue},
	} {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow, fs := newSlowDefinitions()
				h := open(t, fs)
				one, two := h.guest(), h.guest()
				for _, f := range k.before {
					one.must(f(one))
				}
				slow.held.Store(true)
				first := later(func() *amqp.Error { return k.do(one) })
				<-slow.waits
				second := later(func() *amqp.Error { return k.do(two) })
				notYet(t, second, "a second time")
				slow.goOn()
				one.must(<-first)
				one.must(<-second)
				if n := len(one.vhost.writing); n != 0 {
					t.Errorf("%d changes are still being written", n)
				}
			})
		})
	}
}

// TestWhatIsNotDurableWaitsForNoDisk while somebody else declares something durable.
func TestWhatIsNotDurableWaitsForNoDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fs := newSlowDefinitions()
		h := open(t, fs)
		c := h.guest()
		c.declareExchange(definition.Exchange{Name: "old", Type: "fanout", Durable: true})
		c.declare("kept", true)
		declared := slow.declareSlowly(h.guest(), "q")
		remove := func(name string) {
			c.must(c.DeleteQueue(c.batch, name, false, false, func(int) {}))
		}
		for _, q := range []definition.Queue{
			{Name: "light"}, {Name: "mine", Exclusive: true},
			{Name: "both", Exclusive: true, Durable: true},
		} {
			c.declareQueue(q)
			c.declareExchange(definition.Exchange{Name: "x", Type: "topic", AutoDelete: true})
			c.bind("x", q.Name, "k") // the exchange goes with the queue
			c.bind("old", q.Name, "k")
			c.publish("x", "k", "body", true)
			remove(q.Name)
			if err := c.CheckExchange("x"); err == nil {
				t.Error("the auto-delete exchange is still there")
			}
		}
		// What is there already waits for nothing either.
		c.declareExchange(definition.Exchange{Name: "old", Type: "fanout", Durable: true})
		c.declare("kept", true)
		remove("none")
		c.must(c.DeleteExchange("none", false))
		synctest.Wait()
		select {
		case <-declared:
			t.Error("the disk did not wait")
		default:
		}
		slow.goOn()
		c.must(<-declared)
	})
}

// TestDeclaringWhatIsThereWritesNothing, nor does deleting what is not.
func TestDeclaringWhatIsThereWritesNothing(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	same := func() {
		c.declare("q", true)
		c.declareExchange(definition.Exchange{Name: "x", Type: "topic", Durable: true})
		c.bind("x", "q", "k")
	}
	same()
	r := c.find("x", "k")
	before := h.store.Stats().DefinitionsBytes
	for range 10 {
		same()
		c.must(c.Unbind(exchange.Binding{Source: "x", Destination: "q", RoutingKey: "none"}))
		c.must(c.DeleteExchange("none", false))
		c.must(c.DeleteQueue(c.batch, "none", false, false, func(int) {}))
	}
	if after := h.store.Stats().DefinitionsBytes; after != before {
		t.Errorf("the definitions grew from %d to %d bytes", before, after)
	}
	if !r.current() {
		t.Error("a route is stale though nothing changed")
	}
}
