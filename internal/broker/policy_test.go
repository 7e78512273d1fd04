package broker

import (
	"strconv"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
)

// TestAQueueMayDoWithoutTheSync: a message waits for the sync if one of its queues wants it to.
func TestAQueueMayDoWithoutTheSync(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	v := h.VHost("/")
	os := amqp.NewTable(map[string]any{"x-durability": "os"})
	c.declareExchange(definition.Exchange{Name: "all", Type: "fanout", Durable: true})
	fast := c.declareQueue(definition.Queue{Name: "fast", Durable: true, Arguments: os})
	plain := c.declare("plain", true)
	c.bind("all", "fast", "")
	waits := func(when, exchange, key string, want bool) {
		t.Helper()
		before := h.store.Stats().Records
		if got := c.publish(exchange, key, "m", true) != 0; got != want {
			t.Errorf("%s: waits for the sync: %v, want %v", when, got, want)
		}
		if n := h.store.Stats().Records - before; n != 1 {
			t.Errorf("%s: %d records in the log", when, n)
		}
	}
	waits("by argument", "", "fast", false)
	waits("by default", "", "plain", true)
	waits("fan-out to the fast one", "all", "", false)
	c.bind("all", "plain", "")
	waits("fan-out to both", "all", "", true)
	policy := definition.Policy{
		Name: "p", Pattern: "plain",
		Definition: amqp.NewTable(map[string]any{"durability": "os"}),
	}
	if err := v.PutPolicy(policy); err != nil {
		t.Fatal(err)
	}
	waits("by policy", "", "plain", false)
	waits("fan-out to both, by policy", "all", "", false)
	e, _ := plain.Effective()
	other, _ := fast.Effective()
	if plain.Durability() != definition.OS || e.Policy != "p" || other.Policy != "" {
		t.Errorf("%s by policy %q, other %q", plain.Durability(), e.Policy, other.Policy)
	}
	if err := v.ClearPolicy("p"); err != nil {
		t.Fatal(err)
	}
	waits("without the policy", "", "plain", true)
	if err := v.ClearPolicy("p"); err == nil || err.Code != amqp.NotFound {
		t.Errorf("cleared twice: %v", err)
	}
}

