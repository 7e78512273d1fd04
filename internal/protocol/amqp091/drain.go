package amqp091

import (
	"context"
	"fmt"
	"time"
)

const (
	// drainSlice is how many connections a drain ends at a time, drainPause the time until the
	// next: they all go to another node, which has to take them.
	drainSlice = 250
	drainPause = 100 * time.Millisecond
)

// Drain closes all connections with CONNECTION_FORCED and a reason, some at a time, and returns
// when none is left or ctx is done, with an error then. New ones are closed, too: who wants it to
// end takes no more of them before.
func (d *Door) Drain(ctx context.Context, reason string) error {
	told := make(map[*Connection]struct{})
	tick := time.NewTicker(drainPause)
	defer tick.Stop()
	for {
		list := d.list()
		if len(list) == 0 {
			return nil
		}
		slice := 0
		for _, c := range list {
			if _, was := told[c]; !was && slice < drainSlice {
				told[c] = struct{}{}
				c.evict(reason)
				slice++
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d connections are left: %w", len(d.list()), ctx.Err())
		case <-tick.C:
		}
	}
}
