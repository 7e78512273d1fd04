package telemetry

import "time"

// Operation is what a span is about.
type Operation uint8

// What the broker does with a message.
const (
	Receive Operation = iota
	Route
	Enqueue
	Deliver
	Settle
	DeadLetter
)

// Kinds of spans, by OTLP's numbers.
const (
	kindInternal = 1
	kindProducer = 4
	kindConsumer = 5
)

// operations are how spans are named and told apart, by the conventions of OpenTelemetry for
// messaging; kind is how backends draw them.
var operations = [...]struct {
	name, operation string
	kind            uint64
}{
	Receive:    {"receive", "receive", kindConsumer},
	Route:      {"route", "", kindInternal},
	Enqueue:    {"enqueue", "", kindInternal},
	Deliver:    {"deliver", "send", kindProducer},
	Settle:     {"settle", "settle", kindInternal},
	DeadLetter: {"dead-letter", "", kindInternal},
}

// Span is one thing that the broker did with a message. What does not apply is zero.
type Span struct {
	Place     // of the span itself
	Operation Operation
	Parent    SpanID
	// Link is another span of the same trace that it has to do with: the publisher's.
	Link       SpanID
	Start, End time.Time
	// State is the tracestate of the message.
	State string

	VHost, Exchange, Key, Queue string
	ConsumerTag                 string
	// Outcome is what became of the message, of a Settle, or why it died.
	Outcome string
	// Bytes is the size of the body; Queues how many a Route found.
	Bytes, Queues int
	Redelivered   bool
	// Error is why the message went no further.
	Error string
}
