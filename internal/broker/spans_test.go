package broker

import (
	"testing"

	"github.com/warrenmq/warren/internal/telemetry"
)

func TestAQueueRemembersABoundedNumberOfTraces(t *testing.T) {
	var q Queue
	for number := range uint64(2*spansMax + 1) {
		if q.remember(number, telemetry.Place{Own: true}); len(q.spans) > spansMax {
			t.Fatalf("%d traces", len(q.spans))
		}
		if !q.spans[number].Own {
			t.Fatal("the newest is forgotten")
		}
	}
}
