package management

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTheFirstOnesAreThoseOfAFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.IntRange(0, 50), 0, 200).Draw(t, "numbers")
		count := rapid.IntRange(0, len(numbers)).Draw(t, "count")
		rows := make([]*int, len(numbers))
		for i := range numbers {
			rows[i] = &numbers[i]
		}
		sortFirst(rows, count, func(a, b *int) int { return cmp.Compare(*a, *b) })
		got := make([]int, count)
		for i := range got {
			got[i] = *rows[i]
		}
		want := slices.Sorted(slices.Values(numbers))[:count]
		if !slices.Equal(got, want) {
			t.Fatalf("the first %d are %v, want %v", count, got, want)
		}
	})
}

func TestListsFollowWhatComesAndGoes(t *testing.T) {
	h := open(t)
	list := func() string { return names(get[[]queueInfo](h, "/api/queues")) }
	h.declare("b", "d")
	if got := list(); got != "b d" {
		t.Errorf("the queues are %s", got)
	}
	h.declare("c", "a")
	if got := list(); got != "a b c d" {
		t.Errorf("after two came: %s", got)
	}
	if a := h.ask("guest", "DELETE", "/api/queues/%2F/b", ""); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := list(); got != "a c d" {
		t.Errorf("after one went: %s", got)
	}
}

func TestManyQueuesAreSummedUpBySamples(t *testing.T) {
	h := open(t)
	for i := range liveQueuesMax + 1 {
		h.declare("queue-" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) +
			string(rune('a'+i/26/26)))
	}
	h.publish("queue-aaa", 5)
	h.sampler.sample(h.started.Add(2 * h.o.Interval))
	h.publish("queue-aaa", 5)
	type overview struct {
		Totals struct{ Messages int } `json:"queue_totals"`
	}
	if o := get[overview](h, "/api/overview"); o.Totals.Messages != 5 {
		t.Errorf("%d messages are told of, 5 were there at the last sample", o.Totals.Messages)
	}
}
