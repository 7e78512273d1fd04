package perf

import (
	"fmt"
	"io"
	"time"
)

// Sample is what happened since the sample before. Rates are messages per second.
type Sample struct {
	ID      string
	Elapsed time.Duration // since the start

	Sent, Confirmed, Nacked, Returned, Received float64

	Latency        Latency // from the write of a message to the end of the read it came with
	ConfirmLatency Latency // from the write of a message to its confirm
	Blocked        int     // producers to which the broker said connection.blocked

	producers, consumers, confirms, mandatory bool // what applies
}

// WriteLine writes the sample as one line in the manner of PerfTest.
func (s Sample) WriteLine(w io.Writer) error {
	line := fmt.Sprintf("id: %s, time %.3f s", s.ID, s.Elapsed.Seconds())
	if s.producers {
		line += fmt.Sprintf(", sent: %.0f msg/s", s.Sent)
	}
	if s.confirms {
		line += fmt.Sprintf(", confirmed: %.0f msg/s, nacked: %.0f msg/s", s.Confirmed, s.Nacked)
	}
	if s.mandatory {
		line += fmt.Sprintf(", returned: %.0f msg/s", s.Returned)
	}
	if s.consumers {
		line += fmt.Sprintf(", received: %.0f msg/s", s.Received)
	}
	const percentiles = ", min/median/75th/95th/99th"
	if s.Latency.Count > 0 {
		line += percentiles + " consumer latency: " + s.Latency.brief()
	}
	if s.ConfirmLatency.Count > 0 {
		line += percentiles + " confirm latency: " + s.ConfirmLatency.brief()
	}
	if s.Blocked > 0 {
		line += fmt.Sprintf(", blocked by the broker: %d", s.Blocked)
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

func (l Latency) brief() string {
	return fmt.Sprintf("%.0f/%.0f/%.0f/%.0f/%.0f µs", l.Min, l.Median, l.P75, l.P95, l.P99)
}

// totals counts messages.
type totals struct {
	sent, confirmed, nacked, returned uint64
	queueCounts
}

// totals adds up producers and queues.
func (r *run) totals() (t totals) {
	for _, p := range r.producers {
		sent, confirmed, nacked, returned := p.counts()
		t.sent += sent
		t.confirmed += confirmed
		t.nacked += nacked
		t.returned += returned
	}
	for _, l := range r.logs {
		c := l.counts()
		t.received += c.received
		t.redelivered += c.redelivered
		t.foreign += c.foreign
		t.misordered += c.misordered
		t.last = max(t.last, c.last)
	}
	return t
}

// sampler turns totals into rates, and collects latencies.
type sampler struct {
	started, at time.Time
	before      totals
	spare       *histogram // empty; swapped with those in use
	interval    *histogram
	latency     *histogram // of the whole run
	confirm     *histogram // of the whole run
}

func newSampler(now time.Time) sampler {
	return sampler{
		started: now, at: now, spare: newHistogram(), interval: newHistogram(),
		latency: newHistogram(), confirm: newHistogram(),
	}
}

// take makes a sample at now.
func (s *sampler) take(r *run, now time.Time) Sample {
	t := r.totals()
	seconds := now.Sub(s.at).Seconds()
	rate := func(now, before uint64) float64 {
		if seconds <= 0 {
			return 0
		}
		return float64(now-before) / seconds
	}
	sample := Sample{
		ID: r.options.ID, Elapsed: now.Sub(s.started),
		Sent:      rate(t.sent, s.before.sent),
		Confirmed: rate(t.confirmed, s.before.confirmed),
		Nacked:    rate(t.nacked, s.before.nacked),
		Returned:  rate(t.returned, s.before.returned),
		Received:  rate(t.received, s.before.received),
		producers: len(r.producers) > 0, consumers: len(r.consumers) > 0,
		confirms:  r.options.Producers.Confirm > 0,
		mandatory: r.options.Producers.Mandatory,
	}
	s.before, s.at = t, now
	for _, l := range r.logs {
		s.collect(l.takeLatency)
	}
	sample.Latency = s.flush(s.latency)
	for _, p := range r.producers {
		if p.blocked.Load() {
			sample.Blocked++
		}
		if p.window != nil {
			s.collect(p.window.takeLatency)
		}
	}
	sample.ConfirmLatency = s.flush(s.confirm)
	return sample
}

// collect adds a histogram in use to the interval, and leaves the spare in its place.
func (s *sampler) collect(take func(empty *histogram) *histogram) {
	full := take(s.spare)
	s.interval.merge(full)
	full.reset()
	s.spare = full
}

// flush adds the interval to a total, and returns its summary.
func (s *sampler) flush(total *histogram) Latency {
	summary := s.interval.summary()
	total.merge(s.interval)
	s.interval.reset()
	return summary
}
