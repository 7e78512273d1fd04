package amqp091_test

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestAnswersNobodyReadsAreBounded asks for a lot in a few bytes, and reads nothing: requests
// are taken as long as answers find room, not all that one read brought.
func TestAnswersNobodyReadsAreBounded(t *testing.T) {
	node := warrentest.Start(t)
	publisher := warrentest.Open(t, node.Addr())
	declare(publisher, "q", false)
	const messages, size = 60, 1 << 20
	body := make([]byte, size)
	for range messages {
		publisher.Publish(1, "", "q", amqp.Properties{}, body)
	}
	untilReady(t, publisher, "q", messages)

	greedy := warrentest.Open(t, node.Addr())
	var gets []byte
	for range messages {
		gets = amqp.AppendMethodFrame(gets, 1, &amqp.BasicGet{Queue: "q", NoAck: true})
	}
	greedy.Raw(gets)
	untilFewer(t, publisher, "q", messages)
	// What is taken now is what finds room: the limit on answers, and buffers of the system.
	last := ready(publisher, "q")
	for now := last - 1; now != last; {
		last, now = now, ready(publisher, "q")
	}
	if last < messages/3 {
		t.Errorf("%d of %d messages wait in memory for a client that does not read",
			messages-last, messages)
	}
	for range messages {
		greedy.Expect(1, amqp.MethodBasicGetOk)
		if _, got := greedy.Content(1); len(got) != size {
			t.Fatalf("a message has %d bytes", len(got))
		}
	}
}
