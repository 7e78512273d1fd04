package migrate

import (
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConfirmsAreCountedOnce, in whatever order and grouping they come.
func TestConfirmsAreCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known := tally{single: map[uint64]struct{}{}}
		seen := map[uint64]bool{}
		total := 0
		for range rapid.IntRange(0, 50).Draw(t, "confirms") {
			tag := rapid.Uint64Range(1, 30).Draw(t, "tag")
			multiple := rapid.Bool().Draw(t, "multiple")
			total += known.add(tag, multiple)
			for number := tag; number > 0; number-- {
				seen[number] = true
				if !multiple {
					break
				}
			}
			if total != len(seen) {
				t.Fatalf("%d are counted, %d are confirmed", total, len(seen))
			}
		}
	})
}

func TestEndpointsAreParsed(t *testing.T) {
	e, err := ParseEndpoint("amqps://u:p%2F@host/vhost")
	if err != nil || e.Address != "host:5671" || e.User != "u" || e.Password != "p/" ||
		e.TLS == nil {
		t.Errorf("parsed %+v, %v", e, err)
	}
	for _, wrong := range []string{"", "http://host", "amqp://", "amqp://u:p%@h"} {
		if _, err := ParseEndpoint(wrong); err == nil {
			t.Errorf("%q is an endpoint", wrong)
		}
	}
}
