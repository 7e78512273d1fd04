package exchange

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
)

// nodes counts the places in a tree of patterns.
func (n *node) nodes() int {
	count := 1
	for _, c := range n.children {
		count += c.nodes()
	}
	for _, c := range []*node{n.child, n.star, n.hash} {
		if c != nil {
			count += c.nodes()
		}
	}
	return count
}

// cost routes a key and returns the steps it took, and how many its words and the tree allow.
func cost(x *topic, key string) (steps, most int) {
	var to Targets
	x.Route([]byte(key), nil, &to)
	return to.walk.steps, (strings.Count(key, ".") + 1) * x.root.nodes()
}

// TestHostilePatternsCostNoMoreThanTheirLength binds patterns on which matchers that go back
// take time that grows exponentially, and counts steps.
func TestHostilePatternsCostNoMoreThanTheirLength(t *testing.T) {
	long := strings.TrimSuffix(strings.Repeat("a.", amqp.ShortStrMax/2+1), ".")
	for _, pattern := range []string{
		"#",
		strings.TrimSuffix(strings.Repeat("#.", 127), "."),
		strings.Repeat("#.", 127) + "z",
		strings.TrimSuffix(strings.Repeat("#.*.", 63), "."),
		strings.TrimSuffix(strings.Repeat("*.#.", 63), "."),
		strings.Repeat("#.a.", 63) + "#",
		strings.Repeat("#.a.", 63) + "z",
		strings.Repeat("#.*.a.", 42) + "z",
	} {
		x := newTopic().(*topic)
		x.Bind(Binding{Destination: "q", RoutingKey: pattern})
		// Twice the words of the pattern, for a "#" stays reached: quadratic, and that is all.
		steps, most := cost(x, long)
		if words := strings.Count(pattern, ".") + 1; most > 129*(words+1) || steps > most {
			t.Errorf("%.20s...: %d steps, at most %d", pattern, steps, most)
		}
	}
}

// TestManyHostilePatternsCostNoMoreThanTheirSum binds all the ways to leave words out.
func TestManyHostilePatternsCostNoMoreThanTheirSum(t *testing.T) {
	const words = 10
	x := newTopic().(*topic)
	for set := range 1 << words {
		pattern := "#"
		for i := range words {
			if set&(1<<i) != 0 {
				pattern += fmt.Sprintf(".%c.#", 'a'+i)
			}
		}
		x.Bind(Binding{Destination: queue(set), RoutingKey: pattern})
	}
	steps, most := cost(x, strings.TrimSuffix(strings.Repeat("a.b.c.d.e.f.g.h.i.j.", 12), "."))
	if steps > most {
		t.Errorf("%d steps, at most %d", steps, most)
	}
}

func TestRoutingCostsAtMostWordsTimesPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newTopic().(*topic)
		patterns := rapid.SliceOfN(drawKey("a", "b", "*", "#", "#"), 1, 50).Draw(t, "patterns")
		for i, p := range patterns {
			x.Bind(Binding{Destination: queue(i), RoutingKey: p})
		}
		if steps, most := cost(x, drawKey("a", "b", "c").Draw(t, "key")); steps > most {
			t.Fatalf("%d steps, at most %d", steps, most)
		}
	})
}

// wildcards are n patterns of four shapes, and for each a key that matches it and no other.
func wildcards(n int) (patterns []string, keys [][]byte) {
	for i := range n {
		shape := [...][2]string{
			{"%06d.*.fast", "%06d.red.fast"}, {"%06d.#", "%06d.red.fast"},
			{"*.%06d.*", "red.%06d.fast"}, {"#.%06d", "red.fast.%06d"},
		}[i%4]
		patterns = append(patterns, fmt.Sprintf(shape[0], i))
		keys = append(keys, []byte(fmt.Sprintf(shape[1], i)))
	}
	return patterns, keys
}

// TestAKeyIsNotComparedWithEveryPattern: a hundred times the patterns, the same few steps.
func TestAKeyIsNotComparedWithEveryPattern(t *testing.T) {
	x := newTopic().(*topic)
	patterns, keys := wildcards(100_000)
	for i, p := range patterns {
		x.Bind(Binding{Destination: queue(i % 10), RoutingKey: p})
	}
	for i := 0; i < len(keys); i += 997 {
		if steps, _ := cost(x, string(keys[i])); steps > 12 {
			t.Errorf("%s: %d steps", keys[i], steps)
		}
	}
}

// BenchmarkManyPatterns routes keys in random order, so that no processor cache has the way of
// all of them, and makes and removes bindings among them.
func BenchmarkManyPatterns(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		for _, hits := range []int{1, 10} {
			x := newTopic()
			patterns, keys := wildcards(n / hits)
			for i, p := range patterns {
				for h := range hits {
					x.Bind(Binding{Destination: queue(i%100 + 100*h), RoutingKey: p})
				}
			}
			random := rand.New(rand.NewPCG(1, 2))
			random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			b.Run(fmt.Sprintf("route/%d bindings/%d queues", n, hits), func(b *testing.B) {
				var to Targets
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					to.Reset()
					x.Route(keys[i%len(keys)], nil, &to)
				}
				if len(to.Queues()) != hits {
					b.Fatalf("routed to %d queues", len(to.Queues()))
				}
			})
			b.Run(fmt.Sprintf("bind and unbind/%d bindings", n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					p := Binding{Destination: "new", RoutingKey: patterns[i%len(patterns)]}
					x.Bind(p)
					x.Unbind(p)
				}
			})
		}
	}
}
