package queue

import "testing"

func TestNothingGoesBeforeWhatIsBeingLoaded(t *testing.T) {
	var q Queue
	q.paging.shrink = pagedShrink
	c := &Consumer{Prefetch: 40}
	q.Apply(0, append([]Command{{Kind: Subscribe, Consumer: c}},
		enqueueMany(storyMessage(t, "m", 1000), 1, 100, true)...), nil)
	q.SetResidentMax(1)
	q.Apply(0, nil, nil)
	var loads []Effect
	for q.paging.loading.Last == 0 {
		get := Command{Kind: Get, Consumer: &Consumer{}}
		effects, _ := q.Apply(0, []Command{get}, nil)
		loads = append(loads, effects[1:]...)
	}
	if len(loads) != 1 || q.resident == 0 {
		t.Fatalf("want one load while something is there, got %v, %d bytes", loads, q.resident)
	}
	// What returns makes the head longer than it need be.
	commands := []Command{{Kind: Cancel, Consumer: c}}
	for seq := uint64(1); seq <= 40; seq++ {
		commands = append(commands, Command{Kind: Return, Seq: seq})
	}
	q.Apply(0, commands, nil)
	checkBooks(t, &q)
	first := loads[0].Seq
	q.Apply(0, []Command{{Kind: LoadFailed, Seq: first}}, nil)
	if r := q.out.ranges[0]; r.First >= first {
		t.Errorf("out is what begins with %d, want more than from %d on", r.First, first)
	}
	checkBooks(t, &q)
}
