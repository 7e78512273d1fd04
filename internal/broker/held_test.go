package broker

import (
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// onWait is a Holder that does something at the beginning of a wait.
type onWait func(w Wait)

func (f onWait) Begin(w Wait) { f(w) }

func (onWait) End() {}

// TestWhatCameBeforeDoesNotWaitForTheLog: while a publisher waits for the log, what it published
// before, in the same batch, is in its queue, where others can take it.
func TestWhatCameBeforeDoesNotWaitForTheLog(t *testing.T) {
	release := make(chan struct{})
	h := open(t, disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && strings.Contains(c.Name, "messages-") {
			return disk.Fault{Wait: func() { <-release }}
		}
		return disk.Fault{}
	}))
	c := h.guest()
	q := c.declare("q", true)
	published, waits := 0, 0
	c.batch.Hold = onWait(func(w Wait) {
		if w != WaitLog {
			return
		}
		if waits++; waits == 1 {
			if n := q.Stats().Ready; n != published || n == 0 {
				t.Errorf("%d messages are ready of %d that were published before", n, published)
			}
			close(release)
		}
	})
	m := c.message("", "q", strings.Repeat("x", 5<<20), true) // a buffer has room for one
	r := c.routes.Route(c.Access, nil, []byte("q"), m.Properties())
	for waits == 0 && published < 4 {
		c.batch.Publish(r, m)
		published++
	}
	c.batch.Run()
	if waits == 0 {
		close(release)
		t.Errorf("%d messages did not wait for the log", published)
	}
	if n := q.Stats().Ready; n != published {
		t.Errorf("%d messages are ready, %d were published", n, published)
	}
}
