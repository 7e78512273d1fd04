package perf

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func runNATS(t *testing.T, f *fakeNATS, change func(o *Options)) (*Result, error) {
	t.Helper()
	o := Options{
		URI: "nats://" + f.listen.Addr().String(), ID: "test", Topology: Topology{Exchange: "x"},
		Producers: ProducerOptions{Count: 1, Size: 16, Messages: 2000},
		Consumers: ConsumerOptions{Count: 1, AutoAck: true},
		DrainIdle: 100 * time.Millisecond,
	}
	change(&o)
	return Run(t.Context(), o)
}

func TestNATSCarriesEveryMessage(t *testing.T) {
	for _, size := range []int{0, 4, 16, 1000, 100_000} {
		f := startFakeNATS(t)
		r, err := runNATS(t, f, func(o *Options) {
			o.Producers.Size, o.Producers.Messages = size, 300
		})
		if err != nil || r.Received != 300 || r.Check.Failed() {
			t.Errorf("size %d: received %d, %+v, %v", size, r.Received, r.Check, err)
		}
		f.mu.Lock()
		if f.pongs < 3 { // of three connections
			t.Errorf("%d pings of the server were answered", f.pongs)
		}
		f.mu.Unlock()
	}
}

func TestNATSSubjectsAreQueues(t *testing.T) {
	r, err := runNATS(t, startFakeNATS(t), func(o *Options) {
		o.Topology.QueuePattern, o.Topology.QueueFrom, o.Topology.QueueTo = "q-%d", 1, 5
		o.Producers.Count, o.Producers.Messages = 10, 200
		o.Consumers.Count = 10
	})
	wantClean(t, r, err)
	if r.Sent != 2000 || r.Received != 2000 {
		t.Errorf("sent %d, received %d: want 2000 each", r.Sent, r.Received)
	}
}

func TestEachNATSSubscriptionGetsEverything(t *testing.T) {
	r, err := runNATS(t, startFakeNATS(t), func(o *Options) { o.Consumers.Count = 3 })
	wantClean(t, r, err)
	if r.Received != 3*r.Sent {
		t.Errorf("received %d of %d, want three times as many", r.Received, r.Sent)
	}
}

func stream(o *Options) {
	o.Topology.Queue = "work"
	o.Producers.Persistent, o.Producers.Confirm = true, 100
	o.Consumers.AutoAck = false
}

func TestStreamsConfirmAndTakeAcknowledgements(t *testing.T) {
	f := startFakeNATS(t)
	r, err := runNATS(t, f, stream)
	wantClean(t, r, err)
	if r.Confirmed != 2000 || r.ConfirmLatency.Count != 2000 || r.Nacked+r.Redelivered != 0 {
		t.Errorf("confirmed %d, nacked %d, timed %d, redelivered %d",
			r.Confirmed, r.Nacked, r.ConfirmLatency.Count, r.Redelivered)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.acked != 2000 {
		t.Errorf("%d messages were acknowledged", f.acked)
	}
}

func TestRefusalsOfStreamsCount(t *testing.T) {
	f := startFakeNATS(t)
	f.refuse = true
	r, err := runNATS(t, f, stream)
	if err != nil || r.Nacked != 2000 || r.Confirmed+r.Received != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRedeliveryIsReadFromTheReply(t *testing.T) {
	for reply, want := range map[string]bool{
		"$JS.ACK.s.c.1.7.7.7.0": false, "$JS.ACK.s.c.2.7.7.7.0": true,
		"$JS.ACK.s.c.10.7.7.7.0": true, "": false, "$JS.ACK": false,
	} {
		if got := natsRedelivered([]byte(reply)); got != want {
			t.Errorf("%q: %v", reply, got)
		}
	}
}

func TestWhatIsNoNATSProtocolIsAnError(t *testing.T) {
	for _, text := range []string{
		"MSG a\r\n", "MSG a b 1\r\n\r\n", "MSG a 1 b c d 3\r\n", "MSG a 1 -1\r\n",
		"MSG a 1 999999999999999999\r\n", "HMSG a 1 9 3\r\nabc\r\n", "HMSG a 1 3\r\nabc\r\n",
		"-ERR 'Slow Consumer'\r\n",
	} {
		c := &conn{buf: []byte(text), w: len(text)}
		var item natsItem
		if ok, err := c.natsBuffered(&item); ok || err == nil {
			t.Errorf("%q was taken as %+v", text, item)
		}
	}
}

func TestItemsOfNATSComeInPieces(t *testing.T) {
	const text = "MSG a.b 7 r.s 5\r\nhel\no\r\nHMSG a 1 2 4\r\nhhpp\r\nPONG\r\n+OK\r\n"
	var got []string
	c := &conn{buf: make([]byte, len(text))}
	for i := range len(text) {
		c.buf[i] = text[i]
		c.w = i + 1
		var item natsItem
		ok, err := c.natsBuffered(&item)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			got = append(got, fmt.Sprintf("%s%s%s%s",
				item.verb, item.subject, item.reply, item.payload))
		}
	}
	if want := []string{"MSGa.br.shel\no", "MSGahhpp", "PONG", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// matches is the obvious twin of a topic exchange.
func matches(pattern, key []string) bool {
	switch {
	case len(pattern) == 0:
		return len(key) == 0
	case pattern[0] == "#":
		return matches(pattern[1:], key) || len(key) > 0 && matches(pattern, key[1:])
	}
	return len(key) > 0 && (pattern[0] == "*" || pattern[0] == key[0]) &&
		matches(pattern[1:], key[1:])
}

func TestEachKeyMatchesOnePattern(t *testing.T) {
	for _, p := range []patterns{{40, 0}, {1000, 10}, {3, 9}} {
		shapesSeen := make(map[int]bool)
		for _, key := range p.keys() {
			count := 0
			for n := range p.count {
				if matches(strings.Split(p.pattern(n), "."), strings.Split(key, ".")) {
					count++
					shapesSeen[n%shapes] = true
				}
			}
			if count != 1 || len(key) != len(p.key(0)) {
				t.Errorf("%s matches %d patterns", key, count)
			}
		}
		if len(shapesSeen) != min(shapes, p.count) {
			t.Errorf("%+v: keys for %d shapes", p, len(shapesSeen))
		}
	}
}

func TestPatternsNeedATopicExchangeAndQueues(t *testing.T) {
	good := Topology{Exchange: "t", ExchangeType: "topic", QueuePattern: "q-%d", QueueTo: 10,
		Patterns: 7}
	if err := good.validate(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(t *Topology){
		func(t *Topology) { t.Exchange = "" }, func(t *Topology) { t.ExchangeType = "direct" },
		func(t *Topology) { t.QueuePattern = "" }, func(t *Topology) { t.Patterns = -1 },
		func(t *Topology) { t.Patterns = PatternsMax + 1 },
	} {
		bad := good
		change(&bad)
		if bad.validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestChurnAndDeclareRefuseWhatTheyCannotDo(t *testing.T) {
	for _, o := range []ChurnOptions{
		{Kind: ChurnQueues, Clients: 1}, {Kind: ChurnQueues, Time: 1},
		{Kind: "exchanges", Clients: 1, Time: 1}, {Kind: ChurnQueues, Clients: -1, Time: 1},
		{Kind: ChurnQueues, Clients: 1, Time: 1, URI: "nats://127.0.0.1:1"},
	} {
		if _, err := Churn(t.Context(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	for _, o := range []DeclareOptions{
		{Queues: -1}, {Queues: DeclareMax + 1}, {VHosts: -1}, {Queues: 1, URI: "nats://127.0.0.1"},
	} {
		if _, err := Declare(t.Context(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
