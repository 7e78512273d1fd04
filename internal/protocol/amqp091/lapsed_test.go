package amqp091

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestLapsedTagsAreRemembered compares with a map, within the bound.
func TestLapsedTagsAreRemembered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lapsed
		tags := rapid.SliceOfN(rapid.Uint64Range(1, 100), 0, 60).Draw(t, "tags")
		for _, tag := range tags {
			l.add(tag)
		}
		for tag := uint64(0); tag < 102; tag++ {
			if got := l.has(tag); got != slices.Contains(tags, tag) {
				t.Fatalf("after %v: has %d: %v", tags, tag, got)
			}
		}
		if !slices.IsSortedFunc(l, func(a, b tagRun) int { return int(a.last) - int(b.first) }) {
			t.Fatalf("runs do not rise: %v", l)
		}
	})
}

// TestLapsedTagsAreBounded reaches lapsedMax: what is added is found all the same.
func TestLapsedTagsAreBounded(t *testing.T) {
	var l lapsed
	for n := uint64(1); n <= 10*lapsedMax; n++ {
		l.add(n * n)
	}
	if len(l) > lapsedMax {
		t.Errorf("%d runs are kept", len(l))
	}
	for n := uint64(1); n <= 10*lapsedMax; n++ {
		if !l.has(n * n) {
			t.Errorf("%d is forgotten", n*n)
		}
	}
	if l.has(100*lapsedMax*lapsedMax + 1) {
		t.Error("what never came is known")
	}
}

// TestLapsedDeliveriesAreNotHeld takes what one of two consumers holds back.
func TestLapsedDeliveriesAreNotHeld(t *testing.T) {
	slow, quick := &consumer{}, &consumer{}
	u := &unacked{}
	for tag := uint64(1); tag <= 6; tag++ {
		k := quick
		if tag%2 == 1 {
			k = slow
		}
		u.push(delivery{tag: tag, consumer: k, counted: tag > 2})
	}
	if counted := u.lapse(slow); counted != 2 || u.len() != 3 {
		t.Errorf("%d counted, %d left", counted, u.len())
	}
	if taken, found := u.take(3, false, nil); !found || len(taken) != 0 {
		t.Errorf("a lapsed tag: %v, %v", taken, found)
	}
	if taken, found := u.take(5, true, nil); !found || !slices.Equal(tags(taken), []uint64{2, 4}) {
		t.Errorf("up to a lapsed tag: %v, %v", tags(taken), found)
	}
	if _, found := u.take(7, false, nil); found {
		t.Error("a tag that never was is taken")
	}
	if taken, found := u.take(6, false, nil); !found || len(taken) != 1 {
		t.Errorf("the last one: %v, %v", taken, found)
	}
}
