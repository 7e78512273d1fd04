package warren_test

import (
	"encoding/hex"
	"testing"

	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/telemetry/telemetrytest"
	"github.com/warrenmq/warren/internal/warrentest"
)

// What a publisher says of its trace.
const (
	tracedBy    = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	publisherID = "b7ad6b7169203331"
)

// story tells spans as a tree: each by its name, in brackets what is below it.
func story(spans []*trace.Span, parent string) (text string) {
	for _, s := range spans {
		if hex.EncodeToString(s.ParentSpanId) == parent {
			text += s.Name + "(" + story(spans, hex.EncodeToString(s.SpanId)) + ")"
		}
	}
	return text
}

// headersOf are those of a message that is traced.
func headersOf(parent string) amqp.Table {
	return amqp.NewTable(map[string]any{
		"other": int32(1), "traceparent": parent, "tracestate": "vendor=1",
	})
}

// declare makes a queue.
func declare(c *warrentest.Client, name string, durable bool, arguments map[string]any) {
	c.Call(1, &amqp.QueueDeclare{
		Queue: name, Durable: durable, Arguments: amqp.NewTable(arguments),
	}, amqp.MethodQueueDeclareOk)
}

// TestSpansOfAMessageHangBelowItsPublisher follows a message from its publisher to its consumer:
// for queues that are logged and such as are not, in a transaction and without.
func TestSpansOfAMessageHangBelowItsPublisher(t *testing.T) {
	for name, x := range map[string]struct{ durable, tx bool }{
		"transient": {}, "durable": {durable: true}, "transaction": {durable: true, tx: true},
	} {
		t.Run(name, func(t *testing.T) {
			collector := telemetrytest.New(t)
			node := warrentest.Start(t, func(o *warren.Options) {
				o.Tracing.Endpoint = collector.Endpoint
			})
			c := warrentest.Open(t, node.Addr())
			declare(c, "q", x.durable, nil)
			c.Send(1, &amqp.QueueBind{Queue: "q", Exchange: "amq.topic", RoutingKey: "#"})
			c.Expect(1, amqp.MethodQueueBindOk)
			if x.tx {
				c.Call(1, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
			}
			mode := uint8(1)
			if x.durable {
				mode = 2
			}
			// Messages that are not traced go before, between and after.
			traced := amqp.Properties{Headers: headersOf(tracedBy), DeliveryMode: mode}
			plain := amqp.Properties{DeliveryMode: mode, Headers: headersOf(tracedBy[:53] + "00")}
			for _, p := range []amqp.Properties{plain, traced, {}, plain} {
				c.Publish(1, "amq.topic", "k", p, []byte("body"))
			}
			if x.tx {
				c.Call(1, &amqp.TxCommit{}, amqp.MethodTxCommitOk)
			}
			c.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c"}, amqp.MethodBasicConsumeOk)
			var tag uint64
			for range 4 {
				d := c.Expect(1, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
				props, _ := c.Content(1)
				if tag = d.DeliveryTag; tag == 2 && !props.Headers().Equal(traced.Headers) {
					t.Errorf("the headers have changed: %v", props.Headers().Map())
				}
			}
			c.Send(1, &amqp.BasicAck{DeliveryTag: tag, Multiple: true})
			if x.tx {
				c.Call(1, &amqp.TxCommit{}, amqp.MethodTxCommitOk)
			}
			const want = "receive amq.topic(route amq.topic(enqueue q(deliver q(settle q()))))"
			spans := collector.Await(5)
			check(t, spans, want)
			for _, s := range spans {
				if s.Name != "settle q" && s.TraceState != "vendor=1" {
					t.Errorf("%s: tracestate %q", s.Name, s.TraceState)
				}
				if s.Name == "enqueue q" &&
					telemetrytest.Attribute(s, "messaging.destination.name") != "amq.topic:k:q" {
					t.Errorf("attributes %v", s.Attributes)
				}
			}
			c.Close()
			node.Close()
			if n := len(collector.Spans()); n != 5 {
				t.Errorf("%d spans, want 5", n)
			}
		})
	}
}

// check compares the spans of one trace with a story.
func check(t *testing.T, spans []*trace.Span, want string) {
	t.Helper()
	if got := story(spans, publisherID); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, s := range spans {
		from, to := s.StartTimeUnixNano, s.EndTimeUnixNano
		if hex.EncodeToString(s.TraceId) != tracedBy[3:35] || to < from {
			t.Errorf("%s: trace %x, from %d to %d", s.Name, s.TraceId, from, to)
		}
	}
}

// TestADeadLetterIsTracedFromItsQueueOn has a message be given back, be rejected, and come to
// another queue as a dead letter.
func TestADeadLetterIsTracedFromItsQueueOn(t *testing.T) {
	collector := telemetrytest.New(t)
	node := warrentest.Start(t, func(o *warren.Options) { o.Tracing.Endpoint = collector.Endpoint })
	c := warrentest.Open(t, node.Addr())
	declare(c, "dead", true, nil)
	declare(c, "q", true, map[string]any{
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead",
	})
	c.Publish(1, "", "q", amqp.Properties{Headers: headersOf(tracedBy), DeliveryMode: 2}, nil)
	c.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c"}, amqp.MethodBasicConsumeOk)
	for _, requeue := range []bool{true, false} {
		d := c.Expect(1, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
		c.Content(1)
		c.Send(1, &amqp.BasicReject{DeliveryTag: d.DeliveryTag, Requeue: requeue})
	}
	c.Call(1, &amqp.BasicConsume{Queue: "dead", ConsumerTag: "d", NoAck: true},
		amqp.MethodBasicConsumeOk)
	c.Expect(1, amqp.MethodBasicDeliver)
	props, _ := c.Content(1)
	if m := props.Headers().Map(); m["traceparent"] != tracedBy || m["tracestate"] != "vendor=1" {
		t.Errorf("headers of the dead letter: %v", m)
	}
	spans := collector.Await(10)
	check(t, spans, "receive (default)(route (default)(enqueue q("+
		"deliver q(settle q())deliver q(settle q())"+
		"dead-letter q(enqueue dead(deliver dead())))))")
	var outcomes []string
	for _, s := range spans {
		if s.Name == "settle q" {
			outcomes = append(outcomes, telemetrytest.Attribute(s, "messaging.operation.name"))
		}
		if s.Name == "dead-letter q" &&
			telemetrytest.Attribute(s, "warren.dead_letter.reason") != "rejected" {
			t.Errorf("attributes %v", s.Attributes)
		}
	}
	if len(outcomes) != 2 || outcomes[0] != "requeue" || outcomes[1] != "reject" {
		t.Errorf("settled: %v", outcomes)
	}
}

// TestATraceMayBeginInTheBroker follows a message that says nothing, twice to its consumer.
func TestATraceMayBeginInTheBroker(t *testing.T) {
	collector := telemetrytest.New(t)
	node := warrentest.Start(t, func(o *warren.Options) {
		o.Tracing.Endpoint, o.Tracing.Ratio = collector.Endpoint, 1
	})
	c := warrentest.Open(t, node.Addr())
	declare(c, "q", false, nil)
	c.Publish(1, "", "q", amqp.Properties{}, nil)
	c.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c"}, amqp.MethodBasicConsumeOk)
	for _, requeue := range []bool{true, false} {
		d := c.Expect(1, amqp.MethodBasicDeliver).(*amqp.BasicDeliver)
		c.Content(1)
		if requeue {
			c.Send(1, &amqp.BasicReject{DeliveryTag: d.DeliveryTag, Requeue: true})
		} else {
			c.Send(1, &amqp.BasicAck{DeliveryTag: d.DeliveryTag})
		}
	}
	const want = "receive (default)(route (default)(enqueue q(" +
		"deliver q(settle q())deliver q(settle q()))))"
	if got := story(collector.Await(7), ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestSpansFindTheirParentAfterARestart stops the node between enqueue and delivery.
func TestSpansFindTheirParentAfterARestart(t *testing.T) {
	collector := telemetrytest.New(t)
	dir := t.TempDir()
	set := func(o *warren.Options) { o.Tracing.Endpoint, o.DataDir = collector.Endpoint, dir }
	node := warrentest.Start(t, set)
	c := warrentest.Open(t, node.Addr())
	declare(c, "q", true, nil)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	c.Publish(1, "", "q", amqp.Properties{Headers: headersOf(tracedBy), DeliveryMode: 2}, nil)
	c.Expect(1, amqp.MethodBasicAck)
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	node = warrentest.Start(t, set)
	c = warrentest.Open(t, node.Addr())
	c.Call(1, &amqp.BasicGet{Queue: "q", NoAck: true}, amqp.MethodBasicGetOk)
	c.Content(1)
	check(t, collector.Await(4), "receive (default)(route (default)(enqueue q(deliver q())))")
}
