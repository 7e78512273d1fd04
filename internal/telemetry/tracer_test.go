package telemetry_test

import (
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/telemetry"
	"github.com/warrenmq/warren/internal/telemetry/telemetrytest"
)

const (
	traceHex = "0af7651916cd43dd8448eb211c80319c"
	spanHex  = "b7ad6b7169203331"
)

func TestTraceparentIsReadAsW3CSays(t *testing.T) {
	const kept = "00-" + traceHex + "-" + spanHex + "-01"
	for text, want := range map[string]struct{ ok, traced bool }{
		kept:                                     {true, true},
		"00-" + traceHex + "-" + spanHex + "-03": {true, true},
		"00-" + traceHex + "-" + spanHex + "-00": {true, false},
		"01-" + traceHex + "-" + spanHex + "-01-future": {true, true},
		"01-" + traceHex + "-" + spanHex + "-01future":  {},
		kept + "-more":                                            {},
		"ff-" + traceHex + "-" + spanHex + "-01":                  {},
		"00-" + strings.ToUpper(traceHex) + "-" + spanHex + "-01": {},
		"00-" + strings.Repeat("0", 32) + "-" + spanHex + "-01":   {},
		"00-" + traceHex + "-" + strings.Repeat("0", 16) + "-01":  {},
		"00_" + traceHex + "-" + spanHex + "-01":                  {},
		kept[:len(kept)-1]:                                        {},
		"":                                                        {},
		"00-" + strings.Repeat("g", 32) + "-" + spanHex + "-01":   {},
		strings.Repeat("\xff", 55):                                {},
	} {
		p, ok := telemetry.Parse([]byte(text))
		if ok != want.ok || p.Traced() != want.traced {
			t.Errorf("%q: %v, traced %v", text, ok, p.Traced())
		}
		if p.Traced() && (hex.EncodeToString(p.Trace[:]) != traceHex ||
			hex.EncodeToString(p.Span[:]) != spanHex) {
			t.Errorf("%q: %x %x", text, p.Trace, p.Span)
		}
	}
}

func newTracer(
	t *testing.T, endpoint string, change ...func(*telemetry.Options),
) *telemetry.Tracer {
	t.Helper()
	o := telemetry.Options{
		Endpoint: endpoint, Version: "1.2.3", Instance: "warren@test", Pause: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, c := range change {
		c(&o)
	}
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	tracer := telemetry.New(o)
	t.Cleanup(tracer.Close)
	return tracer
}

// TestOpenTelemetryReadsWhatIsSent has the span read by OpenTelemetry's own code.
func TestOpenTelemetryReadsWhatIsSent(t *testing.T) {
	c := telemetrytest.New(t)
	tracer := newTracer(t, c.Endpoint, func(o *telemetry.Options) {
		o.Headers = map[string]string{"X-Key": "secret"}
	})
	publisher, _ := telemetry.Parse([]byte("00-" + traceHex + "-" + spanHex + "-01"))
	start := time.Unix(1_700_000_000, 123)
	tracer.End(&telemetry.Span{
		Place: publisher.Child(), Parent: publisher.Span, Link: publisher.Span,
		Operation: telemetry.Deliver, Start: start, End: start.Add(time.Millisecond),
		State: "a=b", VHost: "/", Exchange: "x", Key: "k", Queue: "q", ConsumerTag: "c",
		Bytes: 300, Redelivered: true, Error: "no",
	})
	s := c.Await(1)[0]
	if hex.EncodeToString(s.TraceId) != traceHex || hex.EncodeToString(s.ParentSpanId) != spanHex ||
		len(s.SpanId) != 8 || s.TraceState != "a=b" || s.Name != "deliver q" ||
		s.Kind.String() != "SPAN_KIND_PRODUCER" || s.Flags != 1 ||
		s.StartTimeUnixNano != uint64(start.UnixNano()) ||
		s.EndTimeUnixNano != s.StartTimeUnixNano+1e6 ||
		len(s.Links) != 1 || hex.EncodeToString(s.Links[0].SpanId) != spanHex ||
		s.Status.Message != "no" || s.Status.Code.String() != "STATUS_CODE_ERROR" {
		t.Errorf("got %v", s)
	}
	for key, want := range map[string]string{
		"messaging.system": "rabbitmq", "messaging.operation.name": "deliver",
		"messaging.operation.type": "send", "messaging.destination.name": "x:k:q",
		"messaging.rabbitmq.destination.routing_key": "k", "warren.vhost": "/",
		"warren.consumer_tag": "c",
	} {
		if got := telemetrytest.Attribute(s, key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	requests, header := c.Requests()
	resource := requests[0].ResourceSpans[0]
	if header.Get("X-Key") != "secret" || len(resource.Resource.Attributes) != 3 ||
		resource.ScopeSpans[0].Scope.Version != "1.2.3" {
		t.Errorf("header %v, resource %v", header, resource)
	}
}

func TestWhatTheCollectorIsTooBusyForIsSentAgain(t *testing.T) {
	c := telemetrytest.New(t, 503)
	tracer := newTracer(t, c.Endpoint)
	tracer.End(&telemetry.Span{Place: telemetry.Place{Trace: telemetry.TraceID{1}}.Child()})
	c.Await(1)
}

func TestWhatIsTooMuchIsDroppedAndCounted(t *testing.T) {
	c := telemetrytest.New(t, 400) // the first is refused, and not sent again
	tracer := newTracer(t, c.Endpoint, func(o *telemetry.Options) {
		o.QueueMax, o.Pause = 4, time.Hour
	})
	const n = 2000
	span := telemetry.Span{Place: telemetry.Place{Trace: telemetry.TraceID{1}}.Child()}
	for range n {
		tracer.End(&span)
	}
	tracer.Close()
	tracer.End(&span) // nobody is there any more, and nobody waits
	sent, dropped := tracer.Stats()
	if sent+dropped < n-4 || dropped == 0 || int(sent) != len(c.Spans()) {
		t.Errorf("of %d, %d sent and %d dropped; %d came", n, sent, dropped, len(c.Spans()))
	}
}

func TestLookingForATraceAllocatesNothing(t *testing.T) {
	tracer := newTracer(t, telemetrytest.New(t).Endpoint)
	headers := amqp.NewTable(map[string]any{
		"a": "b", "traceparent": "00-" + traceHex + "-" + spanHex + "-01",
	})
	if n := testing.AllocsPerRun(100, func() {
		if !tracer.Begin(headers).Traced() || tracer.Of(nil).Traced() {
			t.Error("not found")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOnlyAPartOfWhatTellsNothingBeginsATrace(t *testing.T) {
	tracer := newTracer(t, telemetrytest.New(t).Endpoint, func(o *telemetry.Options) {
		o.Ratio = 0.5
	})
	dropped := amqp.NewTable(map[string]any{
		"traceparent": "00-" + traceHex + "-" + spanHex + "-00",
	})
	begun := 0
	for range 1000 {
		if p := tracer.Begin(nil); p.Traced() && p.Own && p.Span == (telemetry.SpanID{}) {
			begun++
		}
		if tracer.Begin(dropped).Traced() {
			t.Fatal("a trace that its publisher does not keep is kept")
		}
	}
	if begun < 350 || begun > 650 {
		t.Errorf("%d of 1000", begun)
	}
}

func TestWrongOptionsTellNoSecrets(t *testing.T) {
	for _, o := range []telemetry.Options{
		{Endpoint: "ftp://user:secret@host/"}, {Endpoint: "http://%zz:secret@host"}, {},
		{Endpoint: "http://host", Ratio: 2},
	} {
		if err := o.Validate(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", o, err)
		}
	}
}
