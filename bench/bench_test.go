package main

import (
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
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

func TestGoalsSayByHowMuchTheyWereMissed(t *testing.T) {
	at := func(v float64) spread { return spread{v, v, v} }
	for _, c := range []struct {
		goal     goal
		measured spread
		want     string
	}{
		{goal{most: 5}, at(5), "**reached**: 5"},
		{goal{most: 5}, at(10), "**missed**: 10, 2 times what it may be"},
		{goal{least: 8}, at(8), "**reached**: 8"},
		{goal{least: 8}, at(2), "**missed**: 2, 0.25 of what it should be"},
		{goal{least: 8}, spread{9, 1, 10}, "**reached**: 9 (1..10)"},
	} {
		if got := c.goal.verdict(c.measured); got != c.want {
			t.Errorf("%+v: %q, want %q", c.goal, got, c.want)
		}
	}
}

// empty is a report of a run of three rounds.
func empty() *report {
	return newReport(settings{Runs: 3, Name: "test"}, "")
}

func TestRatiosAreFormedWithinRounds(t *testing.T) {
	r := empty()
	for round, v := range []float64{10, 20, 300} {
		r.Values = append(r.Values, value4("16B", warrenName, metricRate, round, v),
			value4("16B", rabbitName, metricRate, round, v/10),
			value4("1KiB", rabbitName, metricRate, round, 1))
	}
	if got := r.ratio("16B", rabbitName, metricRate); got == nil || *got != (spread{10, 10, 10}) {
		t.Errorf("ratio %+v, want 10", got)
	}
	if got := r.ratio("16B", natsName, metricRate); got != nil {
		t.Errorf("ratio to what was not measured: %+v", got)
	}
	if got := r.ratio("16B", rabbitName, metricCPU); got != nil {
		t.Errorf("ratio of what was not measured: %+v", got)
	}
}

func TestTextSaysWhatWasReachedAndWhoWasHeldUp(t *testing.T) {
	r := empty()
	r.Values = []value{
		value4("16B", warrenName, metricRate, 0, 900e3),
		value4("16B", rabbitName, metricRate, 0, 30e3),
		value4("16B", natsName, metricRate, 0, 1e6),
	}
	r.fail(1, "fan-out", garageName, exec.ErrNotFound)
	r.Syncs = []finding{{Case: "persistent", Peer: natsName, Messages: 7}}
	text := r.text()
	for _, want := range []string{
		"- msg/s: at least 15 × RabbitMQ: **reached**: 30\n",
		"- msg/s: at least 1 × NATS core: **missed**: 0.9, 0.9 of what it should be\n",
		"- broker CPU, µs/msg: at most 1 × NATS core: not measured\n",
		"| RabbitMQ | 30k | **below reference: machine busy** (0.55 of 55k) |\n",
		"| NATS core | 1M | 0.94 of 1.07M |\n",
		"repeat the run:** RabbitMQ in 16B (0.55).\n",
		"- fan-out, GarageMQ, round 2: executable file not found",
		"- persistent, NATS core: nothing, for 7 messages\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "## 1KiB") {
		t.Error("a case that was not run is in the text")
	}
	if r.failed() != nil {
		t.Error("the failure of a peer is taken for warren's")
	}
	r.fail(0, "16B", warrenName, exec.ErrNotFound)
	if r.failed() == nil {
		t.Error("warren's failure does not count")
	}
}

func TestCasesAreWhole(t *testing.T) {
	all := peers(settings{})
	seen := make(map[string]bool)
	for _, c := range cases(settings{Quick: true}) {
		if seen[c.name] || c.run == nil || c.title == "" || len(c.goals) == 0 {
			t.Errorf("%s: %+v", c.name, c)
		}
		seen[c.name] = true
		if _, ok := c.args[warrenName]; !ok {
			t.Errorf("%s: warren has no part in it", c.name)
		}
		known := func(name string) bool {
			return slices.ContainsFunc(all, func(p peer) bool { return p.name == name })
		}
		for name := range c.args {
			if !known(name) {
				t.Errorf("%s: no peer is called %q", c.name, name)
			}
		}
		for name := range c.reference {
			if _, ok := c.args[name]; !ok {
				t.Errorf("%s: a reference for %s, which has no part", c.name, name)
			}
		}
		for _, g := range c.goals {
			if _, ok := c.args[g.against]; g.against != "" && !ok {
				t.Errorf("%s: a goal against %s, which has no part", c.name, g.against)
			}
			if !slices.Contains(columns(), g.metric) || g.most+g.least == 0 {
				t.Errorf("%s: goal %+v", c.name, g)
			}
		}
	}
}

func TestSelectionTakesCasesAndPeersByName(t *testing.T) {
	got, err := selection(settings{Cases: "^topic", Peers: "warren|Garage"})
	if err != nil || len(got.cases) != 2 || len(got.peers) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if p := got.peersOf(got.cases[1]); len(p) != 1 || p[0].name != warrenName {
		t.Errorf("peers of %s: %+v", got.cases[1].name, p)
	}
	for _, s := range []settings{{Cases: "("}, {Peers: "("}, {Cases: "none"}, {Peers: "none"}} {
		if _, err := selection(s); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

func TestSyncsAreCountedByCallAndKindOfFile(t *testing.T) {
	const log = `12 fdatasync(7</d/data/messages-00000001.log>) = 0
13 fdatasync(9</d/data/messages-00000002.log> <unfinished ...>
12 fsync(3</d/msg_stores/628WB79CIFDYO9LJI6DKMI09L/queues/1K2JHPM6WMD6DN2/journal.jif>) = 0
13 <... fdatasync resumed>) = 0
12 msync(0x7f00, 4096, MS_SYNC) = 0
12 +++ exited with 0 +++
`
	calls := syncCalls(log, "/d")
	for kind, want := range map[string]int{
		"fdatasync data/messages-N.log":             2,
		"fsync msg_stores/ID/queues/ID/journal.jif": 1,
		"msync": 1,
	} {
		if calls[kind] != want {
			t.Errorf("%s: %d, want %d in %v", kind, calls[kind], want, calls)
		}
	}
	if len(calls) != 3 {
		t.Errorf("%v", calls)
	}
}

func TestProbesReadProductAndVersion(t *testing.T) {
	start := amqp.AppendMethodFrame(nil, 0, &amqp.ConnectionStart{
		VersionMinor: 9,
		ServerProperties: amqp.NewTable(map[string]any{
			"product": "Broker", "version": "1.2",
		}),
	})
	for _, c := range []struct {
		peer peer
		says string
		want string
	}{
		{ownBroker(""), string(start), "Broker 1.2"},
		{nats("", natsName, ""), "INFO {\"version\":\"9.8\"}\r\n", "nats-server 9.8"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Write([]byte(c.says))
			_, _ = conn.Read(make([]byte, len(amqp.ProtocolHeader)))
		}()
		got, err := c.peer.probe(t.Context(), l.Addr().String())
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.peer.name, got, err, c.want)
		}
	}
}

func TestBrokerThatEndsAtTheStartIsAnError(t *testing.T) {
	ends, err := exec.LookPath("false")
	if err != nil {
		t.Skip("there is no program that only ends")
	}
	b, err := startBroker(t.Context(), ownBroker(ends), t.TempDir())
	if b != nil || err == nil || !strings.Contains(err.Error(), "ended at the start") {
		t.Errorf("broker %+v, error %v", b, err)
	}
}
