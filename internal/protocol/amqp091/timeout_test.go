package amqp091_test

import (
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// consumeFor subscribes to queue q with a timeout of 1 ms and is given a message that it does not
// acknowledge. Then it waits until the broker says something about that.
func consumeFor(t *testing.T, c, other *warrentest.Client) amqp.Method {
	t.Helper()
	c.Call(1, &amqp.BasicQos{PrefetchCount: 1}, amqp.MethodBasicQosOk)
	c.Call(1, &amqp.BasicConsume{
		Queue: "q", ConsumerTag: "slow",
		Arguments: amqp.NewTable(map[string]any{"x-consumer-timeout": 1}),
	}, amqp.MethodBasicConsumeOk)
	other.Publish(1, "", "q", amqp.Properties{}, []byte("held"))
	delivery(t, c, 1, "held")
	return c.TryMethod()
}

// TestAConsumerThatHoldsAMessageTooLongIsCancelled: what it held goes to others, and it may
// acknowledge that without harm.
func TestAConsumerThatHoldsAMessageTooLongIsCancelled(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	c, other := warrentest.Open(t, addr), warrentest.Open(t, addr)
	declare(c, "q", false)
	cancel, ok := consumeFor(t, c, other).(*amqp.BasicCancel)
	if !ok || cancel.ConsumerTag != "slow" || !cancel.NoWait {
		t.Fatalf("told %+v", cancel)
	}
	other.Call(1, &amqp.BasicGet{Queue: "q"}, amqp.MethodBasicGetOk)
	other.Content(1)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1}, &amqp.BasicNack{DeliveryTag: 1, Multiple: true})
	silent(c, 1) // and the channel is open
	other.Call(1, &amqp.BasicRecover{Requeue: true}, amqp.MethodBasicRecoverOk)
	untilReady(t, other, "q", 1)
	c.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "again"}, amqp.MethodBasicConsumeOk)
	d := delivery(t, c, 1, "held")
	if !d.Redelivered || d.DeliveryTag != 2 {
		t.Errorf("came back as %+v", d)
	}
	c.Send(1, &amqp.BasicAck{DeliveryTag: 2})
	silent(c, 1)
}

// TestAClientThatKnowsNoCancelLosesTheChannel: it is told in RabbitMQ's words.
func TestAClientThatKnowsNoCancelLosesTheChannel(t *testing.T) {
	addr := warrentest.Start(t).Addr()
	c, other := warrentest.Dial(t, addr), warrentest.Open(t, addr)
	c.Handshake(nil)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	declare(c, "q", false)
	end, ok := consumeFor(t, c, other).(*amqp.ChannelClose)
	if !ok || end.ReplyCode != amqp.PreconditionFailed || !strings.HasPrefix(end.ReplyText,
		"PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. "+
			"Timeout value used: 1 ms.") {
		t.Fatalf("told %+v", end)
	}
	untilReady(t, other, "q", 1)
	c.Publish(1, "", "q", amqp.Properties{}, []byte("too late"))
	c.Send(1, &amqp.ChannelCloseOk{})
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	if n := ready(c, "q"); n != 1 {
		t.Errorf("%d messages are ready", n)
	}
	consume(c, 1, "q", true)
	delivery(t, c, 1, "held")
}
