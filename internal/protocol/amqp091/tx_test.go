package amqp091_test

import (
	"fmt"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestATransactionThatTheLogCannotTakeDoesNothing reaches store.CommitBytesMax with few bytes of
// messages, for many queues.
func TestATransactionThatTheLogCannotTakeDoesNothing(t *testing.T) {
	const queues, messages = 600, 50_000
	addr := serveOn(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	for n := range queues {
		declare(c, fmt.Sprint("q", n), true)
		c.Call(1, &amqp.QueueBind{Queue: fmt.Sprint("q", n), Exchange: "amq.fanout"},
			amqp.MethodQueueBindOk)
	}
	c.Publish(1, "", "q0", persistent(), []byte("held"))
	c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	c.Call(1, &amqp.BasicGet{Queue: "q0"}, amqp.MethodBasicGetOk)
	c.Content(1)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	one := amqp.AppendBasicPublish(nil, 1, "amq.fanout", "", false, false)
	p := persistent()
	one = amqp.AppendContent(one, 1, p.AppendTo(nil), nil, 0)
	var many []byte
	for range 1000 {
		many = append(many, one...)
	}
	for range messages / 1000 {
		c.Raw(many)
	}
	c.Send(1, &amqp.TxCommit{})
	e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyCode != amqp.ResourceError ||
		e.ReplyText != "RESOURCE_ERROR - transaction too large" {
		t.Errorf("told %+v", e)
	}
	c.Send(0, &amqp.ConnectionCloseOk{})
	c.DrainToEnd()
	c = warrentest.Open(t, addr)
	untilReady(t, c, "q0", 1) // what was held, and nothing else
	if n := ready(c, fmt.Sprint("q", queues-1)); n != 0 {
		t.Errorf("%d messages were published", n)
	}
}

// TestARolledBackAcknowledgementIsNotCommitted later.
func TestARolledBackAcknowledgementIsNotCommitted(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "q", true)
	c.Publish(1, "", "q", persistent(), []byte("1"))
	c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	c.Call(1, &amqp.BasicGet{Queue: "q"}, amqp.MethodBasicGetOk)
	c.Content(1)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	c.Publish(1, "", "q", persistent(), []byte("2"))
	c.Call(1, &amqp.TxRollback{}, amqp.MethodTxRollbackOk)
	c.Publish(1, "", "q", persistent(), []byte("3"))
	c.Call(1, &amqp.TxCommit{}, amqp.MethodTxCommitOk)
	if n := ready(c, "q"); n != 1 {
		t.Errorf("%d messages are ready", n)
	}
	c.Call(1, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	untilReady(t, c, "q", 2)
}

func TestMessagesOfATransactionGoWhereTheyWouldHaveGoneWhenPublished(t *testing.T) {
	node := warrentest.Start(t)
	client := warrentest.Open(t, node.Addr())
	for _, queue := range []string{"stays", "goes"} {
		client.Call(1, &amqp.QueueDeclare{Queue: queue}, amqp.MethodQueueDeclareOk)
	}
	client.Call(1, &amqp.ExchangeDeclare{Exchange: "e", Type: "fanout"},
		amqp.MethodExchangeDeclareOk)
	for _, queue := range []string{"stays", "goes"} {
		client.Call(1, &amqp.QueueBind{Queue: queue, Exchange: "e"}, amqp.MethodQueueBindOk)
	}
	client.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	client.Publish(1, "e", "", amqp.Properties{}, []byte("m"))
	client.Call(1, &amqp.QueueDelete{Queue: "goes"}, amqp.MethodQueueDeleteOk)
	client.Call(1, &amqp.ExchangeDelete{Exchange: "e"}, amqp.MethodExchangeDeleteOk)
	client.Call(1, &amqp.TxCommit{}, amqp.MethodTxCommitOk)
	client.Send(1, &amqp.BasicGet{Queue: "stays", NoAck: true})
	client.Expect(1, amqp.MethodBasicGetOk)
}
