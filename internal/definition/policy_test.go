package definition

import (
	"strconv"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
)

// settings is a definition of a policy, or arguments.
func settings(key string, value any) amqp.Table {
	return amqp.NewTable(map[string]any{key: value})
}

func declareQueue(t *testing.T, v *VHost, q Queue) {
	t.Helper()
	if _, _, err := v.DeclareQueue(q); err != nil {
		t.Fatal(err)
	}
}

func putPolicy(t *testing.T, v *VHost, p Policy) {
	t.Helper()
	if _, err := v.PutPolicy(p); err != nil {
		t.Fatal(err)
	}
}

func TestTheDurabilityOfAQueueIsItsArgumentOrItsPolicy(t *testing.T) {
	v := newStory().vhost
	wrong := func(value any) *amqp.Error {
		_, _, err := v.DeclareQueue(Queue{Name: "q", Arguments: settings("x-durability", value)})
		return err
	}
	for value, reason := range map[any]string{
		"never": "invalid_durability", "": "invalid_durability",
		12: "{unacceptable_type,signedint}",
	} {
		want := "invalid arg 'x-durability' for queue 'q' in vhost '/': " + reason
		if err := wrong(value); err == nil || err.Code != amqp.PreconditionFailed ||
			!strings.HasSuffix(err.Text, want) {
			t.Errorf("%v: %v, want %s", value, err, want)
		}
	}
	declareQueue(t, v, Queue{Name: "fast", Durable: true,
		Arguments: settings("x-durability", "os")})
	declareQueue(t, v, Queue{Name: "safe", Durable: true,
		Arguments: settings("x-durability", "fsync")})
	declareQueue(t, v, Queue{Name: "plain", Durable: true})
	_, _, err := v.DeclareQueue(Queue{Name: "fast", Durable: true})
	if err == nil || !strings.Contains(err.Text, "inequivalent arg 'x-durability'") {
		t.Errorf("declared again without the argument: %v", err)
	}
	check := func(when string, want ...Durability) {
		t.Helper()
		for i, name := range []string{"fast", "safe", "plain"} {
			if got := v.DurabilityOf(name); got != want[i] {
				t.Errorf("%s: %s is %s, want %s", when, name, got, want[i])
			}
		}
	}
	check("without a policy", OS, Fsync, Fsync)
	putPolicy(t, v, Policy{Name: "all", Definition: settings("durability", "os")})
	check("with a policy for all", OS, Fsync, OS)
	putPolicy(t, v, Policy{
		Name: "p", Pattern: "^p", Priority: 1, Definition: settings("durability", "fsync"),
	})
	check("with one of higher priority", OS, Fsync, Fsync)
	v.ClearPolicy("p")
	v.ClearPolicy("all")
	check("without one again", OS, Fsync, Fsync)
}

func TestThePolicyOfAQueueIsTheFirstThatMatches(t *testing.T) {
	v := newStory().vhost
	durability := settings("durability", "os")
	declareQueue(t, v, Queue{Name: "orders", Durable: true})
	quorum := settings("x-queue-type", "quorum")
	for _, p := range []Policy{
		{Name: "d", Pattern: "^o"}, {Name: "c", Pattern: "rs$", Priority: 5, ApplyTo: "queues"},
		{Name: "b", Pattern: "", Priority: 5}, {Name: "a", Pattern: "x", Priority: 9},
		{Name: "e", Pattern: "logs", Priority: 7, ApplyTo: "classic_queues"},
	} {
		p.Definition = durability
		putPolicy(t, v, p)
	}
	declareQueue(t, v, Queue{Name: "logs", Durable: true})
	declareQueue(t, v, Queue{Name: "logs2", Durable: true, Arguments: quorum})
	for queue, want := range map[string]string{
		"orders": "b", "logs": "e", "logs2": "b", "nobody": "",
	} {
		if got := v.PolicyOf(queue); got != want {
			t.Errorf("%s has the policy %q, want %q", queue, got, want)
		}
	}
	if v.DurabilityOf("logs2") != Fsync {
		t.Error("a policy takes the sync from a queue that is kept by agreement")
	}
}

