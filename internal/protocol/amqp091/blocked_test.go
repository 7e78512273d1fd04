package amqp091_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

// hearing are the properties of a client that wants to be told when it is blocked.
func hearing() map[string]any {
	return map[string]any{"capabilities": map[string]any{"connection.blocked": true}}
}

// openHearing logs in a client that wants to be told, and declares q.
func openHearing(client *warrentest.Client, heartbeat uint16) {
	client.HandshakeWith(hearing(), heartbeat)
	client.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	declare(client, "q", false)
}

// quiet fails if anything but heartbeats comes within d.
func quiet(t *testing.T, client *warrentest.Client, d time.Duration) {
	t.Helper()
	_ = client.Conn().SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 64)
	for {
		n, err := client.Conn().Read(b)
		if err != nil {
			_ = client.Conn().SetReadDeadline(time.Time{})
			return
		}
		for rest := b[:n]; len(rest) > 0; {
			f, size, err := amqp.ParseFrame(rest, amqp.FrameMinSize)
			if err != nil || size == 0 || f.Type != amqp.FrameHeartbeat {
				t.Fatalf("%x came where nothing was expected (%v)", rest, err)
			}
			rest = rest[size:]
		}
	}
}

// blockedFor expects the client to be told that it is blocked.
func blockedFor(t *testing.T, client *warrentest.Client, want string) {
	t.Helper()
	m := client.Expect(0, amqp.MethodConnectionBlocked).(*amqp.ConnectionBlocked)
	if m.Reason != want {
		t.Errorf("blocked because of %q, want %q", m.Reason, want)
	}
}

// writeLater sends b and a method on channel 1, and does not wait until they are read.
func writeLater(client *warrentest.Client, b []byte, m amqp.Method) {
	_ = client.Conn().SetWriteDeadline(time.Time{})
	b = amqp.AppendMethodFrame(b, 1, m)
	go func() { _, _ = client.Conn().Write(b) }()
}

// content is a message for q.
func content(payload int) []byte {
	b := amqp.AppendBasicPublish(nil, 1, "", "q", false, false)
	var none amqp.Properties
	return amqp.AppendContent(b, 1, none.AppendTo(nil), make([]byte, payload), amqp.FrameMinSize)
}

// TestAnAlarmBlocksThoseWhoPublish follows what a RabbitMQ does, frame by frame: a connection
// goes on until the header of a content, is told once, and goes on where it was when no alarm is
// left.
func TestAnAlarmBlocksThoseWhoPublish(t *testing.T) {
	inBubbleWith(t, disk.NewMemory(), func(
		t *testing.T, m *broker.Manager, client *warrentest.Client,
	) {
		openHearing(client, 0)
		client.Raw(content(1))
		silent(client, 1)
		m.SetAlarm(broker.DiskAlarm, true)
		m.SetAlarm(broker.MemoryAlarm, true)
		silent(client, 1) // it published before, but not since

		b := content(1)
		const methodFrame, headerFrame = 4 + 2 + 1 + 2 + 1 + 8, 4 + 8 + 2 + 8
		client.Raw(b[:methodFrame])
		quiet(t, client, time.Minute)
		client.Raw(b[methodFrame : methodFrame+headerFrame])
		blockedFor(t, client, "low on disk & memory")
		rest := b[methodFrame+headerFrame:]
		writeLater(client, rest, &amqp.QueueDeclare{Queue: "q", Passive: true})
		quiet(t, client, time.Hour)
		m.SetAlarm(broker.DiskAlarm, false)
		quiet(t, client, time.Hour)
		m.SetAlarm(broker.MemoryAlarm, false)
		client.Expect(0, amqp.MethodConnectionUnblocked)
		ok := client.Expect(1, amqp.MethodQueueDeclareOk).(*amqp.QueueDeclareOk)
		if ok.MessageCount != 2 {
			t.Errorf("%d messages, want 2", ok.MessageCount)
		}
	})
}

// TestBlockedClientStaysAndHearsHeartbeats: a client that is not read cannot be blamed for
// silence.
func TestBlockedClientStaysAndHearsHeartbeats(t *testing.T) {
	inBubbleWith(t, disk.NewMemory(), func(
		t *testing.T, m *broker.Manager, client *warrentest.Client,
	) {
		openHearing(client, heartbeatSeconds)
		m.SetAlarm(broker.MemoryAlarm, true)
		client.Raw(content(0))
		blockedFor(t, client, "low on memory")
		start := time.Now()
		for range 50 {
			if f, ok := client.AnyFrame(); !ok || f.Type != amqp.FrameHeartbeat {
				t.Fatalf("%+v came after %v", f, time.Since(start))
			}
		}
		if waited := time.Since(start); waited > 51*heartbeatSeconds*time.Second {
			t.Errorf("50 heartbeats took %v", waited)
		}
		m.SetAlarm(broker.MemoryAlarm, false)
		client.Expect(0, amqp.MethodConnectionUnblocked)
	})
}

