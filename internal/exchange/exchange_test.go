package exchange

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

func newRouter(t testing.TB, name string) Router {
	for _, kind := range Standard() {
		if kind.Name == name {
			return kind.New()
		}
	}
	t.Fatalf("no type %s", name)
	return nil
}

// withHeaders returns properties that are headers and nothing else.
func withHeaders(headers map[string]any) amqp.RawProperties {
	p := amqp.Properties{Headers: amqp.NewTable(headers)}
	return p.AppendTo(nil)
}

func queue(i int) string { return "queue-" + strconv.Itoa(i) }

// scene is a router with many bindings, and a message for it.
type scene struct {
	name    string
	router  Router
	key     string
	headers amqp.RawProperties
	want    int // queues
}

func scenes(t testing.TB) []scene {
	direct := newRouter(t, "direct")
	fanout := newRouter(t, "fanout")
	topic := newRouter(t, "topic")
	storm := newRouter(t, "topic")
	headers := newRouter(t, "headers")
	hash, modulus, chance := newRouter(t, "x-consistent-hash"), newRouter(t, "x-modulus-hash"),
		newRouter(t, "x-random")
	for i := range 1000 {
		for _, x := range []Router{hash, modulus, chance} {
			x.Bind(Binding{Destination: queue(i), RoutingKey: "1000"})
		}
	}
	for i := range 10_000 {
		direct.Bind(Binding{Destination: queue(i), RoutingKey: queue(i)})
		topic.Bind(Binding{Destination: queue(i), RoutingKey: fmt.Sprintf("site.%d.*.#", i)})
	}
	for i := range 100 {
		fanout.Bind(Binding{Destination: queue(i)})
		headers.Bind(Binding{Destination: queue(i), Arguments: amqp.NewTable(map[string]any{
			"x-match": "all", "region": "eu", "number": i % 10,
		})})
		// Patterns with "#" between all words, on which trying every split never ends.
		storm.Bind(Binding{Destination: queue(i), RoutingKey: "#" + strings.Repeat(".a.#", 1+i)})
	}
	return []scene{
		{"direct/10000 bindings", direct, queue(77), nil, 1},
		{"fanout/100 bindings", fanout, "", nil, 100},
		{"topic/10000 bindings", topic, "site.77.temperature.now", nil, 1},
		{"topic/100 hashes each", storm, strings.Repeat("a.", 99) + "b", nil, 99},
		{"headers/100 bindings", headers, "", withHeaders(map[string]any{
			"region": "eu", "number": 7, "other": "header",
		}), 10},
		{"consistent hash/1000 bindings", hash, "site.77", nil, 1},
		{"modulus hash/1000 bindings", modulus, "site.77", nil, 1},
		{"random/1000 bindings", chance, "site.77", nil, 1},
	}
}

