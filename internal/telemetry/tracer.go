// Package telemetry makes spans of what the broker does with messages whose publishers trace them,
// and exports them as OpenTelemetry's collectors take them: OTLP over HTTP, in protobuf.
//
// Floor 5, below the queue manager. A message carries its place in a trace in the header
// traceparent (W3C Trace Context), which is never changed: its consumers are children of its
// publisher, as they would be without a broker. What the broker does hangs below the publisher too:
//
//	publisher's span
//	└ receive            a message came in
//	  └ route            its queues were found
//	    └ enqueue        it is in a queue: one span for each
//	      ├ deliver      it went to a consumer
//	      │ └ settle     who acknowledged it, or gave it back
//	      └ dead-letter  it left its queue for the dead letter exchange
//	        └ enqueue
//
// Nothing of this is stored with a message: the span of an enqueue is named after its queue and the
// number there, so that what follows finds its parent even after a restart.
package telemetry

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// Options says where spans go. The zero value of a field means its default.
type Options struct {
	// Endpoint is the URL that spans are posted to, such as
	// "http://localhost:4318/v1/traces". Required. It may hold a password, and is not logged.
	Endpoint string
	// Headers are sent with each request: keys of services, most often.
	Headers map[string]string
	// Service and Instance are what the node is called in traces; Version is its own.
	Service, Instance, Version string
	// Ratio is the part of messages without a traceparent that begin a trace, 0 to 1; default none.
	// Those with one are traced if their publisher is.
	Ratio float64
	// QueueMax is how many spans wait for being sent; more are dropped, and counted. Default 2048.
	QueueMax int
	// Pause is the most that a span waits for others to be sent together; default one second.
	Pause time.Duration
	// Logger takes a line when spans cannot be sent, and when they can again. Required.
	Logger *slog.Logger
}

func (o *Options) withDefaults() {
	if o.Service == "" {
		o.Service = "warren"
	}
	if o.QueueMax == 0 {
		o.QueueMax = queueMaxDefault
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
}

// queueMaxDefault is OpenTelemetry's bound for spans that wait.
const queueMaxDefault = 2048

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("the endpoint for traces is no http URL") // it may hold a password
	}
	if o.Ratio < 0 || o.Ratio > 1 || math.IsNaN(o.Ratio) {
		return fmt.Errorf("a part of %v of messages to be traced is not between 0 and 1", o.Ratio)
	}
	return nil
}

// Tracer takes spans and sends them from a goroutine of its own. It is safe for concurrent use; nil
// is one that traces nothing. Close it when done.
type Tracer struct {
	o       Options
	waiting chan Span // full: what comes is dropped
	dropped atomic.Uint64
	sent    atomic.Uint64
	closing chan struct{}
	once    sync.Once
	done    sync.WaitGroup
}

// New returns a tracer whose options are valid.
func New(o Options) *Tracer {
	o.withDefaults()
	t := &Tracer{o: o, waiting: make(chan Span, o.QueueMax), closing: make(chan struct{})}
	t.done.Go(t.export)
	return t
}

// Close sends what waits, for a few seconds at most, and ends the tracer. Spans that end later are
// dropped.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	t.once.Do(func() { close(t.closing) })
	t.done.Wait()
}

// Stats returns how many spans were sent, and how many were lost because the endpoint did not take
// them as fast as they came, or refused them.
func (t *Tracer) Stats() (sent, dropped uint64) { return t.sent.Load(), t.dropped.Load() }

// End takes a span that has ended. It never waits.
func (t *Tracer) End(s *Span) {
	select {
	case t.waiting <- *s:
	default:
		t.dropped.Add(1)
	}
}

// Place is a place in a trace: the span that what follows is a child of. The zero value is in none.
type Place struct {
	Trace TraceID
	Span  SpanID
	// Own: the trace begins in the broker, and no header of the message tells of it.
	Own bool
}

// TraceID is what OpenTelemetry names a trace by. Zero is none.
type TraceID [16]byte

// SpanID is what it names a span of a trace by. Zero is none.
type SpanID [8]byte

// Traced reports whether it is in a trace.
func (p Place) Traced() bool { return p.Trace != (TraceID{}) }

// Child returns the place of a new span.
func (p Place) Child() Place {
	p.Span = newSpanID()
	return p
}

// Names of headers (W3C Trace Context).
const (
	parentHeader = "traceparent"
	stateHeader  = "tracestate"
)

// Of returns where the publisher of a message with these headers was, if it is traced. It does not
// allocate.
func (t *Tracer) Of(headers amqp.Table) (p Place) {
	if len(headers) == 0 {
		return p
	}
	p, _ = parent(headers)
	return p
}

// Begin is Of for a message that has just come: some of those that tell nothing begin a trace.
func (t *Tracer) Begin(headers amqp.Table) (p Place) {
	told := false
	if len(headers) > 0 {
		p, told = parent(headers)
	}
	if !told && t.o.Ratio > 0 && rand.Float64() < t.o.Ratio {
		binary.BigEndian.PutUint64(p.Trace[:], rand.Uint64()|1)
		binary.BigEndian.PutUint64(p.Trace[8:], rand.Uint64())
		p.Own = true
	}
	return p
}

// parent reads traceparent; told: there is one, of a trace that is kept or not.
func parent(headers amqp.Table) (p Place, told bool) {
	v, ok := headers.Lookup(parentHeader)
	if !ok {
		return p, false
	}
	text, ok := v.Text()
	if !ok {
		return p, false
	}
	return Parse(text)
}

// A traceparent is version, trace, span and flags in lower case hexadecimal, with dashes between.
// Versions to come may go on after another dash.
const (
	parentLen = 55
	sampled   = 1
)

// Parse reads a traceparent. It reports whether it is one; the place is zero if it says that the
// trace is not kept.
func Parse(text []byte) (p Place, ok bool) {
	var version, flags [1]byte
	if len(text) < parentLen || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
		!unhex(version[:], text[:2]) || !unhex(p.Trace[:], text[3:35]) ||
		!unhex(p.Span[:], text[36:52]) || !unhex(flags[:], text[53:55]) ||
		version[0] == 0xff || version[0] == 0 && len(text) != parentLen ||
		len(text) > parentLen && text[parentLen] != '-' ||
		!p.Traced() || p.Span == (SpanID{}) {
		return Place{}, false
	}
	if flags[0]&sampled == 0 {
		return Place{}, true
	}
	return p, true
}

// unhex reads lower case hexadecimal digits, two for each byte of dst.
func unhex(dst, text []byte) bool {
	for i := range dst {
		high, low := digit(text[2*i]), digit(text[2*i+1])
		if high|low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// stateMax is the longest tracestate that is passed on, in octets, as W3C has it.
const stateMax = 512

// State returns the tracestate of a message.
func State(headers amqp.Table) string {
	if v, ok := headers.Lookup(stateHeader); ok {
		if text, ok := v.Text(); ok && len(text) <= stateMax {
			return string(text)
		}
	}
	return ""
}

func newSpanID() (id SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}

// Queued returns the span of the enqueue of a message: whoever knows its queue and its number there
// finds it again.
func Queued(vhost, queue string, number uint64) (id SpanID) {
	const (
		offset = 14695981039346656037 // FNV-1a
		prime  = 1099511628211
	)
	h := uint64(offset)
	for _, text := range [...]string{vhost, queue} {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * prime
		}
		h = (h ^ 0xff) * prime // between the two
	}
	h ^= number * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9 // SplitMix64
	h = (h ^ h>>27) * 0x94d049bb133111eb
	binary.BigEndian.PutUint64(id[:], (h^h>>31)|1)
	return id
}