func TestPoliciesOutliveTheNode(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	v := h.VHost("/")
	for _, p := range []definition.Policy{
		policy("p", "^q", map[string]any{"durability": "os", "max-length": 3}),
		policy("gone", "^q", map[string]any{"max-length": 1}),
	} {
		if err := v.PutPolicy(p); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []definition.Policy{
		policy("o", "", map[string]any{"max-length": 2}),
		policy("gone", "", map[string]any{"max-length": 0}),
	} {
		if err := v.PutOperatorPolicy(p); err != nil {
			t.Fatal(err)
		}
	}
	h.guest().declare("q", true)
	for _, clear := range []func(string) *amqp.Error{v.ClearPolicy, v.ClearOperatorPolicy} {
		if err := clear("gone"); err != nil {
			t.Fatal(err)
		}
		if err := clear("gone"); err == nil || err.Code != amqp.NotFound {
			t.Errorf("cleared twice: %v", err)
		}
	}
	h.shut()
	again := open(t, fs)
	c := again.guest()
	q := c.declare("q", true)
	e, _ := q.Effective()
	if e.Durability != definition.OS || e.MaxLength != 2 || e.Policy != "p" ||
		e.OperatorPolicy != "o" || len(again.VHost("/").OperatorPolicies()) != 1 {
		t.Errorf("after a restart: %+v", e)
	}
	for _, body := range []string{"1", "2", "3"} {
		c.publish("", "q", body, true)
	}
	equal(t, "after a restart", c.bodies(q), "2", "3")
}

func policy(name, pattern string, settings map[string]any) definition.Policy {
	return definition.Policy{Name: name, Pattern: pattern, Definition: amqp.NewTable(settings)}
}

// TestPoliciesChangeQueuesThatAreInUse: what is too much goes at once, and what nobody limits any
// more stays.
func TestPoliciesChangeQueuesThatAreInUse(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	v := h.VHost("/")
	q := c.declare("q", false)
	letters := c.declare("letters", false)
	publish := func(bodies ...string) {
		for _, body := range bodies {
			c.publish("", "q", body, false)
		}
	}
	publish("1", "2", "3", "4")
	c.must(v.PutPolicy(policy("p", "^q$", map[string]any{
		"max-length": 3, "dead-letter-exchange": "", "dead-letter-routing-key": "letters",
	})))
	equal(t, "dead by the policy", c.bodies(letters), "1")
	c.must(v.PutOperatorPolicy(policy("o", "", map[string]any{"max-length": 2})))
	equal(t, "dead by the operator's", c.bodies(letters), "2")
	c.must(v.PutPolicy(policy("p", "^q$", map[string]any{
		"max-length": 5, "overflow": "reject-publish",
	})))
	publish("5")
	c.must(v.ClearOperatorPolicy("o"))
	publish("6")
	c.must(v.ClearPolicy("p"))
	publish("7", "8", "9")
	equal(t, "what is left", c.bodies(q), "3", "4", "6", "7", "8", "9")
	equal(t, "no letters any more", c.bodies(letters))
}

// TestAPolicySaysWhereToGoOtherwise: routes that were remembered are forgotten.
func TestAPolicySaysWhereToGoOtherwise(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	v := h.VHost("/")
	for _, name := range []string{"x", "first", "second"} {
		c.declareExchange(definition.Exchange{Name: name, Type: "fanout"})
	}
	first, second := c.declare("q1", false), c.declare("q2", false)
	c.bind("first", "q1", "")
	c.bind("second", "q2", "")
	c.publish("x", "", "nowhere", false)
	c.must(v.PutPolicy(policy("p", "^x$", map[string]any{"alternate-exchange": "first"})))
	c.publish("x", "", "to the first", false)
	c.must(v.PutPolicy(policy("p", "^x$", map[string]any{"alternate-exchange": "second"})))
	c.publish("x", "", "to the second", false)
	c.must(v.ClearPolicy("p"))
	c.publish("x", "", "nowhere", false)
	equal(t, "first", c.bodies(first), "to the first")
	equal(t, "second", c.bodies(second), "to the second")
}

// TestPoliciesMeet: whoever changes policies while others do, what is there in the end holds.
func TestPoliciesMeet(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	v := h.VHost("/")
	var queues []*Queue
	for i := range 20 {
		queues = append(queues, c.declare(strconv.Itoa(i), false))
	}
	other := h.guest()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 25 {
				p := policy("p", "", map[string]any{"max-length": i*100 + n})
				if err := v.PutPolicy(p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 25 {
			_, err := other.DeclareQueue(definition.Queue{Name: "passing"})
			if err == nil {
				err = other.DeleteQueue(other.batch, "passing", false, false, func(int) {})
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	for _, q := range queues {
		e, _ := q.Effective()
		if got := *q.settings(); got != e || e.Policy != "p" {
			t.Errorf("%s does %+v, and should %+v", q.Name(), got, e)
		}
	}
}

// TestRoutesKnowWhatPoliciesSay, also those that are asked for while the policy is put.
func TestRoutesKnowWhatPoliciesSay(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	v := h.VHost("/")
	const queues = 500
	for i := range queues {
		c.declare(strconv.Itoa(i), false)
		c.bind("amq.direct", strconv.Itoa(i), strconv.Itoa(i))
	}
	direct := []byte("amq.direct")
	done := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(done)
	for range 2 {
		other := h.guest()
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					key := []byte(strconv.Itoa(i % queues))
					other.routes.Route(other.Access, direct, key, nil)
				}
			}
		})
	}
	for n := range 10 {
		overflow := []string{"reject-publish", "drop-head"}[n%2]
		c.must(v.PutPolicy(policy("p", "", map[string]any{"overflow": overflow})))
		for i := range queues {
			r := c.routes.Route(c.Access, direct, []byte(strconv.Itoa(i)), nil)
			if r.Rejects() != (n%2 == 0) {
				t.Fatalf("put %d: a route to %d rejects: %v", n, i, r.Rejects())
			}
		}
	}
}
