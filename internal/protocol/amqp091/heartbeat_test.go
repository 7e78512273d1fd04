package amqp091_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/warrentest"
)

// inBubble runs f with a client whose connection to a broker is in memory, under a clock that
// moves when everybody waits.
func inBubble(t *testing.T, f func(t *testing.T, client *warrentest.Client)) {
	inBubbleOn(t, disk.NewMemory(), f)
}

// inBubbleOn is inBubble with a broker that keeps its data on fs.
func inBubbleOn(t *testing.T, fs disk.FS, f func(t *testing.T, client *warrentest.Client)) {
	inBubbleWith(t, fs, func(t *testing.T, _ *broker.Manager, client *warrentest.Client) {
		f(t, client)
	})
}

// inBubbleWith is inBubbleOn for those who also deal with the broker itself.
func inBubbleWith(
	t *testing.T, fs disk.FS, f func(*testing.T, *broker.Manager, *warrentest.Client),
) {
	synctest.Test(t, func(t *testing.T) {
		log := warrentest.Logger(t)
		s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		m, err := broker.New(broker.Options{
			Store: s, ExchangeTypes: exchange.Standard(), DefaultUser: "guest",
			DefaultPassword: "guest", Logger: log,
		})
		if err != nil {
			t.Fatal(err)
		}
		door := amqp091.NewDoor(amqp091.Options{Broker: m, Logger: log})
		near, far := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			door.Serve(far)
		}()
		f(t, m, warrentest.NewClient(t, near))
		_ = near.Close()
		<-served
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

const heartbeatSeconds = 10

func TestSilentBrokerSendsHeartbeats(t *testing.T) {
	inBubble(t, func(t *testing.T, client *warrentest.Client) {
		client.HandshakeWith(nil, heartbeatSeconds)
		start := time.Now()
		f, ok := client.AnyFrame()
		if !ok || f.Type != amqp.FrameHeartbeat || f.Channel != 0 {
			t.Fatalf("%+v came where a heartbeat was expected", f)
		}
		if waited := time.Since(start); waited > heartbeatSeconds*time.Second {
			t.Errorf("the first heartbeat came after %v", waited)
		}
	})
}

func TestSilentClientIsClosedAfterTwoIntervals(t *testing.T) {
	inBubble(t, func(t *testing.T, client *warrentest.Client) {
		client.HandshakeWith(nil, heartbeatSeconds)
		start := time.Now()
		if f, ok := client.Frame(); ok {
			t.Fatalf("%+v came where the end was expected", f)
		}
		waited := time.Since(start)
		if waited < 2*heartbeatSeconds*time.Second || waited > 3*heartbeatSeconds*time.Second {
			t.Errorf("closed after %v", waited)
		}
	})
}

func TestClientThatBeatsStays(t *testing.T) {
	inBubble(t, func(t *testing.T, client *warrentest.Client) {
		client.HandshakeWith(nil, heartbeatSeconds)
		for range 20 {
			if _, ok := client.AnyFrame(); !ok {
				t.Fatal("closed although the client beats")
			}
			client.Raw(amqp.AppendHeartbeat(nil))
		}
	})
}

func TestHandshakeMustEndInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, client *warrentest.Client) {
		start := time.Now()
		client.Raw(amqp.ProtocolHeader[:])
		client.Expect(0, amqp.MethodConnectionStart)
		client.DrainToEnd()
		if waited := time.Since(start); waited > 11*time.Second {
			t.Errorf("cut off after %v", waited)
		}
	})
}

// TestClientIsNotSilentWhileTheBrokerWorks: a broker that waits for its disk does not read, and
// must not blame the client for it.
func TestClientIsNotSilentWhileTheBrokerWorks(t *testing.T) {
	const slow = 10 * heartbeatSeconds * time.Second
	var held atomic.Bool
	fs := disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && held.Load() {
			<-time.After(slow)
		}
		return disk.Fault{}
	})
	inBubbleOn(t, fs, func(t *testing.T, client *warrentest.Client) {
		client.HandshakeWith(nil, heartbeatSeconds)
		client.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		held.Store(true)
		start := time.Now()
		client.Send(1, &amqp.QueueDeclare{Queue: "q", Durable: true})
		for f, ok := client.AnyFrame(); f.Type != amqp.FrameMethod; f, ok = client.AnyFrame() {
			if !ok {
				t.Fatalf("the client was cut off after %v", time.Since(start))
			}
		}
		if waited := time.Since(start); waited < slow {
			t.Errorf("declared after %v", waited)
		}
		held.Store(false)
	})
}

// TestDeafClientIsClosedAfterTwoIntervals: a client that asks and never takes the answers is not
// read either.
func TestDeafClientIsClosedAfterTwoIntervals(t *testing.T) {
	inBubble(t, func(t *testing.T, client *warrentest.Client) {
		client.HandshakeWith(nil, heartbeatSeconds)
		client.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		declare(client, "q", false)
		const messages = 8
		for range messages {
			client.Publish(1, "", "q", amqp.Properties{}, make([]byte, 1<<20))
		}
		silent(client, 1)
		get := &amqp.BasicGet{Queue: "q"}
		client.Send(1, get, get, get, get, get, get, get, get)
		<-time.After(4 * heartbeatSeconds * time.Second)
		if f, ok := client.Frame(); ok {
			t.Errorf("a frame of type %d came where the end was expected", f.Type)
		}
	})
}

// TestSlowClientStays: a client that takes few of many answers is not read, so that its heartbeats
// are not seen; but it lives.
func TestSlowClientStays(t *testing.T) {
	inBubble(t, func(t *testing.T, client *warrentest.Client) {
		client.HandshakeWith(nil, heartbeatSeconds)
		client.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		declare(client, "q", false)
		const messages = 8
		for range messages {
			client.Publish(1, "", "q", amqp.Properties{}, make([]byte, 1<<20))
		}
		silent(client, 1)
		get := &amqp.BasicGet{Queue: "q"}
		client.Send(1, get, get, get, get, get, get, get, get)
		_ = client.Conn().SetDeadline(time.Time{})
		few := make([]byte, 64<<10)
		for range 20 {
			<-time.After(heartbeatSeconds * time.Second)
			if _, err := io.ReadFull(client.Conn(), few); err != nil {
				t.Fatalf("a slow client was cut off: %v", err)
			}
		}
	})
}
