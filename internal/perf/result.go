package perf

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Result is what a run found. Counts are messages, rates messages per second.
type Result struct {
	ID        string `json:"id"`
	Producers int    `json:"producers"`
	Consumers int    `json:"consumers"`
	Size      int    `json:"size_bytes"`

	// ProducedSeconds is from the start until the producers had sent all and the broker had
	// taken it; ReceivedSeconds from the start until the last message was received.
	ProducedSeconds float64 `json:"produced_seconds"`
	ReceivedSeconds float64 `json:"received_seconds"`

	Sent        uint64 `json:"sent"`
	Confirmed   uint64 `json:"confirmed"`
	Nacked      uint64 `json:"nacked"`
	Returned    uint64 `json:"returned"`
	Received    uint64 `json:"received"`
	Redelivered uint64 `json:"redelivered"`

	SentRate      float64 `json:"sent_rate"`
	ConfirmedRate float64 `json:"confirmed_rate"`
	ReceivedRate  float64 `json:"received_rate"`

	// Latency is from the write of a message to the end of the read it came with.
	Latency Latency `json:"latency"`
	// ConfirmLatency is from the write of a message to its confirm.
	ConfirmLatency Latency `json:"confirm_latency"`
	// LagMax is the longest that a message with a rate was written after it was due, in
	// microseconds: if it is not small, latencies hide waiting that happened before the write.
	LagMax float64 `json:"lag_max_us"`

	Check Check `json:"check"`

	// ClientCPU is the CPU time of this process per message, in nanoseconds; 0 is unknown.
	ClientCPU float64 `json:"client_cpu_ns_per_message"`
	// Broker is nil unless processes were given.
	Broker *BrokerUse `json:"broker,omitempty"`
}

// Check is what the sequence numbers in the bodies tell.
type Check struct {
	// Lost messages were sent, neither refused nor returned, and not received by the end. In a
	// run whose consumers did not wait for all, only those count that were overtaken.
	Lost uint64 `json:"lost"`
	// Duplicates were received more than once.
	Duplicates uint64 `json:"duplicates"`
	// Misordered messages came to a consumer after a later one of the same producer, although
	// they were not redelivered.
	Misordered uint64 `json:"misordered"`
	// Foreign messages were in the queue but not of this run. They count nowhere else.
	Foreign uint64 `json:"foreign"`
	// Unchecked says in words what could not be checked; "" is nothing.
	Unchecked string `json:"unchecked,omitempty"`
}

// Failed reports whether the broker lost, repeated or reordered something.
func (c Check) Failed() bool { return c.Lost+c.Duplicates+c.Misordered > 0 }

// BrokerUse is what the broker's processes spent during a run.
type BrokerUse struct {
	// CPUPerMessage is user and system time in nanoseconds per message received, or if nothing
	// was to be received, per message sent.
	CPUPerMessage float64 `json:"cpu_ns_per_message"`
	// CPUSeconds is the same in total, and CPUs how many processors it kept busy.
	CPUSeconds float64 `json:"cpu_seconds"`
	CPUs       float64 `json:"cpus"`
	// WrittenPerMessage is what went to storage, in bytes per message counted as above.
	WrittenPerMessage float64 `json:"written_bytes_per_message"`
	// Resident memory in bytes: before the run, after it, and the most since the broker's start.
	ResidentBefore uint64 `json:"resident_before_bytes"`
	ResidentAfter  uint64 `json:"resident_after_bytes"`
	ResidentPeak   uint64 `json:"resident_peak_bytes"`
}

// result is called when all is done but the connections are still open, so that closing them
// does not count as the broker's work.
func (r *run) result() (*Result, error) {
	now := time.Now()
	after, err := r.usage()
	ownAfter, _ := OwnCPU()
	r.sampler.take(r, now)
	t := r.totals()
	res := &Result{
		ID: r.options.ID, Producers: len(r.producers), Consumers: len(r.consumers),
		Size: r.options.Producers.Size,
		Sent: t.sent, Confirmed: t.confirmed, Nacked: t.nacked, Returned: t.returned,
		Received: t.received, Redelivered: t.redelivered,
		Latency:        r.sampler.latency.summary(),
		ConfirmLatency: r.sampler.confirm.summary(),
		Check:          r.check(t),
	}
	if len(r.producers) > 0 {
		stopped := r.stopped
		if stopped.IsZero() {
			stopped = now
		}
		res.ProducedSeconds = stopped.Sub(r.started).Seconds()
		res.SentRate = float64(t.sent) / res.ProducedSeconds
		res.ConfirmedRate = float64(t.confirmed) / res.ProducedSeconds
	}
	if t.received > 0 {
		res.ReceivedSeconds = float64(t.last-r.startedAt) / 1e9
		res.ReceivedRate = float64(t.received) / res.ReceivedSeconds
	}
	for _, p := range r.producers {
		res.LagMax = max(res.LagMax, micros(p.lag.Load()))
	}
	messages := float64(max(1, t.received))
	if len(r.consumers) == 0 {
		messages = float64(max(1, t.sent))
	}
	res.ClientCPU = float64(ownAfter-r.ownBefore) / messages
	if r.meter != nil && err == nil {
		used := after.CPU - r.before.CPU
		res.Broker = &BrokerUse{
			CPUPerMessage:     float64(used) / messages,
			CPUSeconds:        used.Seconds(),
			CPUs:              used.Seconds() / now.Sub(r.started).Seconds(),
			WrittenPerMessage: float64(after.Written-r.before.Written) / messages,

			ResidentBefore: r.before.Resident,
			ResidentAfter:  after.Resident,
			ResidentPeak:   after.Peak,
		}
	}
	return res, err
}

