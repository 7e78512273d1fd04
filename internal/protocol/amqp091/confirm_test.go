package amqp091_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

func confirmed(t *testing.T, c *warrentest.Client, channel uint16, upTo uint64) {
	t.Helper()
	for {
		ack := c.Expect(channel, amqp.MethodBasicAck).(*amqp.BasicAck)
		if ack.DeliveryTag > upTo {
			t.Fatalf("channel %d: %d was confirmed of %d", channel, ack.DeliveryTag, upTo)
		}
		if ack.DeliveryTag == upTo {
			return
		}
	}
}

// TestConfirmsOfOneChannelDoNotSwallowThoseOfAnother: a channel publishes to the log before it
// asks for confirms, another is confirmed for both.
func TestConfirmsOfOneChannelDoNotSwallowThoseOfAnother(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	openChannels(c, 2)
	declare(c, "q", true)
	c.Call(2, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	c.Publish(1, "", "q", persistent(), []byte("1"))
	c.Publish(2, "", "q", persistent(), []byte("2"))
	confirmed(t, c, 2, 1)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	c.Publish(1, "", "q", amqp.Properties{}, []byte("3"))
	confirmed(t, c, 1, 1)
}

// TestConfirmsKeepTheOrderOfPublishes mixes messages that wait for the disk with others that
// need not.
func TestConfirmsKeepTheOrderOfPublishes(t *testing.T) {
	gate := make(chan struct{})
	var held atomic.Bool
	addr := serveOn(t, faulty(func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && held.Load() {
			<-gate
		}
		return disk.Fault{}
	}))
	c := warrentest.Open(t, addr)
	declare(c, "q", true)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	held.Store(true)
	c.Publish(1, "", "q", persistent(), []byte("1"))
	c.Publish(1, "", "q", amqp.Properties{}, []byte("2"))
	c.Publish(1, "", "nowhere", persistent(), []byte("3"))
	silent(c, 1) // 2 and 3 could be confirmed, but 1 comes first
	held.Store(false)
	close(gate)
	confirmed(t, c, 1, 3)
	c.Publish(1, "", "q", amqp.Properties{}, []byte("4"))
	confirmed(t, c, 1, 4)
}

// TestConfirmFollowsTheReturn: a mandatory message without a queue comes back, then it is
// confirmed.
func TestConfirmFollowsTheReturn(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	b := amqp.AppendBasicPublish(nil, 1, "", "nowhere", true, false)
	c.Raw(amqp.AppendContent(b, 1, amqp.RawProperties{0, 0}, []byte("back"), 0))
	r := c.Expect(1, amqp.MethodBasicReturn).(*amqp.BasicReturn)
	if r.ReplyCode != amqp.NoRoute || r.ReplyText != "NO_ROUTE" || r.RoutingKey != "nowhere" {
		t.Errorf("returned with %+v", r)
	}
	if _, body := c.Content(1); string(body) != "back" {
		t.Errorf("%q came back", body)
	}
	confirmed(t, c, 1, 1)
}

// TestOneConfirmCoversABatch: what arrives in one read is confirmed by one basic.ack.
func TestOneConfirmCoversABatch(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "q", false)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	const batch = 100
	var b []byte
	for range batch {
		b = amqp.AppendBasicPublish(b, 1, "", "q", false, false)
		b = amqp.AppendContent(b, 1, amqp.RawProperties{0, 0}, nil, 0)
	}
	c.Raw(b)
	acks := 0
	for last := uint64(0); last < batch; acks++ {
		ack := c.Expect(1, amqp.MethodBasicAck).(*amqp.BasicAck)
		if ack.DeliveryTag > last+1 && !ack.Multiple {
			t.Errorf("%d follows %d, but not as multiple", ack.DeliveryTag, last)
		}
		last = ack.DeliveryTag
	}
	if acks > batch/10 {
		t.Errorf("%d acks for %d publishes", acks, batch)
	}
}

// TestWhatTheDiskRefusesIsRefused: when the log fails, and from then on, persistent messages
// are answered by basic.nack.
func TestWhatTheDiskRefusesIsRefused(t *testing.T) {
	var broken atomic.Bool
	addr := serveOn(t, faulty(func(c disk.Call) disk.Fault {
		if (c.Op == disk.OpWrite || c.Op == disk.OpSync) && broken.Load() {
			return disk.Fault{Err: errors.New("the disk is full")}
		}
		return disk.Fault{}
	}))
	c := warrentest.Open(t, addr)
	declare(c, "q", true)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	c.Publish(1, "", "q", persistent(), []byte("good"))
	confirmed(t, c, 1, 1)
	broken.Store(true)
	for tag := uint64(2); tag < 5; tag++ {
		c.Publish(1, "", "q", persistent(), []byte("bad"))
		nack := c.Expect(1, amqp.MethodBasicNack).(*amqp.BasicNack)
		if nack.DeliveryTag != tag {
			t.Errorf("%d was refused, want %d", nack.DeliveryTag, tag)
		}
	}
	c.Call(1, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	c.Publish(1, "", "q", persistent(), []byte("bad"))
	c.Send(1, &amqp.TxCommit{})
	e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyCode != amqp.InternalError {
		t.Errorf("a commit that was not stored ended in %d %q", e.ReplyCode, e.ReplyText)
	}
}
