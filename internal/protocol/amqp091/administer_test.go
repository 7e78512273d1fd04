package amqp091_test

import (
	"net"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

// knock goes as far as asking for the vhost "/".
func knock(t *testing.T, addr net.Addr) *warrentest.Client {
	t.Helper()
	c := warrentest.Dial(t, addr)
	c.Raw(amqp.ProtocolHeader[:])
	c.Expect(0, amqp.MethodConnectionStart)
	c.Send(0, &amqp.ConnectionStartOk{
		Mechanism: "PLAIN", Response: "\x00guest\x00guest", Locale: "en_US",
	})
	tune := c.Expect(0, amqp.MethodConnectionTune).(*amqp.ConnectionTune)
	c.Send(0, &amqp.ConnectionTuneOk{ChannelMax: tune.ChannelMax, FrameMax: tune.FrameMax})
	c.Send(0, &amqp.ConnectionOpen{VirtualHost: "/"})
	return c
}

// closed expects connection.close with this code and text, answers, and waits for the end.
func closed(t *testing.T, c *warrentest.Client, code uint16, text string) {
	t.Helper()
	m := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if m.ReplyCode != code || m.ReplyText != text {
		t.Fatalf("closed with %d %q, want %d %q", m.ReplyCode, m.ReplyText, code, text)
	}
	c.Send(0, &amqp.ConnectionCloseOk{})
	c.DrainToEnd()
}

// TestTheEndOfAVHostIsTheEndOfItsConnections, also while they consume and publish.
func TestTheEndOfAVHostIsTheEndOfItsConnections(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	idle := warrentest.Open(t, addr)
	declare(c, "q", true)
	consume(c, 1, "q", false)
	c.Publish(1, "", "q", persistent(), []byte("x"))
	delivery(t, c, 1, "x")
	if err := m.DeleteVHost("/"); err != nil {
		t.Fatal(err)
	}
	closed(t, idle, amqp.ConnectionForced, "CONNECTION_FORCED - vhost '/' is deleted")
	closed(t, c, amqp.ConnectionForced, "CONNECTION_FORCED - vhost '/' is deleted")
	closed(t, knock(t, addr), amqp.NotAllowed, "NOT_ALLOWED - vhost / not found")
}

func TestTheEndOfAUserIsTheEndOfItsConnections(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	if err := m.DeleteUser("guest"); err != nil {
		t.Fatal(err)
	}
	closed(t, c, amqp.ConnectionForced, "CONNECTION_FORCED - user 'guest' is deleted")
}

func TestLimitsAreToldAsRabbitMQTellsThem(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	put := func(l definition.Limits) {
		t.Helper()
		if err := m.PutUserLimits("guest", l); err != nil {
			t.Fatal(err)
		}
	}
	put(definition.Limits{"max-connections": 1, "max-channels": 2})
	c := warrentest.Open(t, addr)
	closed(t, knock(t, addr), amqp.NotAllowed,
		"NOT_ALLOWED - connection refused for user 'guest': user connection limit (1) is reached")
	openChannels(c, 2)
	c.Call(2, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
	openChannels(c, 2)
	c.Send(3, &amqp.ChannelOpen{})
	closed(t, c, amqp.NotAllowed, "NOT_ALLOWED - number of channels opened for user 'guest' has "+
		"reached the maximum allowed user limit of (2)")
	c = warrentest.Open(t, addr) // there is room again
	declare(c, "q", false)
	if err := m.VHost("/").PutLimit("max-queues", 1); err != nil {
		t.Fatal(err)
	}
	c.Send(1, &amqp.QueueDeclare{Queue: "r"})
	got := c.Expect(1, amqp.MethodChannelClose).(*amqp.ChannelClose)
	const want = "PRECONDITION_FAILED - cannot declare queue 'r': queue limit in vhost '/' (1) " +
		"is reached"
	if got.ReplyText != want {
		t.Errorf("closed with %q, want %q", got.ReplyText, want)
	}
}

// TestTopicPermissionsHoldForWhoIsConnected, for each key that a message is routed by.
func TestTopicPermissionsHoldForWhoIsConnected(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	declare(c, "q", false)
	c.Call(1, &amqp.QueueBind{Queue: "q", Exchange: "amq.topic", RoutingKey: "#"},
		amqp.MethodQueueBindOk)
	c.Publish(1, "amq.topic", "other", amqp.Properties{}, []byte("x"))
	if n := ready(c, "q"); n != 1 {
		t.Fatalf("%d messages", n)
	}
	err := m.PutTopicPermission(definition.TopicPermission{
		User: "guest", VHost: "/", Exchange: "amq.topic", Write: `^{username}\.`, Read: "^$",
	})
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(key string) {
		t.Helper()
		got := c.Expect(1, amqp.MethodChannelClose).(*amqp.ChannelClose)
		want := "ACCESS_REFUSED - access to topic '" + key +
			"' in exchange 'amq.topic' in vhost '/' refused for user 'guest'"
		if got.ReplyText != want {
			t.Fatalf("closed with %q, want %q", got.ReplyText, want)
		}
		c.Send(1, &amqp.ChannelCloseOk{})
		c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	}
	c.Publish(1, "amq.topic", "other", amqp.Properties{}, []byte("x"))
	refuse("other")
	copies := amqp.Properties{Headers: amqp.NewTable(map[string]any{"BCC": []string{"hidden"}})}
	c.Publish(1, "amq.topic", "guest.a", copies, []byte("x"))
	refuse("hidden")
	c.Send(1, &amqp.QueueBind{Queue: "q", Exchange: "amq.topic", RoutingKey: "k"})
	refuse("k")
	c.Publish(1, "amq.topic", "guest.a", amqp.Properties{}, []byte("x"))
	if n := ready(c, "q"); n != 2 {
		t.Errorf("%d messages", n)
	}
}
