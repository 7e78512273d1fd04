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
	"github.com/warrenmq/warren/internal/store"
)

// route returns the names of the queues a message would reach.
func (c *client) route(exchange, key string) []string {
	c.t.Helper()
	r := c.routes.Route(c.Access, []byte(exchange), []byte(key), amqp.RawProperties{0, 0})
	if r.Err != nil {
		return []string{r.Err.Text}
	}
	names := []string{}
	for _, q := range r.queues {
		names = append(names, q.Name())
	}
	return names
}

func (c *client) declareExchange(e definition.Exchange) {
	c.t.Helper()
	c.must(c.DeclareExchange(e))
}

// TestARouteEndsWithTheDefinitionsItCameFrom asks for one route between all changes that there
// are.
func TestARouteEndsWithTheDefinitionsItCameFrom(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	bound := exchange.Binding{Source: "x", Destination: "q", RoutingKey: "k"}
	steps := []struct {
		change func() *amqp.Error
		want   string
	}{
		{nil, "NOT_FOUND - no exchange 'x' in vhost '/'"},
		{func() *amqp.Error {
			return other.DeclareExchange(definition.Exchange{Name: "x", Type: "direct"})
		}, ""},
		{func() *amqp.Error { other.declare("q", false); return nil }, ""},
		{func() *amqp.Error { return other.Bind(bound) }, "q"},
		{func() *amqp.Error { return other.Unbind(bound) }, ""},
		{func() *amqp.Error { return other.Bind(bound) }, "q"},
		{func() *amqp.Error {
			return other.DeleteQueue(other.batch, "q", false, false, func(int) {})
		}, ""},
		{func() *amqp.Error { other.declare("q", false); return other.Bind(bound) }, "q"},
		{func() *amqp.Error { return other.DeleteExchange("x", false) },
			"NOT_FOUND - no exchange 'x' in vhost '/'"},
	}
	for i, s := range steps {
		if s.change != nil {
			other.must(s.change())
		}
		for range 2 { // fresh, then remembered
			got := fmt.Sprint(c.route("x", "k"))
			if got != "["+s.want+"]" {
				t.Errorf("after step %d: %s, want [%s]", i, got, s.want)
			}
		}
	}
}

// TestAQueueThatWasDeclaredAgainIsAnother publishes over the change.
func TestAQueueThatWasDeclaredAgainIsAnother(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	old := c.declare("q", true)
	c.publish("", "q", "old", true)
	other.must(other.DeleteQueue(other.batch, "q", false, false, func(int) {}))
	fresh := other.declare("q", true)
	if old == fresh || old.Definition.ID == fresh.Definition.ID {
		t.Error("the new queue is the old one")
	}
	c.stable(c.publish("", "q", "new", true))
	equal(t, "the new queue", c.bodies(fresh), "new")
}

// TestRoutesAreNotMixedUp uses names that look alike when they are put together.
func TestRoutesAreNotMixedUp(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	for _, x := range []string{"a", "a\x00b"} {
		c.declareExchange(definition.Exchange{Name: x, Type: "fanout"})
		c.declare("of "+x, false)
		c.bind(x, "of "+x, "")
	}
	for range 2 {
		equal(t, "first", c.route("a\x00b", "c"), "of a\x00b")
		equal(t, "second", c.route("a", "b\x00c"), "of a")
	}
}

// TestMoreDurableQueuesThanTheLogTakesAreRefused: the limit is the log's, and far away.
func TestMoreDurableQueuesThanTheLogTakesAreRefused(t *testing.T) {
	r := Route{durable: make([]*store.Queue, store.FanOutMax)}
	if err := r.check(); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	r.durable = append(r.durable, nil)
	if err := r.check(); err == nil || err.Code != amqp.ResourceError {
		t.Errorf("above the limit: %v", err)
	}
}

func TestMessagesTakeTheAlternateExchange(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.declareExchange(definition.Exchange{Name: "rest", Type: "fanout"})
	c.declareExchange(definition.Exchange{
		Name: "x", Type: "direct",
		Arguments: amqp.NewTable(map[string]any{"alternate-exchange": "rest"}),
	})
	c.declare("known", false)
	others := c.declare("others", true)
	c.bind("x", "known", "k")
	c.bind("rest", "others", "")
	equal(t, "a bound key", c.route("x", "k"), "known")
	equal(t, "another key", c.route("x", "?"), "others")
	c.stable(c.publish("x", "?", "lost and found", true))
	equal(t, "others", c.bodies(others), "lost and found")
}

func TestMessagesCrossBindingsOfExchanges(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	for _, x := range []string{"a", "b", "c"} {
		c.declareExchange(definition.Exchange{Name: x, Type: "topic"})
	}
	for _, b := range []exchange.Binding{
		{Source: "a", Destination: "b", ToExchange: true, RoutingKey: "*.log"},
		{Source: "b", Destination: "c", ToExchange: true, RoutingKey: "#"},
		{Source: "c", Destination: "a", ToExchange: true, RoutingKey: "#"}, // a circle
	} {
		c.must(c.Bind(b))
	}
	q := c.declare("q", false)
	c.bind("c", "q", "#")
	c.bind("b", "q", "#") // twice, but one message
	c.publish("a", "x.log", "once", false)
	c.publish("a", "x.txt", "never", false)
	equal(t, "q", c.bodies(q), "once")
}

// TestHeadersAreLookedAtEachTime: an exchange that routes by headers has no remembered routes.
func TestHeadersAreLookedAtEachTime(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.declareExchange(definition.Exchange{Name: "x", Type: "headers"})
	for _, colour := range []string{"red", "blue"} {
		c.declare(colour, false)
		c.must(c.Bind(exchange.Binding{
			Source: "x", Destination: colour,
			Arguments: amqp.NewTable(map[string]any{"colour": colour}),
		}))
	}
	for _, colour := range []string{"red", "blue", "red", "green"} {
		p := amqp.Properties{Headers: amqp.NewTable(map[string]any{"colour": colour})}
		r := c.routes.Route(c.Access, []byte("x"), nil, p.AppendTo(nil))
		if got := r.Reaches(); got != (colour != "green") || got && r.queues[0].Name() != colour {
			t.Errorf("%s: %+v", colour, r.queues)
		}
	}
}

// TestABatchFindsItsQueueAmongMany has more queues in a batch than are looked through.
func TestABatchFindsItsQueueAmongMany(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	const count, rounds = 3 * scanMax, 3
	queues := make([]*Queue, count)
	for i := range queues {
		queues[i] = c.declare("q"+strconv.Itoa(i), false)
	}
	for range 2 { // the second batch uses the memory of the first
		for round := range rounds {
			for i := range queues {
				q := queues[(i*7+round)%count]
				c.batch.Add(q, queue.Command{
					Kind:    queue.Enqueue,
					Message: c.message("", q.Name(), strconv.Itoa(round), false),
				})
			}
		}
		if len(c.batch.pending) != count {
			t.Errorf("%d queues have something to do, want %d", len(c.batch.pending), count)
		}
		c.batch.Run()
		for _, q := range queues {
			equal(t, q.Name(), c.bodies(q), "0", "1", "2")
		}
	}
}
