package amqp091_test

import (
	"io"
	"net"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// runMessages is the number of messages in one measured run. A run may allocate less often
// than that: memory for many messages is claimed at once.
const runMessages = 1000

// measure counts the allocations of the whole process while a batch of publishes goes in, is
// delivered and, with acks, acknowledged: broker and client together.
func measure(t *testing.T, noAck bool) float64 {
	node := warrentest.Start(t)
	setUp := warrentest.Open(t, node.Addr())
	setUp.Call(1, &amqp.QueueDeclare{Queue: "q"}, amqp.MethodQueueDeclareOk)
	consumer := warrentest.Open(t, node.Addr())
	consumer.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c", NoAck: noAck},
		amqp.MethodBasicConsumeOk)
	publisher := warrentest.Open(t, node.Addr())

	body := make([]byte, 16)
	var batch, expected []byte
	for range runMessages {
		batch = amqp.AppendBasicPublish(batch, 1, "", "q", false, false)
		batch = amqp.AppendContent(batch, 1, nil, body, 0)
		expected = amqp.AppendBasicDeliver(expected, 1, "c", 1, false, nil, []byte("q"))
		expected = amqp.AppendContent(expected, 1, nil, body, 0)
	}
	deliveries := make([]byte, len(expected))
	var ack []byte
	in, out := consumer.Conn(), publisher.Conn()
	return testing.AllocsPerRun(50, func() {
		exchangeBytes(t, out, in, batch, deliveries)
		if !noAck {
			ack = amqp.AppendBasicAck(ack[:0], 1, 0, true)
			if _, err := in.Write(ack); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// exchangeBytes publishes a batch and reads its deliveries.
func exchangeBytes(t *testing.T, out, in net.Conn, batch, deliveries []byte) {
	if _, err := out.Write(batch); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(in, deliveries); err != nil {
		t.Fatal(err)
	}
}

// TestMessagesCostNoAllocation is the gate of the data path: publish, route, deliver and ack
// of a message allocate nothing of its own.
func TestMessagesCostNoAllocation(t *testing.T) {
	for name, noAck := range map[string]bool{"auto-ack": true, "ack": false} {
		t.Run(name, func(t *testing.T) {
			if got := measure(t, noAck); got > runMessages/10 {
				t.Errorf("%v allocations for %d messages", got, runMessages)
			}
		})
	}
}
