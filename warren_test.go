package warren_test

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func in(dir string) func(*warren.Options) {
	return func(o *warren.Options) { o.DataDir = dir }
}

func TestDurableDefinitionsAndPersistentMessagesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	node := warrentest.Start(t, in(dir))
	c := warrentest.Open(t, node.Addr())
	declareAll(c)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	persistent := amqp.Properties{DeliveryMode: 2, ContentType: "text/plain"}
	c.Publish(1, "orders", "a.b", persistent, []byte("kept"))
	c.Expect(1, amqp.MethodBasicAck)
	c.Publish(1, "orders", "a.b", amqp.Properties{}, []byte("transient"))
	c.Expect(1, amqp.MethodBasicAck)
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}

	node = warrentest.Start(t, in(dir))
	c = warrentest.Open(t, node.Addr())
	c.Call(1, &amqp.ExchangeDeclare{Exchange: "orders", Passive: true},
		amqp.MethodExchangeDeclareOk)
	ok := c.Call(1, &amqp.QueueDeclare{Queue: "kept", Passive: true},
		amqp.MethodQueueDeclareOk).(*amqp.QueueDeclareOk)
	if ok.MessageCount != 1 {
		t.Fatalf("%d messages after the restart, want the persistent one", ok.MessageCount)
	}
	got := c.Call(1, &amqp.BasicGet{Queue: "kept"}, amqp.MethodBasicGetOk).(*amqp.BasicGetOk)
	props, body := c.Content(1)
	contentType, _ := props.ContentType()
	if string(body) != "kept" || got.RoutingKey != "a.b" || string(contentType) != "text/plain" {
		t.Errorf("got %q with key %q and type %q", body, got.RoutingKey, contentType)
	}
	c.Call(1, &amqp.QueueDeclare{Queue: "passing", Passive: true}, amqp.MethodChannelClose)
	c.Send(1, &amqp.ChannelCloseOk{})
	// The binding is back as well.
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	c.Publish(1, "orders", "a.c", persistent, []byte("new"))
	c.Call(1, &amqp.BasicGet{Queue: "kept", NoAck: true}, amqp.MethodBasicGetOk)
}

// declareAll makes a durable exchange and queue, bound, and a queue that is not durable.
func declareAll(c *warrentest.Client) {
	c.Call(1, &amqp.ExchangeDeclare{Exchange: "orders", Type: "topic", Durable: true},
		amqp.MethodExchangeDeclareOk)
	c.Call(1, &amqp.QueueDeclare{Queue: "kept", Durable: true}, amqp.MethodQueueDeclareOk)
	c.Call(1, &amqp.QueueBind{Queue: "kept", Exchange: "orders", RoutingKey: "a.*"},
		amqp.MethodQueueBindOk)
	c.Call(1, &amqp.QueueDeclare{Queue: "passing"}, amqp.MethodQueueDeclareOk)
}

func TestAcknowledgedMessagesStayGoneAfterARestart(t *testing.T) {
	dir := t.TempDir()
	node := warrentest.Start(t, in(dir))
	c := warrentest.Open(t, node.Addr())
	declareAll(c)
	for _, body := range []string{"one", "two", "three"} {
		c.Publish(1, "", "kept", amqp.Properties{DeliveryMode: 2}, []byte(body))
	}
	c.Call(1, &amqp.BasicGet{Queue: "kept"}, amqp.MethodBasicGetOk)
	c.Content(1)
	c.Send(1, &amqp.BasicAck{DeliveryTag: 1})
	c.Call(1, &amqp.BasicGet{Queue: "kept", NoAck: true}, amqp.MethodBasicGetOk)
	c.Content(1)
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	node = warrentest.Start(t, in(dir))
	c = warrentest.Open(t, node.Addr())
	ok := c.Call(1, &amqp.BasicGet{Queue: "kept"}, amqp.MethodBasicGetOk).(*amqp.BasicGetOk)
	if _, body := c.Content(1); string(body) != "three" || ok.MessageCount != 0 {
		t.Errorf("got %q and %d more, want the one that was not acknowledged",
			body, ok.MessageCount)
	}
}

func TestSeveralNodesRunInOneProcess(t *testing.T) {
	var clients []*warrentest.Client
	for range 3 {
		clients = append(clients, warrentest.Open(t, warrentest.Start(t).Addr()))
	}
	clients[0].Call(1, &amqp.QueueDeclare{Queue: "q"}, amqp.MethodQueueDeclareOk)
	clients[1].Call(1, &amqp.QueueDeclare{Queue: "q", Passive: true}, amqp.MethodChannelClose)
}

func TestADataDirectoryServesOneNode(t *testing.T) {
	dir := t.TempDir()
	warrentest.Start(t, in(dir))
	_, err := warren.Start(context.Background(), warren.Options{
		DataDir: dir, Listen: "127.0.0.1:0", Logger: warrentest.Logger(t),
	})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second node got %v, want a refusal that names the directory", err)
	}
}

func TestContextEndsTheNode(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	node, err := warren.Start(ctx, warren.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", Logger: warrentest.Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := warrentest.Open(t, node.Addr())
	cancel()
	e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyCode != amqp.ConnectionForced {
		t.Errorf("closed with %d %q", e.ReplyCode, e.ReplyText)
	}
	c.Send(0, &amqp.ConnectionCloseOk{})
	<-node.Done()
	if err := node.Err(); err != nil {
		t.Error(err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, o := range []warren.Options{
		{Listen: "nonsense"}, {LogFileBytes: -1}, {LogFileBytes: 4 << 10}, {LogFileBytes: 2 << 30},
		{Heartbeat: -1}, {ConnectionsMax: -1},
	} {
		o.DataDir = t.TempDir()
		if node, err := warren.Start(context.Background(), o); err == nil {
			node.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
}