func TestClientThatCannotHearIsNotTold(t *testing.T) {
	inBubbleWith(t, disk.NewMemory(), func(
		t *testing.T, m *broker.Manager, client *warrentest.Client,
	) {
		client.HandshakeWith(nil, 0)
		client.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		declare(client, "q", false)
		m.SetAlarm(broker.StoreAlarm, true)
		client.Raw(content(0))
		writeLater(client, nil, &amqp.QueueDeclare{Queue: "q", Passive: true})
		quiet(t, client, time.Hour)
		m.SetAlarm(broker.StoreAlarm, false)
		client.Expect(1, amqp.MethodQueueDeclareOk)
	})
}

// TestAnAlarmBlocksAgain: each time is as the first.
func TestAnAlarmBlocksAgain(t *testing.T) {
	inBubbleWith(t, disk.NewMemory(), func(
		t *testing.T, m *broker.Manager, client *warrentest.Client,
	) {
		openHearing(client, 0)
		for range 20 {
			m.SetAlarm(broker.MemoryAlarm, true)
			silent(client, 1)
			client.Raw(content(10))
			blockedFor(t, client, "low on memory")
			m.SetAlarm(broker.MemoryAlarm, false)
			client.Expect(0, amqp.MethodConnectionUnblocked)
		}
		if n := ready(client, "q"); n != 20 {
			t.Errorf("%d messages, want 20", n)
		}
	})
}

// TestConsumersGoOnDuringAnAlarm: they are who ends it.
func TestConsumersGoOnDuringAnAlarm(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	publisher := warrentest.Open(t, addr)
	declare(publisher, "q", false)
	publishNumbers(publisher, "q", 1, 100)
	untilReady(t, publisher, "q", 100)
	m.SetAlarm(broker.MemoryAlarm, true)
	consumer := warrentest.Open(t, addr)
	consumer.Call(1, &amqp.BasicQos{PrefetchCount: 1}, amqp.MethodBasicQosOk)
	consume(consumer, 1, "q", false)
	for n := range 100 {
		d := delivery(t, consumer, 1, strconv.Itoa(n+1))
		consumer.Send(1, &amqp.BasicAck{DeliveryTag: d.DeliveryTag})
	}
}

// TestBlockedClientIsToldToGo: a node that stops sees its blocked clients out like others.
func TestBlockedClientIsToldToGo(t *testing.T) {
	addr, m, door := serveBroker(t, disk.NewMemory())
	client := warrentest.Dial(t, addr)
	openHearing(client, 0)
	m.SetAlarm(broker.DiskAlarm, true)
	client.Raw(content(100_000))
	blockedFor(t, client, "low on disk")
	door.Shutdown()
	client.Expect(0, amqp.MethodConnectionClose)
	client.Send(0, &amqp.ConnectionCloseOk{})
	client.DrainToEnd()
	other := warrentest.Open(t, addr)
	if n := ready(other, "q"); n != 0 {
		t.Errorf("%d messages of a connection that was sent away", n)
	}
}

// TestBlockedClientThatVanishesIsForgotten: the heartbeats that it does not take tell.
func TestBlockedClientThatVanishesIsForgotten(t *testing.T) {
	inBubbleWith(t, disk.NewMemory(), func(
		t *testing.T, m *broker.Manager, client *warrentest.Client,
	) {
		openHearing(client, heartbeatSeconds)
		m.SetAlarm(broker.DiskAlarm, true)
		client.Raw(content(0))
		blockedFor(t, client, "low on disk")
		client.Close()
		<-time.After(2 * heartbeatSeconds * time.Second)
		synctest.Wait()
		if n := m.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// TestAPublisherIsBlockedInTheMiddleOfItsFlood: what came with the same read as the publish that
// was blocked waits too, and nothing of it is lost.
func TestAPublisherIsBlockedInTheMiddleOfItsFlood(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	client := warrentest.Dial(t, addr)
	openHearing(client, 0)
	const messages = 5000
	var flood []byte
	for range messages {
		flood = append(flood, content(100)...)
	}
	go func() { _, _ = client.Conn().Write(flood) }()
	watcher := warrentest.Open(t, addr)
	blocked := 0
	for count := 0; count < messages; count = ready(watcher, "q") {
		m.SetAlarm(broker.MemoryAlarm, true)
		m.SetAlarm(broker.MemoryAlarm, false)
	}
	client.Send(0, &amqp.ConnectionClose{ReplyCode: amqp.ReplySuccess})
	for m := client.TryMethod(); m != nil; m = client.TryMethod() {
		switch m.(type) {
		case *amqp.ConnectionBlocked:
			blocked++
		case *amqp.ConnectionUnblocked:
			blocked--
		case *amqp.ConnectionCloseOk:
			if blocked != 0 {
				t.Errorf("told %d more times to stop than to go on", blocked)
			}
			return
		}
	}
	t.Error("no answer to connection.close")
}
