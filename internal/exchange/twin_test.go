package exchange

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
)

// matchesPattern is the slow and obvious twin of the tree of patterns.
func matchesPattern(pattern, words []string) bool {
	if len(pattern) == 0 {
		return len(words) == 0
	}
	if pattern[0] == "#" {
		return matchesPattern(pattern[1:], words) ||
			len(words) > 0 && matchesPattern(pattern, words[1:])
	}
	return len(words) > 0 && (pattern[0] == "*" || pattern[0] == words[0]) &&
		matchesPattern(pattern[1:], words[1:])
}

func splitWords(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

// matchesHeaders is the twin of the headers exchange for text values.
func matchesHeaders(pattern, headers map[string]any) bool {
	how, _ := pattern["x-match"].(string)
	kind, withX := strings.CutSuffix(how, "-with-x")
	hits, fields := 0, 0
	for k, want := range pattern {
		if k == "x-match" || !withX && strings.HasPrefix(k, "x-") {
			continue
		}
		fields++
		if got, ok := headers[k]; ok && (want == nil || want == got) {
			hits++
		}
	}
	if kind == "any" {
		return hits > 0
	}
	return hits == fields
}

func matchesAll(*Binding, string, map[string]any) bool { return true }

// twins tell for each type whether a binding matches.
var twins = map[string]func(b *Binding, key string, headers map[string]any) bool{
	"direct": func(b *Binding, key string, _ map[string]any) bool { return b.RoutingKey == key },
	"fanout": func(*Binding, string, map[string]any) bool { return true },
	"topic": func(b *Binding, key string, _ map[string]any) bool {
		return matchesPattern(splitWords(b.RoutingKey), splitWords(key))
	},
	"x-recent-history":  matchesAll,
	"x-delayed-message": matchesAll,
	"headers": func(b *Binding, _ string, headers map[string]any) bool {
		return matchesHeaders(b.Arguments.Map(), headers)
	},
}

func TestEveryTypeAgreesWithItsSlowTwin(t *testing.T) {
	for _, kind := range Standard() {
		if kind.Chooses {
			continue // see choose_test.go
		}
		t.Run(kind.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkTwin(t, kind, twins[kind.Name]) })
		})
	}
}

func checkTwin(
	t *rapid.T, kind Type, matches func(*Binding, string, map[string]any) bool,
) {
	router, bound, to := kind.New(), []Binding(nil), Targets{}
	bindings := drawBinding()
	keys := drawKey("a", "b", "", "*", "#")
	headers := drawHeaders()
	t.Repeat(map[string]func(*rapid.T){
		"bind": func(t *rapid.T) {
			b := bindings.Draw(t, "binding")
			if slices.ContainsFunc(bound, b.Equal) {
				t.Skip("bound already")
			}
			bound = append(bound, b)
			router.Bind(b)
		},
		"unbind": func(t *rapid.T) {
			if len(bound) == 0 {
				t.Skip("nothing bound")
			}
			i := rapid.IntRange(0, len(bound)-1).Draw(t, "which")
			router.Unbind(bound[i])
			bound = slices.Delete(bound, i, i+1)
		},
		"route": func(t *rapid.T) {
			key, h := keys.Draw(t, "key"), headers.Draw(t, "headers")
			to.Reset()
			router.Route([]byte(key), withHeaders(h), &to)
			var want []string
			for i := range bound {
				if matches(&bound[i], key, h) {
					want = append(want, destinationName(&bound[i]))
				}
			}
			slices.Sort(want)
			if got := names(&to); !slices.Equal(got, slices.Compact(want)) {
				t.Fatalf("key %q, headers %v: routed to %q, want %q", key, h, got, want)
			}
		},
	})
	for _, b := range bound {
		router.Unbind(b)
	}
	if x, ok := router.(*topic); ok && !x.root.useless() {
		t.Fatal("patterns are left in the tree when nothing is bound")
	}
}

func destinationName(b *Binding) string {
	if b.ToExchange {
		return "x:" + b.Destination
	}
	return b.Destination
}

func names(to *Targets) []string {
	all := slices.Clone(to.Queues())
	for _, x := range to.Exchanges() {
		all = append(all, "x:"+x)
	}
	slices.Sort(all)
	return all
}

func drawKey(words ...string) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom(words), 0, 6), func(w []string) string {
		return strings.Join(w, ".")
	})
}

func drawHeaders() *rapid.Generator[map[string]any] {
	value := rapid.SampledFrom([]any{"1", "2", nil})
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "x-d"}), value, 0, 4)
}

func drawBinding() *rapid.Generator[Binding] {
	return rapid.Custom(func(t *rapid.T) Binding {
		arguments := drawHeaders().Draw(t, "arguments")
		if how := rapid.SampledFrom([]string{
			"", "all", "any", "all-with-x", "any-with-x",
		}).Draw(t, "x-match"); how != "" {
			arguments["x-match"] = how
		}
		return Binding{
			Source:      "x",
			Destination: "d" + strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "destination")),
			ToExchange:  rapid.Bool().Draw(t, "to exchange"),
			RoutingKey:  drawKey("a", "b", "", "*", "#", "#").Draw(t, "pattern"),
			Arguments:   amqp.NewTable(arguments),
		}
	})
}
