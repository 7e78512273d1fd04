package amqp091_test

import (
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestChannelThatClosesTwiceReturnsItsMessagesOnce: a channel in tx mode fails with settles that
// are not committed; its messages go to somebody else, who keeps them when the rest of the
// connection goes as well.
func TestChannelThatClosesTwiceReturnsItsMessagesOnce(t *testing.T) {
	node := warrentest.Start(t)
	c, other := warrentest.Open(t, node.Addr()), warrentest.Open(t, node.Addr())
	declare(c, "q", false)
	publishNumbers(c, "q", 1, 1)
	c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	consume(c, 1, "q", false)
	delivery(t, c, 1, "1")
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	c.Call(1, &amqp.QueueDeclare{Queue: "none", Passive: true}, amqp.MethodChannelClose)

	consume(other, 1, "q", false)
	if d := delivery(t, other, 1, "1"); !d.Redelivered {
		t.Error("what came back is not marked as redelivered")
	}
	c.Call(0, &amqp.ConnectionClose{}, amqp.MethodConnectionCloseOk)
	hangUp(t, c)
	c.DrainToEnd()
	silent(other, 1)
	other.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	silent(other, 1)
}

// TestExclusiveQueuesAreGoneBeforeCloseOk, and what the connection held is back: whoever has
// seen the end of a connection finds nothing of it.
func TestExclusiveQueuesAreGoneBeforeCloseOk(t *testing.T) {
	node := warrentest.Start(t)
	other := warrentest.Open(t, node.Addr())
	declare(other, "held", false)
	const held = 200
	publishNumbers(other, "held", 1, held)
	silent(other, 1)
	endings := map[string]func(c *warrentest.Client){
		"the client closes": func(c *warrentest.Client) {
			c.Send(0, &amqp.ConnectionClose{})
			for m := c.TryMethod(); m != nil; m = c.TryMethod() {
				if m.ID() == amqp.MethodConnectionCloseOk {
					return
				}
			}
			t.Error("no close-ok")
		},
		"the broker closes": func(c *warrentest.Client) {
			c.Send(7, &amqp.BasicQos{}) // a channel that is not open
			c.Expect(0, amqp.MethodConnectionClose)
		},
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			c := warrentest.Open(t, node.Addr())
			c.Call(1, &amqp.QueueDeclare{Queue: "mine", Exclusive: true},
				amqp.MethodQueueDeclareOk)
			consume(c, 1, "held", false)
			for n := 1; n <= held; n++ {
				delivery(t, c, 1, strconv.Itoa(n))
			}
			end(c)
			other.Call(1, &amqp.QueueDeclare{Queue: "mine"}, amqp.MethodQueueDeclareOk)
			other.Call(1, &amqp.QueueDelete{Queue: "mine"}, amqp.MethodQueueDeleteOk)
			if n := ready(other, "held"); n != held {
				t.Errorf("%d messages are back after the end, want %d", n, held)
			}
		})
	}
}

// TestNothingFollowsCloseOk has others publish to a connection's consumer while it closes.
func TestNothingFollowsCloseOk(t *testing.T) {
	node := warrentest.Start(t)
	setUp := warrentest.Open(t, node.Addr())
	declare(setUp, "q", false)
	stop := make(chan struct{})
	var publishing sync.WaitGroup
	defer publishing.Wait()
	defer close(stop)
	publisher := warrentest.Open(t, node.Addr())
	publishing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				publishNumbers(publisher, "q", 1, 50)
				silent(publisher, 1)
			}
		}
	})
	for range 30 {
		c := warrentest.Open(t, node.Addr())
		consume(c, 1, "q", true)
		c.Send(0, &amqp.ConnectionClose{})
		closed := false
		for f, ok := c.Frame(); ok; f, ok = c.Frame() {
			if closed {
				t.Fatalf("after close-ok came %+v", f)
			}
			if f.Type == amqp.FrameMethod {
				m, err := amqp.ParseMethod(f.Payload)
				if err != nil {
					t.Fatal(err)
				}
				if closed = m.ID() == amqp.MethodConnectionCloseOk; closed {
					hangUp(t, c)
				}
			}
		}
	}
}

// TestShutdownTellsEveryClient has many clients who answer, and some who do not.
func TestShutdownTellsEveryClient(t *testing.T) {
	node := warrentest.Start(t)
	const clients = 50
	list := make([]*warrentest.Client, clients)
	for i := range list {
		list[i] = warrentest.Open(t, node.Addr())
	}
	ended := make(chan error, 1)
	go func() { ended <- node.Close() }()
	start := time.Now()
	for i, c := range list {
		e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
		want := "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
		if e.ReplyCode != amqp.ConnectionForced || e.ReplyText != want {
			t.Fatalf("closed with %d %q", e.ReplyCode, e.ReplyText)
		}
		if i%10 != 0 { // the others keep silent
			c.Send(0, &amqp.ConnectionCloseOk{})
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("the node took %v to end", waited)
	}
	for _, c := range list {
		c.DrainToEnd()
	}
}

// TestShutdownDoesNotRepeatTheCloseOfAConnection that the broker is closing already.
func TestShutdownDoesNotRepeatTheCloseOfAConnection(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	c.Send(7, &amqp.BasicQos{}) // a channel that is not open
	c.Expect(0, amqp.MethodConnectionClose)
	if err := node.Close(); err != nil {
		t.Error(err)
	}
	if f, ok := c.Frame(); ok {
		t.Errorf("after connection.close came %+v", f)
	}
}

// TestAClientThatReadsNothingDoesNotHoldUpShutdown fills everything between the two.
func TestAClientThatReadsNothingDoesNotHoldUpShutdown(t *testing.T) {
	node := warrentest.Start(t)
	deaf := warrentest.Open(t, node.Addr())
	declare(deaf, "q", false)
	for range 30 {
		deaf.Publish(1, "", "q", amqp.Properties{}, make([]byte, 1<<20))
	}
	var gets []byte
	for range 30 {
		gets = amqp.AppendMethodFrame(gets, 1, &amqp.BasicGet{Queue: "q"})
	}
	deaf.Raw(gets)
	untilFewer(t, warrentest.Open(t, node.Addr()), "q", 30)
	if err := node.Close(); err != nil {
		t.Error(err)
	}
}

// untilFewer waits until fewer than n messages are ready in a queue.
func untilFewer(t *testing.T, c *warrentest.Client, queue string, n int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for ready(c, queue) >= n {
		if time.Now().After(deadline) {
			t.Fatalf("still %d messages ready in %s", n, queue)
		}
	}
}

// hangUp ends what the client sends. What the broker sends can still be read.
func hangUp(t *testing.T, c *warrentest.Client) {
	t.Helper()
	if err := c.Conn().(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// TestAClientMaySendOnAfterItsClose has a client that closes the connection and then sends what it
// had queued before. It gets its answer, not a broken connection.
func TestAClientMaySendOnAfterItsClose(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	c.Send(0, &amqp.ConnectionClose{})
	for range 200 {
		c.Publish(1, "", "q", amqp.Properties{}, make([]byte, 10_000)) // fails on a reset
	}
	c.Expect(0, amqp.MethodConnectionCloseOk)
	hangUp(t, c)
	c.DrainToEnd()
}
