package amqp091

import (
	"strconv"
	"testing"
)

func TestStatsWithEachExchangeAndQueueHaveALimit(t *testing.T) {
	d := (&Options{DetailedStats: true}).newDetails()
	for i := range detailsMax + 10 {
		s := d.of(d.publishes, []byte(strconv.Itoa(i)))
		if (s == nil) != (i >= detailsMax) {
			t.Fatalf("stats %d: %v", i, s)
		}
	}
	if d.of(d.publishes, []byte("0")) == nil || len(d.list(d.publishes)) != detailsMax {
		t.Error("those that were there are gone")
	}
	if (&Options{}).newDetails() != nil {
		t.Error("stats are kept that nobody wants")
	}
}
