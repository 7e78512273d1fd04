package perf

import (
	"testing"
	"time"
)

func TestPacerSpreadsMessagesEvenly(t *testing.T) {
	p := pacer{rate: 1000, start: 5e9}
	for _, c := range []struct {
		after time.Duration
		done  uint64
		due   uint64
		wait  time.Duration
	}{
		{-time.Millisecond, 0, 0, time.Millisecond},
		{0, 0, 1, 0},
		{0, 1, 0, time.Millisecond},
		{time.Millisecond - 1, 1, 0, 1},
		{time.Millisecond, 1, 1, 0},
		{time.Millisecond, 2, 0, time.Millisecond},
		{time.Second, 1, 1000, 0}, // after a stall, all that was missed
	} {
		due, wait := p.due(p.start+int64(c.after), c.done)
		if due != c.due || wait != c.wait {
			t.Errorf("after %v with %d done: %d due, wait %v; want %d, %v",
				c.after, c.done, due, wait, c.due, c.wait)
		}
	}
}
