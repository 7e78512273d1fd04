package broker

import (
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
	err := h.VHost("/").PutPolicy(definition.Policy{
		Name: "p", Pattern: "^q", Definition: amqp.NewTable(map[string]any{"durability": "os"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.guest().declare("q", true)
	h.shut()
	q := open(t, fs).guest().declare("q", true)
	if q.Durability() != definition.OS {
		t.Errorf("%s after a restart", q.Durability())
	}
}
