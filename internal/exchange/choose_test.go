package exchange

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
)

func drawWeighted() *rapid.Generator[Binding] {
	return rapid.Custom(func(t *rapid.T) Binding {
		b := Binding{
			Destination: "d" + strconv.Itoa(rapid.IntRange(1, 9).Draw(t, "destination")),
			ToExchange:  rapid.Bool().Draw(t, "to exchange"),
			RoutingKey:  strconv.Itoa(rapid.IntRange(1, 5).Draw(t, "weight")),
		}
		if rapid.Bool().Draw(t, "arguments") {
			b.Arguments = amqp.NewTable(map[string]any{"a": "b"})
		}
		return b
	})
}

// Modulus and random choose a binding, whatever leads there.
func TestChosenIsBound(t *testing.T) {
	for _, kind := range Standard() {
		if !kind.Chooses {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkChosen(t, kind) })
		})
	}
}

func checkChosen(t *rapid.T, kind Type) {
	x, y := kind.New(), kind.New()
	bound := rapid.SliceOfNDistinct(drawWeighted(), 1, 20, func(b Binding) string {
		return fmt.Sprint(b)
	}).Draw(t, "bindings")
	for i := range bound {
		x.Bind(bound[i])
		y.Bind(bound[len(bound)-1-i])
	}
	keep := rapid.IntRange(0, len(bound)).Draw(t, "keep")
	for _, b := range bound[keep:] {
		x.Unbind(b)
		x.Unbind(b) // not there: nothing happens
		y.Unbind(b)
	}
	var to Targets
	for i := range 20 {
		to.Reset()
		to.Seed = uint64(i)
		x.Route([]byte{byte(i)}, nil, &to)
		got := names(&to)
		if len(got) != min(keep, 1) || keep > 0 && !slices.ContainsFunc(bound[:keep],
			func(b Binding) bool { return destinationName(&b) == got[0] }) {
			t.Fatalf("routed to %q of %v", got, bound[:keep])
		}
		if kind.Name != "x-modulus-hash" {
			continue
		}
		to.Reset()
		y.Route([]byte{byte(i)}, nil, &to)
		if !slices.Equal(names(&to), got) {
			t.Fatalf("the order of binding decides: %q, %q", got, names(&to))
		}
	}
}

// TestGreatWeightsCostNothing binds more points than there is memory for.
func TestGreatWeightsCostNothing(t *testing.T) {
	x := newConsistentHash(hashSource{})
	const n = 100
	for i := range n {
		x.Bind(Binding{Destination: queue(i), RoutingKey: strconv.Itoa(WeightMax)})
	}
	x.Bind(Binding{Destination: "light", RoutingKey: "1"})
	got := spread(x, 100*n)
	for i := range n {
		if c := len(got[queue(i)]); c < 50 || c > 150 {
			t.Errorf("%s got %d keys, want about 100", queue(i), c)
		}
	}
	if c := len(got["light"]); c > 0 {
		t.Errorf("%d keys went to the queue that weighs next to nothing", c)
	}
}

// spread routes keys, and tells which went where.
func spread(x Router, keys int) map[string][]int {
	var to Targets
	got := make(map[string][]int)
	for i := range keys {
		to.Reset()
		x.Route([]byte(strconv.Itoa(i)), nil, &to)
		name := names(&to)[0]
		got[name] = append(got[name], i)
	}
	return got
}

func TestSharesFollowWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, sum := newConsistentHash(hashSource{}), 0
		weights := rapid.SliceOfN(rapid.IntRange(1, 100), 1, 10).Draw(t, "weights")
		for i, w := range weights {
			sum += w
			x.Bind(Binding{Destination: queue(i), RoutingKey: strconv.Itoa(w)})
		}
		const keys = 20_000
		got := spread(x, keys)
		for i, w := range weights {
			want := keys * float64(w) / float64(sum)
			if c := float64(len(got[queue(i)])); math.Abs(c-want) > 6*math.Sqrt(want)+1 {
				t.Fatalf("%s got %v keys, want about %v", queue(i), c, want)
			}
		}
	})
}

// TestOnlyKeysOfTheOneMove: those that go to a queue that is bound, or that was. In which order
// queues were bound is the same in the end.
func TestOnlyKeysOfTheOneMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := newConsistentHash(hashSource{}), newConsistentHash(hashSource{})
		bound := rapid.SliceOfNDistinct(drawWeighted(), 1, 20, func(b Binding) string {
			return fmt.Sprint(b)
		}).Draw(t, "bindings")
		for _, b := range bound {
			x.Bind(b)
		}
		extra := Binding{Destination: "extra", RoutingKey: "3"}
		before := spread(x, 500)
		x.Bind(extra)
		with := spread(x, 500)
		for name, keys := range with {
			for _, k := range keys {
				if name != "extra" && !slices.Contains(before[name], k) {
					t.Fatalf("key %d moved to %s", k, name)
				}
			}
		}
		x.Unbind(extra)
		x.Unbind(extra) // not there: nothing happens
		for i := range bound {
			y.Bind(bound[len(bound)-1-i])
		}
		if got := spread(x, 500); !maps.EqualFunc(got, before, slices.Equal) {
			t.Fatal("a queue that came and went has left something")
		}
		if got := spread(y, 500); !maps.EqualFunc(got, before, slices.Equal) {
			t.Fatal("the order of binding decides")
		}
		for _, b := range bound {
			x.Unbind(b)
		}
		if len(x.places) != 0 || len(x.index) != 0 {
			t.Fatalf("left: %+v", x)
		}
	})
}
