package broker

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
)

type answers struct{ bodies []string }

func (a *answers) ReceiveReply(m *message.Message) bool {
	a.bodies = append(a.bodies, string(m.Body()))
	return false
}

func (a *answers) Flush() {}

func TestRepliesEndWithTheirReceiver(t *testing.T) {
	m := &Manager{}
	first, second := &answers{}, &answers{}
	key, err := m.OpenReplies(first)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := m.OpenReplies(second)
	if m.Replier([]byte(key)) != first || m.Replier([]byte(other)) != second {
		t.Error("a key leads to another")
	}
	m.CloseReplies(key)
	if r := m.Replier([]byte(key)); r != nil {
		t.Errorf("a closed key leads to %v", r)
	}
	for _, key := range []string{"", "q", ReplyQueue, ReplyQueue + ".", other + "x"} {
		if r := m.Replier([]byte(key)); r != nil {
			t.Errorf("%q leads to %v", key, r)
		}
	}
}

// TestRepliersAreBounded reaches repliersMax.
func TestRepliersAreBounded(t *testing.T) {
	m := &Manager{}
	m.replies.receivers = make(map[string]ReplyReceiver, repliersMax)
	for n := range repliersMax - 1 {
		m.replies.receivers[strconv.Itoa(n)] = nil
	}
	key, err := m.OpenReplies(&answers{})
	if err != nil {
		t.Fatalf("at the limit: %v", err)
	}
	if _, err := m.OpenReplies(&answers{}); err == nil || err.Code != amqp.ResourceError {
		t.Errorf("above the limit: %v", err)
	}
	m.CloseReplies(key)
	if _, err := m.OpenReplies(&answers{}); err != nil {
		t.Errorf("below the limit again: %v", err)
	}
}

func TestWhoMayPublishForOthers(t *testing.T) {
	h := open(t, disk.NewMemory())
	defer h.shut()
	c := h.guest()
	if c.Impersonates() {
		t.Error("guest impersonates")
	}
	u, _ := h.User("guest")
	tag := func(tags ...string) {
		u.Tags = tags
		_, err := h.PutUser(u)
		h.must(err)
	}
	tag("administrator", "impersonator")
	if !c.Impersonates() {
		t.Error("an impersonator does not")
	}
	tag("administrator")
	if c.Impersonates() {
		t.Error("somebody who is no impersonator any more does")
	}
}

// TestKeysForManyQueuesAreBounded reaches unionQueuesMax.
func TestKeysForManyQueuesAreBounded(t *testing.T) {
	h := open(t, disk.NewMemory())
	defer h.shut()
	c := h.guest()
	const queues = 1 << 10
	for n := range queues {
		c.declareQueue(definition.Queue{Name: "q" + strconv.Itoa(n), Exclusive: true})
		c.bind("amq.topic", "q"+strconv.Itoa(n), "#")
	}
	var keys [][]byte
	for n := range unionQueuesMax / queues {
		keys = append(keys, fmt.Appendf(nil, "k%d", n))
	}
	if r := c.routes.RouteAll(c.Access, []byte("amq.topic"), nil, keys...); r.Err != nil ||
		len(r.queues) != queues {
		t.Errorf("at the limit: %v, %d queues", r.Err, len(r.queues))
	}
	keys = append(keys, []byte("one more"))
	r := c.routes.RouteAll(c.Access, []byte("amq.topic"), nil, keys...)
	if r.Err == nil || r.Err.Code != amqp.ResourceError {
		t.Errorf("above the limit: %v", r.Err)
	}
	if r := c.routes.RouteAll(c.Access, []byte("amq.topic"), nil, keys[:2]...); r.Err != nil ||
		len(r.queues) != queues || len(c.routes.union.seen) > queues {
		t.Errorf("after that: %v, %d queues", r.Err, len(r.queues))
	}
}

// TestRoutesOfSeveralKeysAreNotRemembered: they would be taken for those of the first.
func TestRoutesOfSeveralKeysAreNotRemembered(t *testing.T) {
	h := open(t, disk.NewMemory())
	defer h.shut()
	c := h.guest()
	a, b := c.declare("a", false), c.declare("b", true)
	for range 3 {
		r := c.routes.RouteAll(c.Access, nil, nil, []byte("a"), []byte("b"), []byte("a"))
		if len(r.queues) != 2 || r.queues[0] != a || r.queues[1] != b || len(r.durable) != 1 {
			t.Fatalf("both: %v", r.queues)
		}
		if r := c.routes.Route(c.Access, nil, []byte("a"), nil); len(r.queues) != 1 ||
			r.queues[0] != a {
			t.Fatalf("the first: %v", r.queues)
		}
	}
	r := c.routes.RouteAll(c.Access, []byte("none"), nil, []byte("a"), []byte("b"))
	if r.Err == nil || r.Err.Code != amqp.NotFound {
		t.Errorf("an exchange that is not there: %v", r.Err)
	}
}

// TestKeysThatNobodyLooksAtCostNothing: an exchange that looks at headers is asked once, unless
// others are bound to it; then unionHeadersMax is reached.
func TestKeysThatNobodyLooksAtCostNothing(t *testing.T) {
	h := open(t, disk.NewMemory())
	defer h.shut()
	c := h.guest()
	c.declareExchange(definition.Exchange{Name: "headers", Type: "headers"})
	c.declareExchange(definition.Exchange{Name: "behind", Type: "direct"})
	q, last := c.declare("q", false), c.declare("last", false)
	c.bind("headers", "q", "")
	c.bind("behind", "last", "last")
	keys := [][]byte{[]byte("own")}
	for n := range unionHeadersMax {
		keys = append(keys, fmt.Appendf(nil, "k%d", n))
	}
	keys[unionHeadersMax-1] = []byte("last")
	many := append(slices.Clone(keys), keys[1:]...)
	if r := c.routes.RouteAll(c.Access, []byte("headers"), nil, many...); r.Err != nil ||
		len(r.queues) != 1 || r.queues[0] != q || c.routes.union.visited != 1 {
		t.Errorf("alone: %v, %v", r.Err, r.queues)
	}
	c.must(c.Bind(exchange.Binding{Source: "headers", Destination: "behind", ToExchange: true}))
	r := c.routes.RouteAll(c.Access, []byte("headers"), nil, keys[:unionHeadersMax]...)
	if r.Err != nil ||
		len(r.queues) != 2 || r.queues[1] != last {
		t.Errorf("at the limit: %v, %v", r.Err, r.queues)
	}
	r = c.routes.RouteAll(c.Access, []byte("headers"), nil, many...)
	if r.Err == nil || r.Err.Code != amqp.ResourceError {
		t.Errorf("above the limit: %v", r.Err)
	}
}
