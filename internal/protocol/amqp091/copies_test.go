package amqp091_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// copied returns properties with so many further keys.
func copied(header string, keys ...any) amqp.Properties {
	return amqp.Properties{Headers: amqp.NewTable(map[string]any{header: keys})}
}

// publishWide is Publish in frames as large as the broker takes.
func publishWide(c *warrentest.Client, exchange, key string, p amqp.Properties, body string) {
	b := amqp.AppendBasicPublish(nil, 1, exchange, key, false, false)
	c.Raw(amqp.AppendContent(b, 1, p.AppendTo(nil), []byte(body), 131072))
}

// TestTenThousandKeys routes a message by as many keys as a frame holds: to a queue that all of
// them lead to it comes once, and those that lead elsewhere are not forgotten.
func TestTenThousandKeys(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "all", false)
	declare(c, "last", false)
	c.Call(1, &amqp.QueueBind{Queue: "all", Exchange: "amq.topic", RoutingKey: "#"},
		amqp.MethodQueueBindOk)
	c.Call(1, &amqp.QueueBind{Queue: "last", Exchange: "amq.topic", RoutingKey: "*.k9999"},
		amqp.MethodQueueBindOk)
	const count = 10_000
	keys := make([]any, count)
	for i := range keys {
		keys[i] = fmt.Sprintf("a.k%d", i)
	}
	for _, header := range []string{"CC", "BCC"} {
		publishWide(c, "amq.topic", "own", copied(header, keys...), header)
		untilReady(t, c, "all", 1)
		untilReady(t, c, "last", 1)
		c.Call(1, &amqp.QueuePurge{Queue: "all"}, amqp.MethodQueuePurgeOk)
		c.Call(1, &amqp.BasicGet{Queue: "last", NoAck: true}, amqp.MethodBasicGetOk)
		props, _ := c.Content(1)
		if got := props.Headers().Len(); got != map[string]int{"CC": 1, "BCC": 0}[header] {
			t.Errorf("%s: the message came with %d headers", header, got)
		}
	}
	// What was large is not kept for what follows.
	publishWide(c, "amq.topic", "own", copied("CC", "x.k9999"), "small")
	untilReady(t, c, "last", 1)
}

// TestKeysLongerThanARoutingKey are matched all the same, as with RabbitMQ, and remembered by
// nobody.
func TestKeysLongerThanARoutingKey(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "q", false)
	c.Call(1, &amqp.QueueBind{Queue: "q", Exchange: "amq.topic", RoutingKey: "long.#"},
		amqp.MethodQueueBindOk)
	long := "long." + strings.Repeat("x.", 20_000)
	for n := 1; n <= 3; n++ {
		publishWide(c, "amq.topic", "", copied("CC", long), "b")
		publishWide(c, "", "", copied("CC", long), "to no queue")
		publishWide(c, "amq.direct", "", copied("CC", long), "to no queue")
		untilReady(t, c, "q", n)
	}
}

// TestAMessageWithoutTheHeadersFollowsOneWithThem: nothing of one publish is left for the next.
func TestAMessageWithoutTheHeadersFollowsOneWithThem(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "a", false)
	declare(c, "b", false)
	c.Publish(1, "", "a", copied("CC", "b"), nil)
	c.Publish(1, "", "a", amqp.Properties{}, nil)
	c.Publish(1, "", "a", amqp.Properties{Headers: amqp.NewTable(map[string]any{"x": 1})}, nil)
	untilReady(t, c, "a", 3)
	untilReady(t, c, "b", 1)
}
