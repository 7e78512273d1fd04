package exchange

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
)

// chooses are the types that choose one of the bindings.
var chooses = map[string]bool{"x-consistent-hash": true, "x-modulus-hash": true, "x-random": true}

// slowJump is jump as its authors wrote it.
func slowJump(key uint64, buckets int64) int64 {
	b, j := int64(-1), int64(0)
	for j < buckets {
		b = j
		key = key*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(int64(1)<<31) / float64((key>>33)+1)))
	}
	return b
}

func TestJumpIsThatOfTheAuthors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.Uint64().Draw(t, "hash")
		n := rapid.Int64Range(1, 1<<31).Draw(t, "buckets")
		if got, want := jump(hash, n), slowJump(hash, n); got != want {
			t.Fatalf("bucket %d, want %d", got, want)
		}
	})
}

// TestJumpEndsWhateverTheNumbers takes more buckets than all bindings there may ever be.
func TestJumpEndsWhateverTheNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash, n := rapid.Uint64().Draw(t, "hash"), rapid.Int64Range(1, 1<<62).Draw(t, "buckets")
		if got := jump(hash, n); got < 0 || got >= n {
			t.Fatalf("bucket %d of %d", got, n)
		}
	})
}

// slowRing is the twin of consistentHash: a list of buckets.
type slowRing struct{ bound []Binding }

func (r *slowRing) buckets() (list []string) {
	var seen []string
	for i := range r.bound {
		name := destinationName(&r.bound[i])
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		n, _ := strconv.Atoi(r.bound[i].RoutingKey)
		for range n {
			list = append(list, name)
		}
	}
	return list
}

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

// A binding that is not the first to its destination does not count; when the first goes, the next
// one does, in its place.
func TestConsistentHashAgreesWithBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, slow, to := newConsistentHash(hashSource{}), slowRing{}, Targets{}
		t.Repeat(map[string]func(*rapid.T){
			"bind": func(t *rapid.T) {
				b := drawWeighted().Draw(t, "binding")
				if slices.ContainsFunc(slow.bound, b.Equal) {
					t.Skip("bound already")
				}
				x.Bind(b)
				slow.bound = append(slow.bound, b)
			},
			"unbind": func(t *rapid.T) {
				if len(slow.bound) == 0 {
					t.Skip("nothing bound")
				}
				i := rapid.IntRange(0, len(slow.bound)-1).Draw(t, "which")
				b := slow.bound[i]
				x.Unbind(b)
				slow.unbind(i)
			},
			"route": func(t *rapid.T) {
				key := rapid.String().Draw(t, "key")
				to.Reset()
				x.Route([]byte(key), nil, &to)
				var want []string
				if list := slow.buckets(); len(list) > 0 {
					want = list[jump(hashText([]byte(key)), int64(len(list))):][:1]
				}
				if got := names(&to); !slices.Equal(got, want) {
					t.Fatalf("routed to %q, want %q", got, want)
				}
			},
		})
		for _, b := range slow.bound {
			x.Unbind(b)
		}
		if len(x.places) != 0 || x.vacant != 0 || len(x.index) != 0 {
			t.Fatalf("left: %+v", x)
		}
	})
}

// unbind takes a binding away; the next to the same destination takes its place.
func (r *slowRing) unbind(i int) {
	name := destinationName(&r.bound[i])
	first := slices.IndexFunc(r.bound, func(b Binding) bool { return destinationName(&b) == name })
	r.bound[i].Destination += " gone"
	if next := slices.IndexFunc(r.bound, func(b Binding) bool {
		return destinationName(&b) == name
	}); next > i && first == i {
		r.bound[i], r.bound[next] = r.bound[next], r.bound[i]
		i = next
	}
	r.bound = slices.Delete(r.bound, i, i+1)
}

// Modulus and random choose a binding, whatever leads there.
func TestChosenIsBound(t *testing.T) {
	for _, kind := range Standard() {
		if !chooses[kind.Name] {
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

// TestGreatWeightsCostNothing binds more buckets than there is memory for.
func TestGreatWeightsCostNothing(t *testing.T) {
	x := newConsistentHash(hashSource{})
	const n = 1000
	for i := range n {
		x.Bind(Binding{Destination: queue(i), RoutingKey: strconv.Itoa(WeightMax)})
	}
	if got := x.sums.total(); got != n*WeightMax {
		t.Fatalf("weights sum up to %d", got)
	}
	used := make(map[string]bool)
	var to Targets
	for i := range 100 * n {
		to.Reset()
		x.Route([]byte(strconv.Itoa(i)), nil, &to)
		used[to.Queues()[0]] = true
	}
	if len(used) != n {
		t.Errorf("%d of %d queues get messages", len(used), n)
	}
	for i := range n {
		x.Unbind(Binding{Destination: queue(i), RoutingKey: strconv.Itoa(WeightMax)})
	}
	if len(x.places) != 0 {
		t.Errorf("%d places are left", len(x.places))
	}
}

// TestFewKeysMoveWhenAQueueIsBound: only to the new queue, and about its share.
func TestFewKeysMoveWhenAQueueIsBound(t *testing.T) {
	x := newConsistentHash(hashSource{})
	const queues, keys = 10, 10_000
	for i := range queues {
		x.Bind(Binding{Destination: queue(i), RoutingKey: "1"})
	}
	before := make([]string, keys)
	var to Targets
	route := func(i int) string {
		to.Reset()
		x.Route([]byte(strconv.Itoa(i)), nil, &to)
		return to.Queues()[0]
	}
	for i := range before {
		before[i] = route(i)
	}
	x.Bind(Binding{Destination: "new", RoutingKey: "1"})
	moved := 0
	for i := range before {
		if now := route(i); now != before[i] {
			moved++
			if now != "new" {
				t.Fatalf("key %d moved from %s to %s", i, before[i], now)
			}
		}
	}
	if want := keys / (queues + 1); math.Abs(float64(moved-want)) > 0.2*float64(want) {
		t.Errorf("%d keys moved, want about %d", moved, want)
	}
}
