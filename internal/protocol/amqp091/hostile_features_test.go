package amqp091_test

import (
	"fmt"
	"math"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// bystander is somebody whom nothing of a test concerns.
type bystander struct {
	t *testing.T
	*warrentest.Client
}

func newBystander(t *testing.T, addr net.Addr) bystander {
	c := warrentest.Open(t, addr)
	declare(c, "bystander", false)
	consume(c, 1, "bystander", true)
	return bystander{t, c}
}

// served fails unless the broker still serves others.
func (b bystander) served() {
	b.t.Helper()
	b.Publish(1, "", "bystander", amqp.Properties{}, []byte("still"))
	delivery(b.t, b.Client, 1, "still")
}

// allocated returns how many bytes are allocated while f runs, by whomever.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// declareWith makes a queue with arguments on channel 1.
func declareWith(c *warrentest.Client, name string, arguments map[string]any) {
	c.Call(1, &amqp.QueueDeclare{Queue: name, Arguments: amqp.NewTable(arguments)},
		amqp.MethodQueueDeclareOk)
}

func declareExchange(c *warrentest.Client, name, kind string, arguments map[string]any) {
	c.Call(1, &amqp.ExchangeDeclare{
		Exchange: name, Type: kind, Arguments: amqp.NewTable(arguments),
	}, amqp.MethodExchangeDeclareOk)
}

func bindQueue(c *warrentest.Client, exchange, queue, key string) {
	c.Call(1, &amqp.QueueBind{Queue: queue, Exchange: exchange, RoutingKey: key},
		amqp.MethodQueueBindOk)
}

// publishLarge is Publish with a header that may be as large as a frame may.
func publishLarge(c *warrentest.Client, exchange, key string, headers map[string]any, body string) {
	p := amqp.Properties{Headers: amqp.NewTable(headers)}
	b := amqp.AppendBasicPublish(nil, 1, exchange, key, false, false)
	c.Raw(amqp.AppendContent(b, 1, p.AppendTo(nil), []byte(body), 0))
}

// TestTenThousandCopiesCostWhatTheyAre: keys that lead to the same queue, to none and to many, and
// to so many that it is refused.
func TestTenThousandCopiesCostWhatTheyAre(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	other := newBystander(t, addr)
	c := warrentest.Open(t, addr)
	const copies, queues = 10_000, 200
	keys := make([]any, copies)
	for i := range keys {
		keys[i] = fmt.Sprint("q", i%(2*queues)) // half of which are queues
	}
	for i := range queues {
		declare(c, fmt.Sprint("q", i), false)
	}
	spent := allocated(func() {
		publishLarge(c, "", "none", map[string]any{"CC": keys[:copies/2], "BCC": keys[copies/2:]},
			"m")
		silent(c, 1)
	})
	if spent > 16<<20 {
		t.Errorf("a message with %d keys cost %d bytes", copies, spent)
	}
	for i := range queues {
		if got := ready(c, fmt.Sprint("q", i)); got != 1 {
			t.Fatalf("q%d has %d messages", i, got)
		}
	}
	// Each of so many keys leads to all queues: it would be looked at 2 million times.
	for i := range queues {
		bindQueue(c, "amq.topic", fmt.Sprint("q", i), "#")
	}
	publishLarge(c, "amq.topic", "k", map[string]any{"CC": keys}, "m")
	e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyCode != amqp.ResourceError {
		t.Errorf("closed with %d %q", e.ReplyCode, e.ReplyText)
	}
	other.served()
}

// TestManyHashWordsAreNoBurden: each of them may stand for any words, in any of a great many ways.
func TestManyHashWordsAreNoBurden(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	other := newBystander(t, addr)
	c := warrentest.Open(t, addr)
	declare(c, "q", false)
	bindQueue(c, "amq.topic", "q", strings.Repeat("#.", 126)+"x")
	bindQueue(c, "amq.topic", "q", strings.Repeat("#.a.", 62)+"#.y")
	bindQueue(c, "amq.topic", "q", strings.Repeat("*.#.", 62)+"z")
	key := strings.Repeat("a.", 126)
	for _, last := range []string{"x", "y", "z", "b"} {
		for range 100 {
			c.Publish(1, "amq.topic", key+last, amqp.Properties{}, nil)
		}
	}
	silent(c, 1)
	if got := ready(c, "q"); got != 300 {
		t.Errorf("%d messages of 300 matched", got)
	}
	other.served()
}

// TestForgedDeathsAreCarriedAlong: whatever a client wrote into x-death, its message dies, its dead
// letter arrives, and it has died once more.
func TestForgedDeathsAreCarriedAlong(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	other := newBystander(t, addr)
	c := warrentest.Open(t, addr)
	declareWith(c, "q", map[string]any{
		"x-message-ttl": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	declare(c, "dead", false)
	death := func(count any) map[string]any {
		return map[string]any{"queue": "q", "reason": "expired", "count": count}
	}
	many := make([]any, 60<<10/6)
	for i := range many {
		many[i] = map[string]any{}
	}
	deep := []any{}
	for range amqp.TableDepthMax - 3 {
		deep = []any{deep}
	}
	for name, forged := range map[string]any{
		"text": "x", "nothing": nil, "number": 5, "table": map[string]any{"a": 1}, "empty": []any{},
		"no tables": []any{1, nil, "x", []any{}, true, 1.5}, "huge": []any{death(math.MaxInt64)},
		"negative": []any{death(math.MinInt64)}, "words": []any{death("many")},
		"tables": many, "deep": deep, "texts": []any{strings.Repeat("x", 60<<10)},
		"wrong": []any{map[string]any{"queue": 1, "reason": []any{}, "count": 1.5}},
	} {
		publishLarge(c, "", "q", map[string]any{"x-death": forged}, name)
		c.Call(1, &amqp.BasicGet{Queue: "dead", NoAck: true}, amqp.MethodBasicGetOk)
		props, body := c.Content(1)
		list, _ := props.Headers().Map()["x-death"].([]any)
		if string(body) != name || len(list) == 0 {
			t.Fatalf("%s: %q came, which died %v", name, body, list)
		}
		first, _ := list[0].(map[string]any)
		least := int64(1)
		if name == "negative" { // it is counted on, as RabbitMQ does
			least = math.MinInt64 + 1
		}
		if n, _ := first["count"].(int64); first["queue"] != "q" || n < least {
			t.Errorf("%s: it died %v", name, first)
		}
	}
	other.served()
}

// TestDeadLettersGoRoundOnce: in cycles of queues that keep nothing, through exchanges that are
// bound to each other.
func TestDeadLettersGoRoundOnce(t *testing.T) {
	for limit, rounds := range map[string][]int{
		"x-message-ttl": {1, 2, 50}, "x-max-length": {1, 2, 50}, "x-max-length-bytes": {3},
	} {
		addr := warrentest.Start(t).Addr()
		other := newBystander(t, addr)
		c := warrentest.Open(t, addr)
		declare(c, "seen", false)
		declareExchange(c, "all", "fanout", nil)
		bindQueue(c, "all", "seen", "")
		for _, n := range rounds {
			name := func(i int) string { return fmt.Sprint("r", n, "-", i%n) }
			for i := range n {
				declareExchange(c, name(i), "fanout", nil)
			}
			for i := range n {
				declareWith(c, name(i), map[string]any{
					limit: 0, "x-dead-letter-exchange": name(i + 1),
				})
				bindQueue(c, name(i), name(i), "")
				c.Call(1, &amqp.ExchangeBind{Source: name(i), Destination: "all"},
					amqp.MethodExchangeBindOk)
			}
			c.Publish(1, "", name(0), amqp.Properties{DeliveryMode: 2}, []byte("m"))
			if got := ready(c, "seen"); got != n {
				t.Errorf("%s, %d queues: %d dead letters", limit, n, got)
			}
			c.Call(1, &amqp.QueuePurge{Queue: "seen"}, amqp.MethodQueuePurgeOk)
		}
		other.served()
	}
}

// TestExchangesBoundInACircleRouteOnce: also those that delay, and those that have alternates.
func TestExchangesBoundInACircleRouteOnce(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	other := newBystander(t, addr)
	c := warrentest.Open(t, addr)
	declare(c, "q", false)
	const n = 50
	for i := range n {
		declareExchange(c, fmt.Sprint("x", i), "x-delayed-message", map[string]any{
			"x-delayed-type": "fanout", "alternate-exchange": fmt.Sprint("x", (i+1)%n),
		})
	}
	for i := range n {
		c.Call(1, &amqp.ExchangeBind{
			Source: fmt.Sprint("x", i), Destination: fmt.Sprint("x", (i+1)%n),
		}, amqp.MethodExchangeBindOk)
		bindQueue(c, fmt.Sprint("x", i), "q", "")
	}
	for i, delay := range []any{nil, -1, 1.5, math.MaxInt64, math.MinInt64, math.Inf(1), math.NaN(),
		"soon", "-1", "1", []any{}, true, 1} {
		publishLarge(c, "x7", "", map[string]any{"x-delay": delay}, "m")
		untilReady(t, c, "q", i+1)
	}
	other.served()
}

// TestWeightsCostNothing: a weight is a number, not so many buckets.
func TestWeightsCostNothing(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	other := newBystander(t, addr)
	c := warrentest.Open(t, addr)
	declareExchange(c, "x", "x-consistent-hash", nil)
	declare(c, "q", false)
	spent := allocated(func() {
		bindQueue(c, "x", "q", "2147483647")
		for i := range 100 {
			c.Publish(1, "x", fmt.Sprint(i), amqp.Properties{}, nil)
		}
		silent(c, 1)
	})
	if got := ready(c, "q"); got != 100 || spent > 4<<20 {
		t.Errorf("%d messages came, %d bytes were allocated", got, spent)
	}
	for _, weight := range []string{"2147483648", "9223372036854775808", "99999999999999999999"} {
		c.Send(1, &amqp.QueueBind{Queue: "q", Exchange: "x", RoutingKey: weight})
		e := c.Expect(1, amqp.MethodChannelClose).(*amqp.ChannelClose)
		if e.ReplyCode != amqp.PreconditionFailed || !strings.Contains(e.ReplyText, "at most") {
			t.Errorf("weight %s: %d %q", weight, e.ReplyCode, e.ReplyText)
		}
		c.Send(1, &amqp.ChannelCloseOk{})
		c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	}
	other.served()
}

// TestHeadersMayNestAsDeepAsTables: where they are looked at, too.
func TestHeadersMayNestAsDeepAsTables(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	other := newBystander(t, addr)
	c := warrentest.Open(t, addr)
	declareWith(c, "q", map[string]any{
		"x-max-length": 0, "x-dead-letter-exchange": "amq.headers",
	})
	declare(c, "dead", false)
	deepest := nested(amqp.TableDepthMax - 1)
	c.Call(1, &amqp.QueueBind{
		Queue: "dead", Exchange: "amq.headers", Arguments: deepest,
	}, amqp.MethodQueueBindOk)
	p := amqp.Properties{Headers: deepest}
	c.Publish(1, "", "q", p, []byte("deep"))
	c.Publish(1, "amq.headers", "", p, []byte("deep"))
	if got := ready(c, "dead"); got != 2 {
		t.Errorf("%d messages of 2 came", got)
	}
	p.Headers = nested(amqp.TableDepthMax)
	c.Publish(1, "", "q", p, nil)
	e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyCode != amqp.SyntaxError && e.ReplyCode != amqp.FrameError {
		t.Errorf("closed with %d %q", e.ReplyCode, e.ReplyText)
	}
	other.served()
}
