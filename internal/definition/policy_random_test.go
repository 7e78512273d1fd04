package definition

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
)

// somePolicy draws a policy among few names, patterns and keys, so that many meet.
func somePolicy(t *rapid.T, operator bool) Policy {
	numbers := []string{
		messageTTLKey, expiresKey, maxLengthKey, maxBytesKey, deliveryLimitKey,
	}
	all := map[string]any{}
	for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(numbers), 1, 3, rapid.ID).
		Draw(t, "numbers") {
		all[key] = rapid.Int64Range(1, 5).Draw(t, key)
	}
	if !operator {
		texts := map[string][]string{
			overflowKey:     {"drop-head", "reject-publish", "reject-publish-dlx"},
			deadLetterKey:   {"", "dlx"},
			deadLetterToKey: {"", "key"},
			strategyKey:     {"at-most-once", "at-least-once"},
			durabilityKey:   {"os", "fsync"},
			alternateKey:    {"a", "b", "nowhere"},
			"queue-mode":    {"lazy"},
			"max-age":       {"1D"},
		}
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			if rapid.IntRange(0, 3).Draw(t, "sets "+key) == 0 {
				all[key] = rapid.SampledFrom(texts[key]).Draw(t, key)
			}
		}
	}
	return Policy{
		Name: rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "name"),
		Pattern: rapid.SampledFrom([]string{
			"", "^", "^a", "b$", "^(a|b)", "(?i)^A", "..", "a|ab|c", "^(ab|ba)$", "(b)+a?",
		}).Draw(t, "pattern"),
		Priority: rapid.Int64Range(0, 2).Draw(t, "priority"),
		ApplyTo: rapid.SampledFrom([]string{
			"", "all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges",
		}).Draw(t, "apply-to"),
		Definition: amqp.NewTable(all),
	}
}

// governedWorld changes policies, queues and exchanges, and compares with the slow twin.
type governedWorld struct {
	state *State
	vhost *VHost
	ids   uint64
}

func (w *governedWorld) put(t *rapid.T) {
	before := w.effective()
	var affected Affected
	var err *amqp.Error
	if rapid.Bool().Draw(t, "operator") {
		affected, err = w.vhost.PutOperatorPolicy(somePolicy(t, true))
	} else {
		affected, err = w.vhost.PutPolicy(somePolicy(t, false))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.told(t, before, affected)
}

func (w *governedWorld) take(t *rapid.T) {
	before := w.effective()
	name := rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "name")
	take := w.vhost.ClearPolicy
	if rapid.Bool().Draw(t, "operator") {
		take = w.vhost.ClearOperatorPolicy
	}
	affected, _ := take(name)
	w.told(t, before, affected)
}

func (w *governedWorld) effective() map[string]Effective {
	all := map[string]Effective{}
	for _, q := range w.vhost.Queues() {
		all[q.Name], _ = w.vhost.Effective(q.Name)
	}
	return all
}

// told tells whether every queue that changed was named.
func (w *governedWorld) told(t *rapid.T, before map[string]Effective, a Affected) {
	for name, e := range w.effective() {
		if e != before[name] && !slices.Contains(a.Queues, name) {
			t.Fatalf("%s changed from %+v to %+v; told of %v", name, before[name], e, a.Queues)
		}
	}
}

func (w *governedWorld) declareQueue(t *rapid.T) {
	all := map[string]any{}
	if rapid.Bool().Draw(t, "quorum") {
		all["x-queue-type"] = "quorum"
	}
	for _, key := range []string{"x-message-ttl", "x-max-length"} {
		if rapid.Bool().Draw(t, key) {
			all[key] = rapid.IntRange(1, 5).Draw(t, key+" is")
		}
	}
	if rapid.Bool().Draw(t, "overflow") {
		all["x-overflow"] = rapid.SampledFrom([]string{"drop-head", "reject-publish"}).
			Draw(t, "x-overflow")
	}
	if rapid.Bool().Draw(t, "dead letters") {
		all["x-dead-letter-exchange"] = "own"
	}
	w.ids++
	_, _, _ = w.vhost.DeclareQueue(Queue{
		ID: w.ids, Name: someGoverned.Draw(t, "name"), Durable: true,
		Arguments: amqp.NewTable(all),
	})
}

var someGoverned = rapid.SampledFrom([]string{"a", "b", "ab", "ba", "Ab", "c"})

func (w *governedWorld) declareExchange(t *rapid.T) {
	x := Exchange{Name: someGoverned.Draw(t, "name"), Type: "fanout", Durable: true}
	if rapid.Bool().Draw(t, "has alternate") {
		x.Arguments = amqp.NewTable(map[string]any{alternateArgument: "own"})
	}
	_, _ = w.vhost.DeclareExchange(x)
}

func (w *governedWorld) remove(t *rapid.T) {
	name := someGoverned.Draw(t, "name")
	w.vhost.DeleteQueue(name)
	_, _ = w.vhost.DeleteExchange(name, false)
}

