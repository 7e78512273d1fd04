package amqp091_test

import (
	"strconv"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestAClosedChannelReturnsItsMessagesInTheirOrder, those of all its consumers and gets.
func TestAClosedChannelReturnsItsMessagesInTheirOrder(t *testing.T) {
	endings := map[string]func(c *warrentest.Client){
		"channel.close": func(c *warrentest.Client) {
			c.Call(2, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
		},
		"channel error": func(c *warrentest.Client) {
			c.Call(2, &amqp.BasicGet{Queue: "none"}, amqp.MethodChannelClose)
		},
		"connection cut": func(c *warrentest.Client) { c.Close() },
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			node := warrentest.Start(t)
			c, other := warrentest.Open(t, node.Addr()), warrentest.Open(t, node.Addr())
			declare(c, "q", false)
			publishNumbers(c, "q", 1, 9)
			openChannels(c, 2)
			c.Call(2, &amqp.BasicGet{Queue: "q"}, amqp.MethodBasicGetOk)
			c.Content(2)
			qos(c, 2, 5, false)
			consume(c, 2, "q", false)
			for n := 2; n <= 6; n++ {
				delivery(t, c, 2, strconv.Itoa(n))
			}
			c.Send(2, &amqp.BasicAck{DeliveryTag: 3}) // message 3; now 7 is on its way
			delivery(t, c, 2, "7")
			end(c)
			untilReady(t, other, "q", 8)
			consume(other, 1, "q", true)
			for _, n := range []int{1, 2, 4, 5, 6, 7, 8, 9} {
				if d := delivery(t, other, 1, strconv.Itoa(n)); d.Redelivered != (n < 8) {
					t.Errorf("message %d: redelivered is %v", n, d.Redelivered)
				}
			}
		})
	}
}

func TestNacksPutMessagesBackWhereTheyStood(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	declare(c, "q", false)
	publishNumbers(c, "q", 1, 5)
	for range 4 {
		c.Call(1, &amqp.BasicGet{Queue: "q"}, amqp.MethodBasicGetOk)
		c.Content(1)
	}
	c.Send(1, &amqp.BasicNack{DeliveryTag: 4, Requeue: true},
		&amqp.BasicReject{DeliveryTag: 1, Requeue: true},
		&amqp.BasicNack{DeliveryTag: 3, Multiple: true, Requeue: true})
	other := warrentest.Open(t, node.Addr())
	untilReady(t, other, "q", 5)
	consume(other, 1, "q", true)
	for n := 1; n <= 5; n++ {
		delivery(t, other, 1, strconv.Itoa(n))
	}
}

func TestRecoverReturnsWhatTheChannelHolds(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "q", false)
	publishNumbers(c, "q", 1, 3)
	consume(c, 1, "q", false)
	for n := 1; n <= 3; n++ {
		delivery(t, c, 1, strconv.Itoa(n))
	}
	c.Send(1, &amqp.BasicAck{DeliveryTag: 2})
	c.Call(1, &amqp.BasicRecover{Requeue: true}, amqp.MethodBasicRecoverOk)
	for _, n := range []string{"1", "3"} {
		if d := delivery(t, c, 1, n); !d.Redelivered {
			t.Errorf("message %s is not marked as redelivered", n)
		}
	}
}

// TestATagIsFreeAfterTheBrokerCancelled its consumer, whether the client was told or not.
func TestATagIsFreeAfterTheBrokerCancelled(t *testing.T) {
	for name, notify := range map[string]bool{"told": true, "not told": false} {
		t.Run(name, func(t *testing.T) {
			node := warrentest.Start(t)
			c, other := warrentest.Dial(t, node.Addr()), warrentest.Open(t, node.Addr())
			c.Handshake(map[string]any{
				"capabilities": map[string]any{"consumer_cancel_notify": notify},
			})
			c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
			for range 10 {
				declare(c, "q", false)
				consume(c, 1, "q", true)
				other.Call(1, &amqp.QueueDelete{Queue: "q"}, amqp.MethodQueueDeleteOk)
				if notify {
					c.Expect(1, amqp.MethodBasicCancel)
				}
			}
			declare(c, "q", false)
			consume(c, 1, "q", true)
			c.Send(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "q"})
			e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
			if e.ReplyCode != amqp.NotAllowed {
				t.Errorf("a tag in use: %d %q", e.ReplyCode, e.ReplyText)
			}
		})
	}
}

// TestCancelKeepsWhatWasDelivered: the consumer goes, its messages stay with the channel.
func TestCancelKeepsWhatWasDelivered(t *testing.T) {
	node := warrentest.Start(t)
	c, other := warrentest.Open(t, node.Addr()), warrentest.Open(t, node.Addr())
	declare(c, "q", false)
	publishNumbers(c, "q", 1, 3)
	qos(c, 1, 2, false)
	consume(c, 1, "q", false)
	delivery(t, c, 1, "1")
	delivery(t, c, 1, "2")
	c.Call(1, &amqp.BasicCancel{ConsumerTag: "q"}, amqp.MethodBasicCancelOk)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	silent(c, 1)
	if n := ready(other, "q"); n != 1 {
		t.Errorf("%d messages are ready, want 1", n)
	}
	c.Call(1, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
	if n := ready(other, "q"); n != 2 {
		t.Errorf("%d messages are ready when the channel is gone, want 2", n)
	}
}

func TestACommitMakesPublishesAndSettlesSeen(t *testing.T) {
	node := warrentest.Start(t)
	c, other := warrentest.Open(t, node.Addr()), warrentest.Open(t, node.Addr())
	declare(c, "in", true)
	declare(c, "out", true)
	c.Publish(1, "", "in", persistent(), []byte("work"))
	c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	c.Call(1, &amqp.BasicGet{Queue: "in"}, amqp.MethodBasicGetOk)
	c.Content(1)
	for _, last := range []amqp.MethodID{amqp.MethodTxRollbackOk, amqp.MethodTxCommitOk} {
		c.Publish(1, "", "out", persistent(), []byte("result"))
		c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
		silent(c, 1)
		if n := ready(other, "out"); n != 0 {
			t.Errorf("%d results are seen before the commit", n)
		}
		if last == amqp.MethodTxRollbackOk {
			c.Call(1, &amqp.TxRollback{}, last)
		} else {
			c.Call(1, &amqp.TxCommit{}, last)
		}
	}
	if n := ready(other, "out"); n != 1 {
		t.Errorf("%d results are seen after the commit, want 1", n)
	}
	c.Call(1, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
	if n := ready(other, "in"); n != 0 {
		t.Errorf("%d messages came back that were acknowledged", n)
	}
}