func (r *run) usage() (Usage, error) {
	if r.meter == nil {
		return Usage{}, nil
	}
	return r.meter.Read()
}

// check sums up what the logs of the queues found.
func (r *run) check(t totals) Check {
	c := Check{Misordered: t.misordered, Foreign: t.foreign}
	for i, l := range r.logs {
		duplicates, missing := l.sums()
		c.Duplicates += duplicates
		switch {
		case len(r.consumers) == 0:
		case r.drained && r.plan.queues[i].producers != nil:
			c.Lost += r.lost(i, l)
		default:
			c.Lost += missing
		}
	}
	c.Unchecked = r.unchecked()
	return c
}

func (r *run) unchecked() string {
	p := r.options.Producers
	switch {
	case len(r.consumers) == 0:
		return "nothing is received"
	case p.Count == 0:
		return "loss at the end: the producers are elsewhere"
	case p.Size < sequenceSize:
		return "duplicates, order and latency: bodies below 4 B carry nothing"
	case p.Size < originSize && p.Count > 1:
		return "duplicates, order and latency: bodies below 8 B do not name their producer"
	case !r.drained:
		return "loss at the end: the consumers did not wait for all messages"
	case r.plan.queues[0].producers == nil:
		return "loss at the end: only the broker knows how this type of exchange routes"
	case p.Size < stampSize:
		return "latency: bodies below 16 B carry no time"
	}
	return ""
}

// WriteJSON writes the result as one JSON object. Units are in the names.
func (r *Result) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteText writes the result for people, in a few lines.
func (r *Result) WriteText(w io.Writer) error {
	p := printer{w: w, id: r.ID}
	if r.Producers > 0 {
		p.line("sending rate avg: %.0f msg/s (%d in %.3f s)", r.SentRate, r.Sent, r.ProducedSeconds)
	}
	if r.Confirmed+r.Nacked > 0 {
		p.line("confirmed rate avg: %.0f msg/s (%d, nacked %d)",
			r.ConfirmedRate, r.Confirmed, r.Nacked)
	}
	if r.Returned > 0 {
		p.line("returned: %d", r.Returned)
	}
	if r.Consumers > 0 {
		p.line("receiving rate avg: %.0f msg/s (%d in %.3f s, redelivered %d)",
			r.ReceivedRate, r.Received, r.ReceivedSeconds, r.Redelivered)
	}
	p.latency("consumer", r.Latency)
	p.latency("confirm", r.ConfirmLatency)
	if r.LagMax > 0 {
		p.line("longest delay behind the rate: %.0f µs", r.LagMax)
	}
	if r.Consumers > 0 {
		c := r.Check
		p.line("lost: %d, duplicates: %d, out of order: %d, of other runs: %d",
			c.Lost, c.Duplicates, c.Misordered, c.Foreign)
	}
	if r.Check.Unchecked != "" {
		p.line("not checked: %s", r.Check.Unchecked)
	}
	if r.ClientCPU > 0 {
		p.line("client CPU: %.0f ns per message", r.ClientCPU)
	}
	if b := r.Broker; b != nil {
		p.line("broker CPU: %.3f µs per message (%.3f s, %.2f processors)",
			b.CPUPerMessage/1e3, b.CPUSeconds, b.CPUs)
		if b.WrittenPerMessage > 0 {
			p.line("broker storage: %.1f bytes written per message", b.WrittenPerMessage)
		}
		p.line("broker memory: %s before, %s after, %s at most",
			mib(b.ResidentBefore), mib(b.ResidentAfter), mib(b.ResidentPeak))
	}
	return p.err
}

// printer writes lines that begin with the ID, and keeps the first error.
type printer struct {
	w   io.Writer
	id  string
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, "id: %s, %s\n", p.id, fmt.Sprintf(format, args...))
	}
}

func (p *printer) latency(kind string, l Latency) {
	if l.Count > 0 {
		p.line("min/median/75th/95th/99th/99.9th/max %s latency: "+
			"%.1f/%.1f/%.1f/%.1f/%.1f/%.1f/%.1f µs",
			kind, l.Min, l.Median, l.P75, l.P95, l.P99, l.P999, l.Max)
	}
}

func mib(octets uint64) string { return fmt.Sprintf("%.1f MiB", float64(octets)/(1<<20)) }