func TestRouteDoesNotAllocate(t *testing.T) {
	for _, s := range scenes(t) {
		var to Targets
		key := []byte(s.key)
		allocs := testing.AllocsPerRun(10, func() {
			to.Reset()
			s.router.Route(key, s.headers, &to)
		})
		if allocs != 0 || len(to.Queues()) != s.want {
			t.Errorf("%s: %v allocations, %d queues, want 0 and %d",
				s.name, allocs, len(to.Queues()), s.want)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	for _, s := range scenes(b) {
		b.Run(s.name, func(b *testing.B) {
			var to Targets
			key := []byte(s.key)
			b.ReportAllocs()
			for b.Loop() {
				to.Reset()
				s.router.Route(key, s.headers, &to)
			}
		})
	}
}

func BenchmarkBindAndUnbind(b *testing.B) {
	for _, s := range scenes(b) {
		b.Run(s.name, func(b *testing.B) {
			binding := Binding{Destination: "new", RoutingKey: "a.*.b.#"}
			b.ReportAllocs()
			for b.Loop() {
				s.router.Bind(binding)
				s.router.Unbind(binding)
			}
		})
	}
}

// The tree keeps each "#" once, so the work is bounded by words × patterns. Trying every split
// would take more steps for this key than there are atoms to count them.
func TestTopicDoesNotExplode(t *testing.T) {
	x := newRouter(t, "topic")
	pattern := strings.TrimSuffix(strings.Repeat("#.a.", 63), ".")
	x.Bind(Binding{Destination: "q", RoutingKey: pattern + ".z"})
	x.Bind(Binding{Destination: "r", RoutingKey: pattern + ".#"})
	var to Targets
	x.Route([]byte(strings.Repeat("a.", 127)+"a"), nil, &to)
	if got := to.Queues(); len(got) != 1 || got[0] != "r" {
		t.Fatalf("routed to %v", got)
	}
}

func TestTopicTakesTheLongestKey(t *testing.T) {
	x := newRouter(t, "topic")
	longest := strings.Repeat(".", amqp.ShortStrMax)
	x.Bind(Binding{Destination: "literal", RoutingKey: longest})
	x.Bind(Binding{Destination: "stars", RoutingKey: strings.Repeat("*.", 127) + "#"})
	var to Targets
	x.Route([]byte(longest), nil, &to)
	if len(to.Queues()) != 2 {
		t.Fatalf("routed to %v", to.Queues())
	}
	x.Unbind(Binding{Destination: "literal", RoutingKey: longest})
	to.Reset()
	x.Route([]byte(longest), nil, &to)
	if got := to.Queues(); len(got) != 1 || got[0] != "stars" {
		t.Fatalf("routed to %v after unbind", got)
	}
}

func TestNumbersOfHashesAreUsedAgain(t *testing.T) {
	x := newTopic().(*topic)
	for i := range 1000 {
		b := Binding{Destination: "q", RoutingKey: queue(i) + ".#"}
		x.Bind(b)
		x.Unbind(b)
	}
	if x.loops.most != 1 {
		t.Fatalf("one \"#\" at a time took %d numbers", x.loops.most)
	}
}

func TestRoutesConcurrently(t *testing.T) {
	all := scenes(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var to Targets
			for i := range 20 * len(all) {
				s := all[i%len(all)]
				to.Reset()
				s.router.Route([]byte(s.key), s.headers, &to)
				if len(to.Queues()) != s.want {
					t.Errorf("%s: %d queues, want %d", s.name, len(to.Queues()), s.want)
				}
			}
		})
	}
	wg.Wait()
}

func TestTargetsKeepEachNameOnceAcrossTheScanLimit(t *testing.T) {
	var to Targets
	for round := range 3 {
		to.Reset()
		for range 2 {
			for i := range scanMax + 5 {
				to.Add(queue(i), i%2 == 0)
			}
		}
		if n := len(to.Queues()) + len(to.Exchanges()); n != scanMax+5 {
			t.Fatalf("round %d: %d names", round, n)
		}
		to.Reset()
		for i := range 2 * scanMax {
			to.Add(queue(i%(scanMax+1)), false)
		}
		if len(to.Queues()) != scanMax+1 || to.Matches() != 2*scanMax {
			t.Fatalf("round %d: %d queues, %d matches", round, len(to.Queues()), to.Matches())
		}
	}
}

func TestTargetsDoNotKeepMoreMemoryThanTheirLimit(t *testing.T) {
	var to Targets
	many, pattern := newRouter(t, "topic"), newRouter(t, "headers")
	for i := range 2*keptMax + 1 {
		many.Bind(Binding{Destination: queue(i), RoutingKey: queue(i) + ".#"})
		many.Bind(Binding{Destination: queue(i), RoutingKey: "#." + queue(i) + ".#"})
		many.Bind(Binding{Destination: queue(i), RoutingKey: "a"})
		to.headers = append(to.headers, header{})
	}
	many.Route([]byte("a"), nil, &to)
	to.Add(queue(1), false)
	pattern.Route(nil, nil, &to)
	if n := len(to.Queues()); n != 2*keptMax+1 {
		t.Fatalf("routed to %d queues", n)
	}
	to.Reset()
	for name, n := range map[string]int{
		"queues": cap(to.queues.names), "index": len(to.queues.index), "places": cap(to.walk.next),
		"hashes": cap(to.walk.loops), "headers": cap(to.headers),
	} {
		if n > 2*keptMax {
			t.Errorf("%s: kept memory for %d", name, n)
		}
	}
}

func TestDestinationsStayRightWhenTheyAreMany(t *testing.T) {
	var d destinations
	const n = 10 * scanMax
	for i := range n {
		d.add(&Binding{Destination: queue(i)})
		d.add(&Binding{Destination: queue(i), RoutingKey: "again"})
	}
	if d.index == nil || len(d.list) != n {
		t.Fatalf("%d destinations, index %v", len(d.list), d.index != nil)
	}
	for i := range n - 1 {
		d.remove(&Binding{Destination: queue(i)})
		d.remove(&Binding{Destination: queue(i)})
		d.remove(&Binding{Destination: queue(i)}) // not there: nothing happens
		if len(d.list) != n-1-i {
			t.Fatalf("%d destinations after %d were removed", len(d.list), i+1)
		}
	}
	if d.index != nil || d.list[0].name != queue(n-1) || d.list[0].bindings != 2 {
		t.Fatalf("left: %+v, index %v", d.list, d.index != nil)
	}
}

