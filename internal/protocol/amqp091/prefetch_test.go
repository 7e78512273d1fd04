package amqp091_test

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

func qos(c *warrentest.Client, channel, count uint16, global bool) {
	c.Call(channel, &amqp.BasicQos{PrefetchCount: count, Global: global}, amqp.MethodBasicQosOk)
}

// held waits for a delivery on each of these tags and returns the delivery tags by consumer.
func held(t *testing.T, c *warrentest.Client, n int) map[string][]uint64 {
	t.Helper()
	got := make(map[string][]uint64)
	for range n {
		d := c.Expect(1, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
		c.Content(1)
		got[d.ConsumerTag] = append(got[d.ConsumerTag], d.DeliveryTag)
	}
	return got
}

func TestPrefetchHoldsForEachConsumer(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	for _, q := range []string{"a", "b"} {
		declare(c, q, false)
		publishNumbers(c, q, 1, 10)
	}
	qos(c, 1, 2, false)
	consume(c, 1, "a", false)
	got := held(t, c, 2)
	qos(c, 1, 3, false) // for consumers to come
	consume(c, 1, "b", false)
	for tag, list := range held(t, c, 3) {
		got[tag] = append(got[tag], list...)
	}
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk) // and no more came before it
	if len(got["a"]) != 2 || len(got["b"]) != 3 {
		t.Fatalf("delivered %v", got)
	}
	c.Send(1, &amqp.BasicAck{DeliveryTag: got["b"][0]})
	if next := held(t, c, 1); len(next["b"]) != 1 {
		t.Errorf("an ack of b was followed by %v", next)
	}
	c.Send(1, &amqp.BasicReject{DeliveryTag: got["a"][0]})
	if next := held(t, c, 1); len(next["a"]) != 1 {
		t.Errorf("a reject of a was followed by %v", next)
	}
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
}

func TestGlobalPrefetchHoldsForAllConsumersOfAChannel(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	for _, q := range []string{"a", "b"} {
		declare(c, q, false)
	}
	qos(c, 1, 3, true)
	consume(c, 1, "a", false)
	consume(c, 1, "b", false)
	publisher := warrentest.Open(t, node.Addr())
	for _, q := range []string{"a", "b"} {
		publishNumbers(publisher, q, 1, 20)
		silent(publisher, 1)
	}
	seen := 3
	held(t, c, 3)
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
	for last := uint64(3); seen < 40; {
		n := min(3, 40-seen)
		c.Send(1, &amqp.BasicAck{DeliveryTag: last, Multiple: true})
		for _, list := range held(t, c, n) {
			for _, tag := range list {
				last = max(last, tag)
			}
		}
		seen += n
		c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
	}
}

func TestAGlobalPrefetchThatGrowsOrGoesLetsConsumersGoOn(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "a", false)
	publishNumbers(c, "a", 1, 10)
	qos(c, 1, 1, true)
	consume(c, 1, "a", false)
	held(t, c, 1)
	qos(c, 1, 4, true)
	held(t, c, 3)
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
	qos(c, 1, 0, true)
	held(t, c, 6)
}

// TestGetsAndGoneQueuesDoNotCountAgainstTheGlobalPrefetch keeps the account of a channel.
func TestGetsAndGoneQueuesDoNotCountAgainstTheGlobalPrefetch(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	declare(c, "a", false)
	declare(c, "gone", false)
	publishNumbers(c, "a", 1, 4)
	publishNumbers(c, "gone", 1, 1)
	c.Call(1, &amqp.BasicGet{Queue: "a"}, amqp.MethodBasicGetOk)
	c.Content(1)
	qos(c, 1, 2, true)
	consume(c, 1, "gone", false)
	delivery(t, c, 1, "1")
	warrentest.Open(t, node.Addr()).Call(1, &amqp.QueueDelete{Queue: "gone"},
		amqp.MethodQueueDeleteOk)
	c.Expect(1, amqp.MethodBasicCancel)
	consume(c, 1, "a", false)
	delivery(t, c, 1, "2") // one is left: the message of the queue that is gone still counts
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk) // the get never counted
	c.Send(1, &amqp.BasicAck{DeliveryTag: 2})
	delivery(t, c, 1, "3")
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
}

// TestATransactionFreesPrefetchWhenItCommits: until then, and after a rollback, the client
// still holds what it acknowledged.
func TestATransactionFreesPrefetchWhenItCommits(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "a", false)
	publishNumbers(c, "a", 1, 4)
	qos(c, 1, 2, true)
	c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	consume(c, 1, "a", false)
	held(t, c, 2)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 2, Multiple: true})
	c.Call(1, &amqp.TxRollback{}, amqp.MethodTxRollbackOk)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1}, &amqp.BasicNack{DeliveryTag: 2, Requeue: true})
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
	c.Send(1, &amqp.TxCommit{})
	got := map[uint64]bool{}
	for range 3 { // the returned message, the next one, and commit-ok, which may come first
		f, _ := c.Frame()
		m, err := amqp.ParseMethod(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := m.(*amqp.BasicDeliver); ok {
			got[d.DeliveryTag] = d.Redelivered
			c.Content(1)
		}
	}
	if len(got) != 2 || !got[3] || got[4] {
		t.Errorf("after the commit came %v", got)
	}
	c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
}

// TestManyAcksInOneReadFreeAsManyDeliveries: many acks in one read free as
// many deliveries, on several queues.
func TestManyAcksInOneReadFreeAsManyDeliveries(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	queues := []string{"a", "b", "c", "d"}
	const each = 100
	for _, q := range queues {
		declare(c, q, false)
		publishNumbers(c, q, 1, each)
	}
	const limit = 7
	qos(c, 1, limit, true)
	for _, q := range queues {
		c.Send(1, &amqp.BasicConsume{Queue: q, ConsumerTag: q, NoWait: true})
	}
	for seen, last := 0, uint64(0); seen < len(queues)*each; {
		var acks []byte
		n := min(limit, len(queues)*each-seen)
		for range n {
			d := c.Expect(1, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
			c.Content(1)
			if last++; d.DeliveryTag != last {
				t.Fatalf("delivery %d came as %d", last, d.DeliveryTag)
			}
			acks = amqp.AppendBasicAck(acks, 1, d.DeliveryTag, false)
		}
		c.Call(1, &amqp.AccessRequest{}, amqp.MethodAccessRequestOk)
		c.Raw(acks)
		seen += n
	}
}

func TestQuorumQueuesKnowNoPrefetchOfChannels(t *testing.T) {
	node := warrentest.Start(t)
	client := warrentest.Open(t, node.Addr())
	client.Call(1, &amqp.QueueDeclare{
		Queue: "q", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"x-queue-type": "quorum"}),
	}, amqp.MethodQueueDeclareOk)
	client.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c"}, amqp.MethodBasicConsumeOk)
	client.Call(1, &amqp.BasicQos{PrefetchCount: 1, Global: true}, amqp.MethodBasicQosOk)
	for range 3 {
		client.Publish(1, "", "q", amqp.Properties{}, []byte("m"))
		client.Expect(1, amqp.MethodBasicDeliver)
		client.Content(1)
	}
	client.Send(1, &amqp.BasicAck{DeliveryTag: 3, Multiple: true})
	client.Call(1, &amqp.BasicQos{PrefetchCount: 0, Global: true}, amqp.MethodBasicQosOk)
}