func TestPoliciesThatMakeNoSenseAreRefused(t *testing.T) {
	v := newStory().vhost
	fine := settings("durability", "os")
	for name, p := range map[string]Policy{
		"no name":       {Definition: fine},
		"a long name":   {Name: strings.Repeat("n", policyNameMax+1), Definition: fine},
		"a bad pattern": {Name: "p", Pattern: "(", Definition: fine},
		"a long pattern": {
			Name: "p", Pattern: strings.Repeat("p", patternMax+1), Definition: fine,
		},
		"a bad apply-to":   {Name: "p", ApplyTo: "topics", Definition: fine},
		"nothing set":      {Name: "p"},
		"an unknown key":   {Name: "p", Definition: settings("max-size", 1)},
		"a bad value":      {Name: "p", Definition: settings("durability", "maybe")},
		"a value, no text": {Name: "p", Definition: settings("durability", 5)},
	} {
		if _, err := v.PutPolicy(p); err == nil || err.Code != amqp.PreconditionFailed {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range policiesMax {
		putPolicy(t, v, Policy{Name: strconv.Itoa(i), Definition: fine})
	}
	if _, err := v.PutPolicy(Policy{Name: "one more", Definition: fine}); err == nil {
		t.Errorf("more than %d policies", policiesMax)
	}
	putPolicy(t, v, Policy{Name: "7", Pattern: "other", Definition: fine})
}

func TestPoliciesLiveOn(t *testing.T) {
	s := newStory().state
	v, _ := s.VHost("/")
	putPolicy(t, v, Policy{Name: "p", Pattern: "^f", Priority: -1,
		Definition: settings("durability", "os")})
	declareQueue(t, v, Queue{Name: "fast", Durable: true})
	again := New(exchange.Standard())
	s.Snapshot(func(c Command) {
		decoded, err := DecodeCommand(c.AppendTo(nil))
		if err == nil {
			err = again.Replay(decoded)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	w, _ := again.VHost("/")
	if w.DurabilityOf("fast") != OS || w.PolicyOf("fast") != "p" {
		t.Errorf("after a restart: %+v", w.Policies())
	}
	if err := again.Replay(Command{
		Kind: ClearPolicyKind, VHost: "/", Policy: Policy{Name: "p"},
	}); err != nil || w.DurabilityOf("fast") != Fsync {
		t.Errorf("after the policy was cleared: %v, %+v", err, w.Policies())
	}
	if err := again.Replay(Command{
		Kind: PutPolicyKind, VHost: "/", Policy: Policy{Name: "p", Pattern: "("},
	}); err == nil {
		t.Error("a pattern that is none was replayed")
	}
}

// TestAsManyPoliciesAsThereMayBe reaches policiesMax with policies that all match.
func TestAsManyPoliciesAsThereMayBe(t *testing.T) {
	v := newStory().vhost
	declareQueue(t, v, Queue{Name: "before"})
	for i := range policiesMax {
		putPolicy(t, v, Policy{Name: strconv.Itoa(i), Priority: int64(i * 7 % policiesMax),
			Definition: settings("max-length", i)})
	}
	declareQueue(t, v, Queue{Name: "after"})
	for priority := policiesMax - 1; priority >= 0; priority-- {
		for _, name := range []string{"before", "after"} {
			e, _ := v.Effective(name)
			if e.Policy != strconv.FormatInt(e.MaxLength, 10) ||
				int(e.MaxLength)*7%policiesMax != priority {
				t.Fatalf("%s has policy %s with %d, want priority %d", name, e.Policy,
					e.MaxLength, priority)
			}
		}
		e, _ := v.Effective("before")
		if a, existed := v.ClearPolicy(e.Policy); !existed || len(a.Queues) != 2 {
			t.Fatalf("cleared %s: %v, %v", e.Policy, existed, a)
		}
	}
	if e, _ := v.Effective("after"); e.Policy != "" || e.MaxLength != queue.None {
		t.Errorf("without policies: %+v", e)
	}
	if len(v.policies.slots) > policiesMax {
		t.Errorf("%d slots", len(v.policies.slots))
	}
}