func TestTermTextPrintsWhatRabbitMQPrints(t *testing.T) {
	for want, v := range map[string]any{
		`<<>>`: "", `<<"abc">>`: "abc", `<<"a'b">>`: "a'b",
		`<<"a\"b\\c\n\t\e">>`: "a\"b\\c\n\t\x1b",
		`<<0>>`:               "\x00", `<<127>>`: "\x7f",
		`<<128,97>>`: "\x80a", "<<\"\xe9\">>": "\xe9",
		`0.0`: 0.0, `-0.0`: math.Copysign(0, -1), `100.0`: 100.0, `1.0e3`: 1000.0,
		`123456.0`: 123456.0, `299792458.0`: 299792458.0, `9.007199254740992e15`: float64(1 << 53),
		`0.0001`: 0.0001, `1.2e-4`: 0.00012, `1.0e100`: 1e100, `5.0e-324`: 5e-324,
		`1.2345678901234567e19`: 12345678901234567890.0, `0.10000000149011612`: float32(0.1),
		`-7`: int8(-7), `18446744073709551615`: amqp.Timestamp(math.MaxUint64), `true`: true,
		`undefined`: nil, `{2,314}`: amqp.Decimal{Scale: 2, Value: 314}, `[]`: map[string]any{},
		`[{<<"a">>,signedint,1},{<<"b">>,void,undefined}]`: map[string]any{"a": 1, "b": nil},
		`[{longstr,<<"x">>},{bool,false}]`:                 []any{"x", false},
	} {
		value, _ := amqp.NewTable(map[string]any{"v": v}).Lookup("v")
		if got := TermText(value); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestEveryTypeLetterHasAName(t *testing.T) {
	for letter, want := range map[byte]string{
		't': "bool", 'b': "byte", 'B': "unsignedbyte", 's': "short", 'u': "unsignedshort",
		'I': "signedint", 'i': "unsignedint", 'l': "long", 'L': "long", 'f': "float", 'd': "double",
		'D': "decimal", 'S': "longstr", 'x': "binary", 'A': "array", 'F': "table",
		'T': "timestamp", 'V': "void", 'z': "undefined",
	} {
		if got := TermType(amqp.Value{Type: letter}); got != want {
			t.Errorf("%c: got %s, want %s", letter, got, want)
		}
	}
}

func TestTermEqualComparesNestedValuesWithTheirTypes(t *testing.T) {
	list := func(v ...any) any { return v }
	table := func(k string, v any) any { return map[string]any{k: v} }
	for i, c := range []struct {
		a, b any
		want bool
	}{
		{list(int32(1)), list(int32(1)), true},
		{list(int32(1)), list(int64(1)), false},
		{list(1.0), list(float32(1)), false},
		{list("a", "b"), list("a"), false},
		{list("a"), list("a", "b"), false},
		{list(), map[string]any{}, true},
		{map[string]any{}, list(), true},
		{list("a"), map[string]any{}, false},
		{table("a", int32(1)), table("a", int32(1)), true},
		{table("a", int32(1)), table("a", int8(1)), false},
		{table("a", int32(1)), table("b", int32(1)), false},
		{table("a", list(nil)), table("a", list(nil)), true},
		{table("a", 1), map[string]any{"a": 1, "b": 2}, false},
		{true, 1, false},
		{math.Inf(1), amqp.Timestamp(math.MaxUint64), false},
		{1e19, amqp.Timestamp(1e19), true},
		{math.NaN(), math.NaN(), false},
		{nil, nil, true},
		{nil, "", false},
	} {
		fields := amqp.NewTable(map[string]any{"a": c.a, "b": c.b})
		a, _ := fields.Lookup("a")
		b, _ := fields.Lookup("b")
		if got := TermEqual(a, b); got != c.want || TermEqual(b, a) != c.want {
			t.Errorf("%d: %v and %v: got %v, want %v", i, c.a, c.b, got, c.want)
		}
	}
}
