package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/perf"
)

func TestSpreadIsTheMedianBetweenExtremes(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{5}, spread{5, 5, 5}},
		{[]float64{9, 1, 4}, spread{4, 1, 9}},
		{[]float64{9, 1, 4, 2}, spread{3, 1, 9}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.values, got, c.want)
		}
	}
}

func TestTargetsAreComparedWithMedians(t *testing.T) {
	at := func(v float64) *spread { return &spread{v, 0, 100} }
	for _, c := range []struct {
		target         target
		own, ratio     *spread
		reached, known bool
	}{
		{target{}, at(1), at(1), false, false},
		{target{most: 5}, at(5), nil, true, true},
		{target{most: 5}, at(6), at(1), false, true},
		{target{ratioLeast: 8}, at(1), nil, false, false},
		{target{ratioLeast: 8}, at(1), at(8), true, true},
		{target{ratioLeast: 8}, at(1), at(7), false, true},
		{target{ratioMost: 1.5}, at(1), at(1.5), true, true},
		{target{ratioMost: 1.5}, at(1), at(1.6), false, true},
	} {
		reached, known := c.target.reached(*c.own, c.ratio)
		if reached != c.reached || known != c.known {
			t.Errorf("%+v: reached %v, known %v", c.target, reached, known)
		}
	}
}

func TestRatiosAreFormedWithinRounds(t *testing.T) {
	r := newReport(settings{runs: 3})
	for round, v := range []float64{10, 20, 300} {
		r.add(figureRate16, warrenName, round, v)
		r.add(figureRate16, rabbitName, round, v/10)
	}
	if got := r.ratio(figureRate16, rabbitName); got == nil || *got != (spread{10, 10, 10}) {
		t.Errorf("ratio %+v, want 10", got)
	}
	if got := r.ratio(figureRate16, relayName); got != nil {
		t.Errorf("ratio to what was not measured: %+v", got)
	}
}

func TestTableSaysWhatWasReached(t *testing.T) {
	r := newReport(settings{runs: 2, name: "test"})
	for round := range 2 {
		r.add(figureRate16, warrenName, round, 100)
		r.add(figureRate16, rabbitName, round, 20)
		r.add(figureFirst, warrenName, round, 50)
		r.add(figureFirst, warrenName, round, 70)
	}
	r.command(warrenName, []string{"perf", "-x", "1"}, "0 0 0", []byte("{}"))
	r.command(warrenName, []string{"perf", "-x", "1"}, "0 0 0", []byte("{}"))
	text := r.text()
	for _, want := range []string{
		"| **100.0** (100.0..100.0) | **20.0** (20.0..20.0) | – | **5** (5..5) |" +
			" at least 8 × RabbitMQ: **missed** |",
		"| ms | **60.0** (50.0..70.0) | – | – | – | at most 100 ms: reached |",
		"- warren: `warren perf -x 1`\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "`warren perf"); n != 1 {
		t.Errorf("%d commands for two equal rounds, want 1", n)
	}
	if strings.Contains(text, "idle connection |") {
		t.Errorf("a figure that was not measured is in:\n%s", text)
	}
}

func TestProbeReadsProductAndVersion(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Write(amqp.AppendMethodFrame(nil, 0, &amqp.ConnectionStart{
			VersionMinor: 9,
			ServerProperties: amqp.NewTable(map[string]any{
				"product": "Broker", "version": "1.2",
			}),
		}))
		_, _ = c.Read(make([]byte, len(amqp.ProtocolHeader)))
	}()
	got, err := probe(t.Context(), l.Addr().String())
	if err != nil || got != "Broker 1.2" {
		t.Errorf("probe = %q, %v", got, err)
	}
}

func TestEveryFigureHasANameAndAUnit(t *testing.T) {
	for id, f := range figures {
		if f.name == "" || f.unit == "" {
			t.Errorf("figure %d: %+v", id, f)
		}
	}
	result := &perf.Result{
		ReceivedRate: 1, ClientCPU: 1, Broker: &perf.BrokerUse{CPUPerMessage: 1},
		Latency: perf.Latency{Median: 1, P99: 1},
	}
	for _, s := range scenarios(settings{seconds: 1}) {
		for _, f := range s.figures {
			if f.value(result) == 0 {
				t.Errorf("%s: %s is not read", s.name, figures[f.figure].name)
			}
		}
	}
}

func TestBrokerThatEndsAtTheStartIsAnError(t *testing.T) {
	ends, err := exec.LookPath("false")
	if err != nil {
		t.Skip("there is no program that only ends")
	}
	b, err := startBroker(t.Context(), warrenKind(ends), t.TempDir())
	if b != nil || err == nil || !strings.Contains(err.Error(), "ended at the start") {
		t.Errorf("broker %+v, error %v", b, err)
	}
}
