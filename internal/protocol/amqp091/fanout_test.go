package amqp091_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestFanOutOfALargeBodyCopiesNothing: ten consumers wait for the same message while none of
// them reads; the node holds its body once.
func TestFanOutOfALargeBodyCopiesNothing(t *testing.T) {
	const consumers, size = 10, 16 << 20
	node := warrentest.Start(t)
	publisher := warrentest.Open(t, node.Addr())
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	var all []*warrentest.Client
	for n := range consumers {
		queue := fmt.Sprintf("q%d", n)
		declare(publisher, queue, false)
		publisher.Call(1, &amqp.QueueBind{Queue: queue, Exchange: "amq.fanout"},
			amqp.MethodQueueBindOk)
		c := warrentest.Open(t, node.Addr())
		consume(c, 1, queue, true)
		all = append(all, c)
	}
	publish := amqp.AppendBasicPublish(nil, 1, "amq.fanout", "", false, false)
	publish = amqp.AppendContent(publish, 1, nil, body, 131072)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	publisher.Raw(publish)
	publisher.Call(1, &amqp.QueueDeclare{Queue: "q0", Passive: true}, amqp.MethodQueueDeclareOk)
	for _, c := range all {
		c.Expect(1, amqp.MethodBasicDeliver) // the rest does not fit into the socket
	}
	runtime.ReadMemStats(&after)
	// The node's copy grows as the body arrives.
	if got := after.TotalAlloc - before.TotalAlloc; got > 4*size {
		t.Errorf("%d bytes were allocated for %d consumers of one body of %d", got, consumers, size)
	}
	for _, c := range all {
		if _, got := c.Content(1); !bytes.Equal(got, body) {
			t.Error("a body arrived changed")
		}
	}
}
