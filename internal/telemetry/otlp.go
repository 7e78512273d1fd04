package telemetry

import (
	"encoding/binary"
	"time"
)

// OTLP is a request of protobuf messages (opentelemetry-proto 1.x), of which these fields are
// written. A change of numbers would be another protocol, so they are here as they are there:
//
//	ExportTraceServiceRequest  1 resource_spans
//	ResourceSpans              1 resource  2 scope_spans
//	Resource                   1 attributes
//	ScopeSpans                 1 scope  2 spans
//	InstrumentationScope       1 name  2 version
//	Span                       1 trace_id  2 span_id  3 trace_state  4 parent_span_id  5 name
//	                           6 kind  7 start_time_unix_nano  8 end_time_unix_nano  9 attributes
//	                           13 links  15 status  16 flags
//	Link                       1 trace_id  2 span_id
//	Status                     2 message  3 code
//	KeyValue                   1 key  2 value
//	AnyValue                   1 string_value  2 bool_value  3 int_value
const (
	spanTrace, spanID, spanState, spanParent, spanName, spanKind = 1, 2, 3, 4, 5, 6
	spanStart, spanEnd, spanAttributes                           = 7, 8, 9
	spanLinks, spanStatus, spanFlags                             = 13, 15, 16
	statusError                                                  = 2
)

// Wire types of protobuf.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func appendTag(b []byte, field, wire uint64) []byte {
	return binary.AppendUvarint(b, field<<3|wire)
}

func appendNumber(b []byte, field, n uint64) []byte {
	return binary.AppendUvarint(appendTag(b, field, wireVarint), n)
}

func appendBytes(b []byte, field uint64, value []byte) []byte {
	b = binary.AppendUvarint(appendTag(b, field, wireBytes), uint64(len(value)))
	return append(b, value...)
}

func appendText(b []byte, field uint64, value string) []byte {
	b = binary.AppendUvarint(appendTag(b, field, wireBytes), uint64(len(value)))
	return append(b, value...)
}

// lengthRoom is the room for the length of a message that is being written: a length takes as much
// as it may, padded, so that nothing has to be moved.
const lengthRoom = 4

// begin begins a message within a message, which end ends. It is shorter than 256 MiB.
func begin(b []byte, field uint64) (_ []byte, at int) {
	b = append(appendTag(b, field, wireBytes), 0x80, 0x80, 0x80, 0)
	return b, len(b)
}

func end(b []byte, at int) []byte {
	n := len(b) - at
	for i := range lengthRoom {
		b[at-lengthRoom+i] = byte(n>>(7*i)) & 0x7f
		if i < lengthRoom-1 {
			b[at-lengthRoom+i] |= 0x80
		}
	}
	return b
}

// attributes writes key and value pairs into one field.
type attributes struct {
	b     []byte
	field uint64
}

func (a *attributes) text(key, value string) {
	if value == "" {
		return
	}
	b, at := begin(a.b, a.field)
	b, value2 := begin(appendText(b, 1, key), 2)
	a.b = end(end(appendText(b, 1, value), value2), at)
}

func (a *attributes) number(key string, n int) {
	b, at := begin(a.b, a.field)
	b, value := begin(appendText(b, 1, key), 2)
	a.b = end(end(appendNumber(b, 3, uint64(n)), value), at)
}

func (a *attributes) yes(key string) {
	b, at := begin(a.b, a.field)
	b, value := begin(appendText(b, 1, key), 2)
	a.b = end(end(appendNumber(b, 2, 1), value), at)
}

// system is what messaging.system says, by the conventions: this is a RabbitMQ to its clients.
const system = "rabbitmq"

// appendRequest appends the request that exports spans.
func (o *Options) appendRequest(b []byte, spans []Span) []byte {
	b, resourceSpans := begin(b, 1)
	b, resource := begin(b, 1)
	of := attributes{b, 1}
	of.text("service.name", o.Service)
	of.text("service.version", o.Version)
	of.text("service.instance.id", o.Instance)
	b, scopeSpans := begin(end(of.b, resource), 2)
	b, scope := begin(b, 1)
	b = end(appendText(appendText(b, 1, "github.com/warrenmq/warren"), 2, o.Version), scope)
	for i := range spans {
		var at int
		b, at = begin(b, 2)
		b = end(spans[i].appendTo(b), at)
	}
	return end(end(b, scopeSpans), resourceSpans)
}

func appendTime(b []byte, field uint64, t time.Time) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(b, field, wireFixed64), uint64(t.UnixNano()))
}

func (s *Span) appendTo(b []byte) []byte {
	what := operations[s.Operation]
	b = appendBytes(b, spanTrace, s.Trace[:])
	b = appendBytes(b, spanID, s.Span[:])
	if s.State != "" {
		b = appendText(b, spanState, s.State)
	}
	if s.Parent != (SpanID{}) {
		b = appendBytes(b, spanParent, s.Parent[:])
	}
	b = appendText(b, spanName, what.name+" "+s.place())
	b = appendNumber(b, spanKind, what.kind)
	b = appendTime(appendTime(b, spanStart, s.Start), spanEnd, s.End)
	b = s.appendAttributes(b)
	if s.Link != (SpanID{}) {
		var at int
		b, at = begin(b, spanLinks)
		b = end(appendBytes(appendBytes(b, 1, s.Trace[:]), 2, s.Link[:]), at)
	}
	if s.Error != "" {
		var at int
		b, at = begin(b, spanStatus)
		b = end(appendNumber(appendText(b, 2, s.Error), 3, statusError), at)
	}
	b = appendTag(b, spanFlags, wireFixed32)
	return binary.LittleEndian.AppendUint32(b, sampled)
}

// place is where it happened, for the name of the span: few names, whatever the routing keys are.
func (s *Span) place() string {
	switch {
	case s.Queue != "":
		return s.Queue
	case s.Exchange != "":
		return s.Exchange
	}
	return "(default)" // exchange
}

// destination is what the conventions for RabbitMQ make of exchange, routing key and queue.
func (s *Span) destination() (name string) {
	for _, part := range []string{s.Exchange, s.Key, s.Queue} {
		if part != "" && name != "" && (part != s.Queue || part != s.Key) {
			name += ":"
		} else if name != "" {
			continue // the default exchange routes by the name of the queue
		}
		name += part
	}
	return name
}

func (s *Span) appendAttributes(b []byte) []byte {
	what := operations[s.Operation]
	a := attributes{b, spanAttributes}
	a.text("messaging.system", system)
	name := what.name
	if s.Operation == Settle {
		name = s.Outcome
	}
	a.text("messaging.operation.name", name)
	a.text("messaging.operation.type", what.operation)
	a.text("messaging.destination.name", s.destination())
	a.text("messaging.rabbitmq.destination.routing_key", s.Key)
	a.text("warren.vhost", s.VHost)
	a.text("warren.queue", s.Queue)
	a.text("warren.consumer_tag", s.ConsumerTag)
	if s.Operation == DeadLetter {
		a.text("warren.dead_letter.reason", s.Outcome)
	}
	if s.Operation == Receive || s.Operation == Deliver {
		a.number("messaging.message.body.size", s.Bytes)
	}
	if s.Operation == Route {
		a.number("warren.queues", s.Queues)
	}
	if s.Redelivered {
		a.yes("warren.redelivered")
	}
	return a.b
}
