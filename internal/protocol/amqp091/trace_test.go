package amqp091_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

// traced is a copy of a message.
type traced struct {
	key, body string
	headers   map[string]any
}

// traces returns the copies that have come to a queue.
func traces(c *warrentest.Client) (list []traced) {
	for {
		c.Send(1, &amqp.BasicGet{Queue: "traces", NoAck: true})
		ok, found := c.TryMethod().(*amqp.BasicGetOk)
		if !found {
			return list
		}
		props, body := c.Content(1)
		list = append(list, traced{ok.RoutingKey, string(body), props.Headers().Map()})
	}
}

// TestCopiesOfMessagesAreTraced as a RabbitMQ 3.10 traced them when the same was done to it.
func TestCopiesOfMessagesAreTraced(t *testing.T) {
	addr, m, door := serveBroker(t, disk.NewMemory())
	watcher := warrentest.Open(t, addr)
	declare(watcher, "traces", false)
	watcher.Call(1, &amqp.QueueBind{
		Queue: "traces", Exchange: "amq.rabbitmq.trace", RoutingKey: "#",
	}, amqp.MethodQueueBindOk)
	c := warrentest.Open(t, addr)
	declare(c, "a", false)
	m.VHost("/").SetTracing(true)
	silent(c, 1)
	name := ""
	for _, of := range door.Connections() {
		if of.Name == c.Conn().LocalAddr().String()+" -> "+addr.String() {
			name = of.Name
		}
	}
	p := amqp.Properties{
		ContentType: "text/plain", DeliveryMode: 2, Timestamp: 12345,
		Headers: amqp.NewTable(map[string]any{"h": int32(1), "CC": []any{"b"}}),
	}
	c.Publish(1, "", "a", p, []byte("hello"))
	c.Send(1, &amqp.BasicNack{DeliveryTag: get(c, "a", false).DeliveryTag, Requeue: true})
	get(c, "a", true)
	list := traces(watcher)
	want := map[string]any{
		"exchange_name": "", "routing_keys": []any{"a", "b"}, "node": "", "vhost": "/",
		"connection": name, "channel": int32(1), "user": "guest",
		"properties": map[string]any{
			"content_type": "text/plain", "delivery_mode": int32(2), "timestamp": int32(12345),
			"headers": map[string]any{"h": int32(1), "CC": []any{"b"}},
		},
	}
	more := []map[string]any{
		{"routed_queues": []any{"a", "b"}}, {"redelivered": int32(0)}, {"redelivered": int32(1)},
	}
	keys := []string{"publish.", "deliver.a", "deliver.a"}
	if len(list) != len(keys) {
		t.Fatalf("%d copies: %+v", len(list), list)
	}
	for i, got := range list {
		headers := maps.Clone(want)
		maps.Copy(headers, more[i])
		if got.key != keys[i] || got.body != "hello" || !amqp.NewTable(got.headers).Equal(
			amqp.NewTable(headers)) {
			t.Errorf("copy %d: %+v, want %s %+v", i, got, keys[i], headers)
		}
	}
	m.VHost("/").SetTracing(false)
	c.Publish(1, "", "a", amqp.Properties{}, nil)
	get(c, "a", true)
	if list := traces(watcher); len(list) > 0 {
		t.Errorf("when it was ended: %+v", list)
	}
}

// TestTracingAQueueWithAllThatIsTraced does not trace what is traced, and comes to an end.
func TestTracingAQueueWithAllThatIsTraced(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	declare(c, "q", false)
	c.Call(1, &amqp.QueueBind{
		Queue: "q", Exchange: "amq.rabbitmq.trace", RoutingKey: "#",
	}, amqp.MethodQueueBindOk)
	const messages = 5000
	publishNumbers(c, "q", 1, messages)
	silent(c, 1)
	m.VHost("/").SetTracing(true)
	consume(c, 1, "q", true)
	got := map[string]int{}
	for range 2 * messages {
		d := c.Expect(1, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
		c.Content(1)
		got[d.RoutingKey]++
	}
	silent(c, 1)
	if got["q"] != messages || got["deliver.q"] != messages {
		t.Errorf("%v after %v", got, slices.Sorted(maps.Keys(got)))
	}
}

// TestTransactionsAreTraced when they are published.
func TestTransactionsAreTraced(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	openChannels(c, 2)
	declare(c, "traces", false)
	c.Call(1, &amqp.QueueBind{
		Queue: "traces", Exchange: "amq.rabbitmq.trace", RoutingKey: "publish.#",
	}, amqp.MethodQueueBindOk)
	m.VHost("/").SetTracing(true)
	c.Call(2, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	c.Publish(2, "amq.fanout", "k", amqp.Properties{}, []byte("x"))
	c.Call(2, &amqp.TxCommit{}, amqp.MethodTxCommitOk)
	if list := traces(c); len(list) != 1 || list[0].key != "publish.amq.fanout" {
		t.Errorf("%+v", list)
	}
}
