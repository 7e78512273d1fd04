package perf

import (
	"bytes"
	"encoding/json"
	"math"
	"net"
	"sync"
	"testing"
	"time"
)

func exampleResult() *Result {
	return &Result{
		ID: "test", Producers: 1, Consumers: 1, Size: 16,
		ProducedSeconds: 2, ReceivedSeconds: 2.5,
		Sent: 1000, Confirmed: 900, Nacked: 100, Returned: 1, Received: 899, Redelivered: 2,
		SentRate: 500, ConfirmedRate: 450, ReceivedRate: 359.6,
		Latency: Latency{
			Count: 899, Min: 1, Median: 2, P75: 3, P95: 4, P99: 5, P999: 6, Max: 7,
		},
		ConfirmLatency: Latency{Count: 1000, Min: 8},
		LagMax:         12.3,
		Check:          Check{Lost: 1, Duplicates: 2, Misordered: 3, Foreign: 4},
		ClientCPU:      150,
		Broker: &BrokerUse{
			CPUPerMessage: 1234.5, CPUSeconds: 1.5, CPUs: 0.6,
			ResidentBefore: 10 << 20, ResidentAfter: 12 << 20, ResidentPeak: 13 << 20,
		},
	}
}

func TestResultIsReadable(t *testing.T) {
	var out bytes.Buffer
	if err := exampleResult().WriteText(&out); err != nil {
		t.Fatal(err)
	}
	const want = `id: test, sending rate avg: 500 msg/s (1000 in 2.000 s)
id: test, confirmed rate avg: 450 msg/s (900, nacked 100)
id: test, returned: 1
id: test, receiving rate avg: 360 msg/s (899 in 2.500 s, redelivered 2)
id: test, min/median/75th/95th/99th/99.9th/max consumer latency: 1.0/2.0/3.0/4.0/5.0/6.0/7.0 µs
id: test, min/median/75th/95th/99th/99.9th/max confirm latency: 8.0/0.0/0.0/0.0/0.0/0.0/0.0 µs
id: test, longest delay behind the rate: 12 µs
id: test, lost: 1, duplicates: 2, out of order: 3, of other runs: 4
id: test, client CPU: 150 ns per message
id: test, broker CPU: 1.234 µs per message (1.500 s, 0.60 processors)
id: test, broker memory: 10.0 MiB before, 12.0 MiB after, 13.0 MiB at most
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}

// TestJSONKeepsItsShape guards what scripts read.
func TestJSONKeepsItsShape(t *testing.T) {
	var out bytes.Buffer
	if err := exampleResult().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[[2]string]any{
		{"id"}:                              "test",
		{"sent"}:                            1000.0,
		{"received"}:                        899.0,
		{"received_rate"}:                   359.6,
		{"latency", "median_us"}:            2.0,
		{"latency", "p99_9_us"}:             6.0,
		{"confirm_latency", "min_us"}:       8.0,
		{"check", "lost"}:                   1.0,
		{"check", "duplicates"}:             2.0,
		{"check", "misordered"}:             3.0,
		{"check", "foreign"}:                4.0,
		{"client_cpu_ns_per_message"}:       150.0,
		{"broker", "cpu_ns_per_message"}:    1234.5,
		{"broker", "resident_after_bytes"}:  float64(12 << 20),
		{"broker", "resident_peak_bytes"}:   float64(13 << 20),
		{"broker", "resident_before_bytes"}: float64(10 << 20),
		{"lag_max_us"}:                      12.3,
		{"size_bytes"}:                      16.0,
		{"produced_seconds"}:                2.0,
		{"confirm_latency", "p95_us"}:       0.0,
	} {
		got := fields[path[0]]
		if path[1] != "" {
			got = got.(map[string]any)[path[1]]
		}
		if got != want {
			t.Errorf("%v = %v, want %v", path, got, want)
		}
	}
	out.Reset()
	result := exampleResult()
	result.Broker = nil
	if err := result.WriteJSON(&out); err != nil || bytes.Contains(out.Bytes(), []byte("broker")) {
		t.Errorf("a broker that was not measured is in the result (%v)", err)
	}
}

func TestSampleIsALineOfWhatApplies(t *testing.T) {
	all := Sample{
		ID: "test", Elapsed: 1500 * time.Millisecond,
		Sent: 1, Confirmed: 2, Nacked: 3, Returned: 4, Received: 5,
		Latency: Latency{Count: 1, Min: 1, Median: 2, P75: 3, P95: 4, P99: 5}, Blocked: 1,
		producers: true, consumers: true, confirms: true, mandatory: true,
	}
	for want, s := range map[string]Sample{
		"id: test, time 1.500 s, sent: 1 msg/s, confirmed: 2 msg/s, nacked: 3 msg/s," +
			" returned: 4 msg/s, received: 5 msg/s, min/median/75th/95th/99th consumer" +
			" latency: 1/2/3/4/5 µs, blocked by the broker: 1\n": all,
		"id: test, time 1.500 s, received: 5 msg/s\n": {
			ID: all.ID, Elapsed: all.Elapsed, Received: 5, consumers: true,
		},
	} {
		var out bytes.Buffer
		if err := s.WriteLine(&out); err != nil || out.String() != want {
			t.Errorf("got  %swant %s(%v)", out.String(), want, err)
		}
	}
}

func TestLatencyCountsWhatIsOutOfRange(t *testing.T) {
	h := newHistogram()
	h.record(-5, 1)
	h.record(int64(2*latencyMax), 1)
	h.record(1000, 0)
	s := h.summary()
	if s.Count != 2 || s.Min != 0 || math.Abs(s.Max/float64(latencyMax.Microseconds())-1) > 0.001 {
		t.Errorf("summary %+v, want 0 and an hour", s)
	}
}

func TestIdleConnectionsAreHeldAndMeasured(t *testing.T) {
	const count = 40
	b := newFakeBroker(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { b.serve(c) })
		}
	})
	measured := 0
	r, err := Idle(t.Context(), IdleOptions{
		URI: "amqp://" + l.Addr().String(), Connections: count, Settle: time.Nanosecond,
		Measured: func(r *IdleResult) error {
			measured = r.Connections
			return nil
		},
	})
	if err != nil || measured != count || r.Connections != count || r.OpenSeconds <= 0 {
		t.Errorf("result %+v, measured %d, error %v", r, measured, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	serving.Wait()
	opened := 0
	for _, id := range b.seen {
		if id.String() == "channel.open" {
			opened++
		}
	}
	if opened != count {
		t.Errorf("%d channels were opened, want %d", opened, count)
	}
	if _, err := Idle(t.Context(), IdleOptions{Connections: IdleConnectionsMax + 1}); err == nil {
		t.Error("too many connections are accepted")
	}
}

func TestIdleResultIsReadable(t *testing.T) {
	r := &IdleResult{
		Connections: 1024, OpenSeconds: 1.5, ResidentBefore: 10 << 20, ResidentAfter: 20 << 20,
		PerConnection: 10 << 10,
	}
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	const want = "1024 idle connections, opened in 1.500 s\n" +
		"broker memory: 10.0 MiB before, 20.0 MiB after, 10.0 KiB per connection\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}
