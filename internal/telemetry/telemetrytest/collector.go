// Package telemetrytest is a collector inside a test: it takes spans over OTLP/HTTP and reads them
// with OpenTelemetry's own code. Floor 5, above what it tests.
package telemetrytest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collect "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector takes spans. It is safe for concurrent use.
type Collector struct {
	// Endpoint is where it takes them.
	Endpoint string

	mu       sync.Mutex
	came     sync.Cond
	requests []*collect.ExportTraceServiceRequest
	headers  http.Header
	statuses []int
}

// New starts a collector, which ends with the test. It answers the first requests with statuses,
// and all after them with 200.
func New(t testing.TB, statuses ...int) *Collector {
	c := &Collector{statuses: statuses}
	c.came.L = &c.mu
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the node ended
		}
		request := new(collect.ExportTraceServiceRequest)
		if err := proto.Unmarshal(body, request); err != nil {
			t.Errorf("an export cannot be read: %v", err)
		}
		w.WriteHeader(c.take(request, r))
	}))
	t.Cleanup(server.Close)
	c.Endpoint = server.URL + "/v1/traces"
	return c
}

func (c *Collector) take(request *collect.ExportTraceServiceRequest, r *http.Request) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.came.Broadcast()
	c.headers = r.Header.Clone()
	if len(c.statuses) > 0 {
		status := c.statuses[0]
		c.statuses = c.statuses[1:]
		if status/100 != 2 {
			return status
		}
	}
	c.requests = append(c.requests, request)
	return http.StatusOK
}

// Await waits until there are n spans, and returns all.
func (c *Collector) Await(n int) []*trace.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if spans := c.spans(); len(spans) >= n {
			return spans
		}
		c.came.Wait()
	}
}

// Spans returns those that came until now.
func (c *Collector) Spans() []*trace.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans()
}

func (c *Collector) spans() (all []*trace.Span) {
	for _, request := range c.requests {
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}
	return all
}

// Requests returns the requests that were taken, and the headers of the last one that came.
func (c *Collector) Requests() ([]*collect.ExportTraceServiceRequest, http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests, c.headers
}

// Attribute returns an attribute of a span as text, "" if it has none.
func Attribute(s *trace.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}
