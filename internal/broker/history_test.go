package broker

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
)

// remembering declares an exchange that keeps its last messages.
func (c *client) remembering(name string, length int) {
	c.t.Helper()
	c.declareExchange(definition.Exchange{
		Name: name, Type: "x-recent-history", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"x-recent-history-length": length}),
	})
}

// say publishes bodies, each with itself as its key.
func (c *client) say(exchange string, bodies ...string) {
	c.t.Helper()
	for _, body := range bodies {
		c.publish(exchange, body, body, true)
	}
}

func (c *client) bindExchange(source, destination, key string) {
	c.t.Helper()
	c.must(c.Bind(exchange.Binding{
		Source: source, Destination: destination, ToExchange: true, RoutingKey: key,
	}))
}

func TestWhoIsBoundLaterGetsTheLastMessages(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.remembering("past", 3)
	c.say("past", "1", "2") // also while nothing is bound
	early := c.declare("early", true)
	c.bind("past", "early", "")
	c.say("past", "3", "4", "5")
	late := c.declare("late", false)
	c.bind("past", "late", "any")
	c.say("past", "6")
	equal(t, "early", c.bodies(early), "1", "2", "3", "4", "5", "6")
	equal(t, "late", c.bodies(late), "3", "4", "5", "6")
	c.bind("past", "late", "any") // which is there
	equal(t, "late", c.bodies(late))
	c.bind("past", "late", "another")
	equal(t, "late", c.bodies(late), "4", "5", "6")
}

func TestAPersistentMessageThatIsRememberedWaitsForNoLogWithoutDurableQueues(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.remembering("past", 3)
	for range 2 { // queues
		if lsn := c.publish("past", "k", "1", true); lsn != 0 {
			t.Errorf("a publisher waits for %d", lsn)
		}
		q := c.declare("passing", false)
		c.bind("past", "passing", "")
		c.bodies(q)
	}
	c.declare("lasting", true)
	c.bind("past", "lasting", "")
	if lsn := c.publish("past", "k", "2", true); lsn == 0 || lsn == Never {
		t.Errorf("a publisher to a durable queue waits for %d", lsn)
	}
}

func TestAMessageMayAskNotToBeKept(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.remembering("past", 3)
	for i := range 4 {
		p := amqp.Properties{Headers: amqp.NewTable(map[string]any{
			"x-recent-history-no-store": i%2 == 0,
		})}
		c.publishWith("past", "", strconv.Itoa(i), p)
	}
	q := c.declare("q", false)
	c.bind("past", "q", "")
	equal(t, "q", c.bodies(q), "1", "3")
}

func TestHistoryGoesThroughExchanges(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	for _, name := range []string{"past", "further"} {
		c.remembering(name, 5)
	}
	c.declareExchange(definition.Exchange{Name: "front", Type: "fanout"})
	c.declareExchange(definition.Exchange{Name: "inner", Type: "direct", Internal: true})
	c.bindExchange("front", "past", "")
	c.say("front", "a", "b")
	b := c.declare("b", false)
	c.bind("inner", "b", "b")
	c.bind("further", "b", "")
	c.bindExchange("past", "inner", "") // only one of them has a way on
	equal(t, "b", c.bodies(b), "b")
	c.bindExchange("past", "further", "")
	c.bindExchange("further", "front", "") // and round
	equal(t, "b", c.bodies(b), "a", "b", "a", "b")
	q := c.declare("q", false)
	c.bind("further", "q", "")
	equal(t, "q", c.bodies(q), "a", "b", "a", "b") // came by twice
	c.say("front", "c")
	equal(t, "q", c.bodies(q), "c")
}

func TestHistoryDoesNotOutliveItsExchangeOrTheNode(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	c.remembering("past", 5)
	c.remembering("gone", 5)
	c.say("past", "1")
	c.say("gone", "1")
	c.must(c.DeleteExchange("gone", false))
	if n := h.histories.Load(); n != int64(2+len("past")+historyOverhead+3) {
		t.Errorf("%d bytes are kept", n)
	}
	c.remembering("gone", 5)
	q := c.declare("q", true)
	c.bind("gone", "q", "")
	equal(t, "q", c.bodies(q))
	h.shut()
	c = open(t, fs).guest()
	c.bind("past", "q", "")
	again, _ := c.queue("q")
	equal(t, "q", c.bodies(again))
	c.say("past", "2")
	c.bind("past", "q", "more")
	equal(t, "q", c.bodies(again), "2", "2")
}

// historyMessage makes a message of its own memory.
func historyMessage(t testing.TB, body string) message.Message {
	var a message.Arena
	var b message.Builder
	if err := b.Begin(&a, nil, nil, []byte{0, 0}, uint64(len(body))); err != nil {
		t.Fatal(err)
	}
	b.Append([]byte(body))
	return b.Done()
}

// TestHistoryIsBounded reaches the limits on messages, on bytes, and on bytes of all.
func TestHistoryIsBounded(t *testing.T) {
	var sum atomic.Int64
	many := newHistory(1<<31-1, &sum)
	small := historyMessage(t, "x")
	for range historyMax + 10 {
		many.keep(&small)
	}
	if n := len(many.all()); n != historyMax {
		t.Errorf("%d messages are kept, at most %d", n, historyMax)
	}
	many.close()
	large := historyMessage(t, strings.Repeat("x", historyBytesMax/4))
	big := newHistory(10, &sum)
	for range 10 {
		big.keep(&large)
	}
	if n := len(big.all()); n != 3 {
		t.Errorf("%d messages are kept, want 3", n)
	}
	larger := historyMessage(t, strings.Repeat("x", historyBytesMax))
	if big.keep(&larger); len(big.all()) != 3 {
		t.Error("a message that is too large had an effect")
	}
	others := []*history{big}
	for sum.Load() <= historySum-historyBytesMax {
		others = append(others, newHistory(10, &sum))
		for range 3 {
			others[len(others)-1].keep(&large)
		}
	}
	for range 10 {
		big.keep(&large)
	}
	last := newHistory(10, &sum)
	for range 10 {
		last.keep(&large)
	}
	if n := sum.Load(); n > historySum {
		t.Errorf("%d bytes are kept, at most %d", n, historySum)
	}
	for _, h := range append(others, last) {
		h.close()
		h.keep(&small)
	}
	if n := sum.Load(); n != 0 {
		t.Errorf("%d bytes are kept in the end", n)
	}
}

func TestHistoryIsTheEndOfAList(t *testing.T) {
	rapid.Check(t, func(draw *rapid.T) {
		var sum atomic.Int64
		h := newHistory(rapid.IntRange(1, 10).Draw(draw, "length"), &sum)
		var want []string
		draw.Repeat(map[string]func(*rapid.T){
			"keep": func(draw *rapid.T) {
				body := rapid.StringN(0, 5, -1).Draw(draw, "body")
				m := historyMessage(t, body)
				h.keep(&m)
				want = append(want, body)
				want = want[max(0, len(want)-h.most):]
			},
			"drop": func(*rapid.T) {
				if len(want) == 0 {
					draw.Skip("nothing is kept")
				}
				h.drop()
				want = want[1:]
			},
			"": func(draw *rapid.T) {
				var got []string
				for _, m := range h.all() {
					got = append(got, string(m.Body()))
				}
				if !slices.Equal(got, want) {
					draw.Fatalf("kept %q, want %q", got, want)
				}
			},
		})
	})
}
