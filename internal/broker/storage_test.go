package broker

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
)

// patient is a Receiver whose first flush lasts until more has been received than one turn of a
// queue delivers.
type patient struct {
	inbox
	t        testing.TB
	received atomic.Int32
	flushed  atomic.Bool
	more     chan struct{} // closed then
}

// Receive implements Receiver.
func (p *patient) Receive(q *Queue, effects []queue.Effect) (flush bool) {
	flush = p.inbox.Receive(q, effects)
	n := int32(len(effects))
	const turn = queue.DeliveriesMax + 1
	if after := p.received.Add(n); after > turn && after-n <= turn {
		close(p.more)
	}
	return flush
}

// Flush implements Receiver.
func (p *patient) Flush() {
	p.inbox.Flush()
	if p.flushed.Swap(true) {
		return
	}
	select {
	case <-p.more:
	case <-time.After(10 * time.Second):
		p.t.Error("nothing is read while something is sent")
	}
}

// TestABacklogIsReadWhileItIsSent drains a queue of which some is on disk.
func TestABacklogIsReadWhileItIsSent(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declare("q", true)
	h.resident.Add(residentSum) // as if others had taken it
	const size = 1 << 10
	const messages = 5 * queue.LoadBytes / size
	padding := strings.Repeat(".", size)
	for i := range messages {
		c.publish("", "q", strconv.Itoa(i)+padding, i%2 == 0)
	}
	if h.store.Stats().SpilledBytes == 0 {
		t.Fatal("all of it is in memory")
	}
	p := &patient{t: t, more: make(chan struct{})}
	c.batch.Do(q, queue.Command{
		Kind: queue.Subscribe, Consumer: &queue.Consumer{Owner: p, NoAck: true},
	})
	h.loading.Wait()
	events := p.take()[1:]
	if len(events) != messages {
		t.Fatalf("%d messages of %d", len(events), messages)
	}
	for i, e := range events {
		if body := strings.TrimRight(e.body, "."); body != strconv.Itoa(i) {
			t.Fatalf("delivery %d is %.20q", i, body)
		}
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d unsettled", n)
	}
}
