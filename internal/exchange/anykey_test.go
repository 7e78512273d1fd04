package exchange

import (
	"slices"
	"strconv"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

// TestTypesThatTakeAnyKeyDoNotLookAtIt.
func TestTypesThatTakeAnyKeyDoNotLookAtIt(t *testing.T) {
	headers := amqp.NewTable(map[string]any{"a": 1})
	p := amqp.Properties{Headers: headers}
	props := amqp.RawProperties(p.AppendTo(nil))
	for _, kind := range Standard() {
		if !kind.AnyKey {
			continue
		}
		r := kind.New()
		for n := range 10 {
			key := strconv.Itoa(n)
			b := Binding{Source: "x", Destination: "q" + key, RoutingKey: key}
			if n%2 == 0 {
				b.Arguments = headers
			}
			r.Bind(b)
		}
		var first []string
		for n := range 10 {
			var to Targets
			to.Reset()
			r.Route([]byte(strconv.Itoa(n)), props, &to)
			got := slices.Sorted(slices.Values(to.Queues()))
			if n == 0 {
				first = got
			}
			if len(got) == 0 || !slices.Equal(got, first) {
				t.Errorf("%s: key %d leads to %v, key 0 to %v", kind.Name, n, got, first)
			}
		}
	}
}
