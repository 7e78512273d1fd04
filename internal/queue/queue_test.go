package queue

import (
	"slices"
	"testing"
)

func TestCancelledConsumerIsForgotten(t *testing.T) {
	var q Queue
	a, b := &Consumer{Tag: "a"}, &Consumer{Tag: "b"}
	q.Apply(0, []Command{
		{Kind: Subscribe, Consumer: a}, {Kind: Subscribe, Consumer: b},
		{Kind: Cancel, Consumer: a},
	}, nil)
	if kept := slices.Index(q.consumers[:cap(q.consumers)], a); kept >= 0 {
		t.Errorf("the cancelled consumer is still reachable at %d", kept)
	}
	if b2 := q.consumers[:cap(q.consumers)][1:]; slices.Index(b2, b) >= 0 {
		t.Error("the consumer that stayed is there twice")
	}
}

func TestConsumerIsNotCancelledAtAnotherQueue(t *testing.T) {
	var q, other Queue
	c := &Consumer{Tag: "c"}
	q.Apply(0, []Command{{Kind: Subscribe, Consumer: c}}, nil)
	if effects, _ := other.Apply(0, []Command{{Kind: Cancel, Consumer: c}}, nil); len(effects) > 0 {
		t.Errorf("the other queue answers with %d effects", len(effects))
	}
	effects, _ := q.Apply(0, []Command{{Kind: Enqueue, Message: storyMessage(t, "m", 0)}}, nil)
	if len(effects) != 1 || effects[0].Kind != Deliver {
		t.Errorf("the consumer's own queue delivers nothing: %v", effects)
	}
}

func TestConsumerOfAnEndedQueueMaySubscribeToAnother(t *testing.T) {
	var q, next Queue
	c := &Consumer{Tag: "c", Prefetch: 1}
	m := Command{Kind: Enqueue, Message: storyMessage(t, "m", 0)}
	q.Apply(0, []Command{{Kind: Subscribe, Consumer: c}, m, {Kind: Delete}}, nil)
	if c.Unacked() != 0 {
		t.Errorf("it holds %d messages of a queue that is gone", c.Unacked())
	}
	effects, _ := next.Apply(0, []Command{{Kind: Subscribe, Consumer: c}, m}, nil)
	if len(effects) != 2 || effects[1].Kind != Deliver {
		t.Errorf("want subscribed and a delivery, got %v", effects)
	}
}
