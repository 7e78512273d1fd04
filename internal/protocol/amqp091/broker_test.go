package amqp091_test

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/warrentest"
)

// serveOn serves a broker that keeps its data on fs, until the end of the test, and returns its
// address.
func serveOn(t *testing.T, fs disk.FS) net.Addr {
	t.Helper()
	addr, _, _ := serveBroker(t, fs)
	return addr
}

// serveBroker is serveOn for those who also deal with the broker or the door themselves.
func serveBroker(t *testing.T, fs disk.FS) (net.Addr, *broker.Manager, *amqp091.Door) {
	t.Helper()
	log := warrentest.Logger(t)
	var manager atomic.Pointer[broker.Manager]
	full := func(full bool) { manager.Load().SetAlarm(broker.StoreAlarm, full) }
	s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: log, Full: full})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a disk that fails is the point of some tests
	m, err := broker.New(broker.Options{
		Store: s, ExchangeTypes: exchange.Standard(), DefaultUser: "guest",
		DefaultPassword: "guest", Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	manager.Store(m)
	addr, door := serveDoor(t, amqp091.Options{Broker: m, Logger: log})
	return addr, m, door
}

// serveDoor serves a door with these options, until the end of the test.
func serveDoor(t *testing.T, o amqp091.Options) (net.Addr, *amqp091.Door) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := amqp091.NewDoor(o)
	var serving sync.WaitGroup
	serving.Go(func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			serving.Go(func() { door.Serve(conn) })
		}
	})
	t.Cleanup(serving.Wait) // after clients have gone, which are made later
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr(), door
}

// part of the names of the files that hold messages.
const messageFiles = "messages-"

// faulty is a disk in memory where calls about the files of messages go through rule.
func faulty(rule func(disk.Call) disk.Fault) disk.FS {
	return disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
		if strings.Contains(c.Name, messageFiles) {
			return rule(c)
		}
		return disk.Fault{}
	})
}

func persistent() amqp.Properties { return amqp.Properties{DeliveryMode: 2} }

// declare makes a queue on channel 1.
func declare(c *warrentest.Client, name string, durable bool) {
	c.Call(1, &amqp.QueueDeclare{Queue: name, Durable: durable}, amqp.MethodQueueDeclareOk)
}

// consume subscribes to a queue; the consumer's tag is the queue's name.
func consume(c *warrentest.Client, channel uint16, queue string, noAck bool) {
	c.Call(channel, &amqp.BasicConsume{Queue: queue, ConsumerTag: queue, NoAck: noAck},
		amqp.MethodBasicConsumeOk)
}

// openChannels opens channels 2 to last.
func openChannels(c *warrentest.Client, last uint16) {
	for ch := uint16(2); ch <= last; ch++ {
		c.Call(ch, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	}
}

// publishNumbers sends messages to a queue whose bodies are the numbers from first to last.
func publishNumbers(c *warrentest.Client, queue string, first, last int) {
	for n := first; n <= last; n++ {
		c.Publish(1, "", queue, amqp.Properties{}, []byte(strconv.Itoa(n)))
	}
}

// delivery expects a message with that body and returns its delivery.
func delivery(t *testing.T, c *warrentest.Client, channel uint16, body string) *amqp.BasicDeliver {
	t.Helper()
	d := c.Expect(channel, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
	if _, got := c.Content(channel); string(got) != body {
		t.Fatalf("message %q came where %q was expected", got, body)
	}
	return d
}

// silent fails unless the broker, asked something, has nothing to say before the answer.
func silent(c *warrentest.Client, channel uint16) {
	c.Call(channel, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
}

// ready returns how many messages are ready in a queue.
func ready(c *warrentest.Client, queue string) int {
	ok := c.Call(1, &amqp.QueueDeclare{Queue: queue, Passive: true},
		amqp.MethodQueueDeclareOk).(*amqp.QueueDeclareOk)
	return int(ok.MessageCount)
}

// untilReady waits until so many messages are ready in a queue.
func untilReady(t *testing.T, c *warrentest.Client, queue string, want int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for got := ready(c, queue); got != want; got = ready(c, queue) {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages ready in %s, want %d", got, queue, want)
		}
	}
}
