package perf

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	latencyMax    = time.Hour // longer ones count as this
	latencyDigits = 3         // significant decimal digits kept
)

// histogram counts durations in nanoseconds. It is not safe for concurrent use.
type histogram struct{ h *hdrhistogram.Histogram }

func newHistogram() *histogram {
	return &histogram{h: hdrhistogram.New(1, int64(latencyMax), latencyDigits)}
}

// record counts n durations; of another machine's clock they may be negative, and count as 0.
func (h *histogram) record(ns, n int64) {
	if n > 0 {
		h.h.RecordValues(min(max(ns, 0), int64(latencyMax)), n)
	}
}

func (h *histogram) merge(o *histogram) {
	if o.h.TotalCount() > 0 {
		h.h.Merge(o.h)
	}
}

func (h *histogram) reset() {
	if h.h.TotalCount() > 0 {
		h.h.Reset()
	}
}

// Latency is a distribution in microseconds. All values are 0 when Count is.
type Latency struct {
	Count  int64   `json:"count"`
	Min    float64 `json:"min_us"`
	Median float64 `json:"median_us"`
	P75    float64 `json:"p75_us"`
	P95    float64 `json:"p95_us"`
	P99    float64 `json:"p99_us"`
	P999   float64 `json:"p99_9_us"`
	Max    float64 `json:"max_us"`
	Mean   float64 `json:"mean_us"`
}

func (h *histogram) summary() Latency {
	if h.h.TotalCount() == 0 {
		return Latency{}
	}
	at := func(percentile float64) float64 {
		return micros(h.h.ValueAtPercentile(percentile))
	}
	return Latency{
		Count: h.h.TotalCount(),
		Min:   micros(h.h.Min()), Median: at(50), P75: at(75), P95: at(95), P99: at(99),
		P999: at(99.9), Max: micros(h.h.Max()), Mean: h.h.Mean() / 1e3,
	}
}

func micros(ns int64) float64 { return float64(ns) / 1e3 }