func (w *governedWorld) check(t *rapid.T) {
	again := New(exchange.Standard())
	w.state.Snapshot(func(c Command) {
		decoded, err := DecodeCommand(c.AppendTo(nil))
		if err == nil {
			err = again.Replay(decoded)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	restarted, _ := again.VHost("/")
	for name, e := range w.effective() {
		if want := slowEffective(w.vhost, name); e != want {
			t.Fatalf("%s:\n%+v, want\n%+v", name, e, want)
		}
		if r, _ := restarted.Effective(name); r != e {
			t.Fatalf("%s after a restart:\n%+v, was\n%+v", name, r, e)
		}
	}
	for name, x := range w.vhost.exchanges {
		want := ""
		if p := slowBest(w.vhost.Policies(), "exchange", name); p != nil {
			want = textOf(p.Definition, alternateKey)
		}
		if _, ok := x.Arguments.Lookup(alternateArgument); ok {
			want = "own"
		}
		if x.alternate != want || restarted.exchanges[name].alternate != want {
			t.Fatalf("exchange %s: alternate %q, after a restart %q, want %q", name, x.alternate,
				restarted.exchanges[name].alternate, want)
		}
	}
}

func TestWhatHoldsIsWhatATwinSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &governedWorld{state: New(exchange.Standard())}
		w.state.PutVHost("/")
		w.vhost, _ = w.state.VHost("/")
		t.Repeat(map[string]func(*rapid.T){
			"put": w.put, "put more": w.put, "clear": w.take, "declare queue": w.declareQueue,
			"declare exchange": w.declareExchange, "delete": w.remove, "": w.check,
		})
	})
}

// slowBest looks at all policies.
func slowBest(all []Policy, kind, name string) *Policy {
	var best *Policy
	for i := range all {
		p := &all[i]
		applies := map[string]string{
			"exchange": " all exchanges ", "classic": " all queues classic_queues ",
			"quorum": " all queues quorum_queues ",
		}[kind]
		refused := map[string][]string{
			"classic": {deliveryLimitKey, strategyKey, "max-age"},
			"quorum":  {"queue-mode", "max-age"},
		}[kind]
		fits := strings.Contains(applies, " "+p.ApplyTo+" ") &&
			regexp.MustCompile(p.Pattern).MatchString(name) &&
			!slices.ContainsFunc(refused, func(key string) bool {
				_, ok := p.Definition.Lookup(key)
				return ok
			})
		if fits && (best == nil || cmp.Or(-cmp.Compare(p.Priority, best.Priority),
			cmp.Compare(p.Name, best.Name)) < 0) {
			best = p
		}
	}
	return best
}

func textOf(t amqp.Table, key string) string {
	s, _ := t.Map()[key].(string)
	return s
}

// slowEffective follows RabbitMQ's documentation word by word.
func slowEffective(v *VHost, name string) Effective {
	q, _ := v.Queue(name)
	quorum := q.Type == "quorum"
	policy, operator := slowBest(v.Policies(), q.Type, name),
		slowBest(v.OperatorPolicies(), q.Type, name)
	arguments := q.Arguments.Map()
	sources := []map[string]any{{}, {}, {}}
	for key, value := range arguments {
		sources[0][strings.TrimPrefix(key, "x-")] = value
	}
	e := Effective{Settings: queue.Plain(), Durability: Fsync}
	if policy != nil {
		e.Policy, sources[1] = policy.Name, policy.Definition.Map()
	}
	if operator != nil {
		e.OperatorPolicy, sources[2] = operator.Name, operator.Definition.Map()
	}
	number := func(key string) int64 {
		n := int64(queue.None)
		for _, s := range sources {
			if value, ok := s[key]; ok {
				var set int64
				_, _ = fmt.Sscan(fmt.Sprint(value), &set)
				if n == queue.None || set < n {
					n = set
				}
			}
		}
		return n
	}
	e.MessageTTL, e.Expires = number("message-ttl"), number("expires")
	e.MaxLength, e.MaxBytes = number("max-length"), number("max-length-bytes")
	e.DeliveryLimit = number("delivery-limit")
	text := func(key string) (string, bool) {
		for _, s := range sources {
			if value, ok := s[key]; ok {
				return value.(string), true
			}
		}
		return "", false
	}
	overflow, _ := text("overflow")
	if byPolicy, ok := sources[1]["overflow"]; ok && quorum {
		overflow = byPolicy.(string)
	}
	e.Overflow = map[string]queue.Overflow{
		"reject-publish": queue.RejectPublish, "reject-publish-dlx": queue.RejectPublishDeadLetter,
	}[overflow]
	if quorum && overflow == "reject-publish-dlx" {
		e.Overflow = queue.DropHead
	}
	if to, ok := text("dead-letter-exchange"); ok {
		e.DeadLetters, e.DeadLetterExchange = queue.AtMostOnce, to
		e.DeadLetterKey, e.HasDeadLetterKey = text("dead-letter-routing-key")
		strategy, _ := text("dead-letter-strategy")
		if quorum && strategy == "at-least-once" && overflow == "reject-publish" {
			e.DeadLetters = queue.AtLeastOnce
		}
	}
	if durability, _ := text("durability"); durability == "os" && !quorum {
		e.Durability = OS
	}
	e.CountsDeliveries = quorum
	return e
}
