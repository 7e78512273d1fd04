package broker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/telemetry"
	"github.com/warrenmq/warren/internal/wheel"
)

// Queue is one queue of a vhost: its machine, the lock that makes callers of the machine take
// turns, and its counters.
type Queue struct {
	// Definition is how the queue was declared. It never changes.
	Definition *definition.Queue

	vhost *VHost
	// effective is what holds for the queue, by its arguments and policies.
	effective atomic.Pointer[definition.Effective]
	// stable is closed when the queue's definition is on stable storage: no message may be
	// confirmed before that. nil: it is.
	stable chan struct{}
	flow   atomic.Pointer[Flow] // nil: running, always was
	// disk is the store's side of the queue. nil: nothing of it was ever on disk; of a queue
	// that is not logged it is made under mu.
	disk *store.Queue

	mu      sync.Mutex
	machine queue.Queue
	// accounted is what of the queue counts in the manager's sum of messages in memory.
	accounted int
	// timer is when the clock looks at the queue next, wakes the time that it was told to, and
	// wakesAfter when that is by a clock that nobody sets.
	timer      wheel.Handle
	wakes      int64
	wakesAfter time.Time
	// letters says, of messages that wait for their dead letter to be taken by all queues that it
	// goes to, which of these have.
	letters map[uint64][]*Queue
	// ending: it was decided that the queue ends; nobody may subscribe any more.
	ending bool
	// Counters of messages since the node started.
	published, acked, returned uint64
	delivered                  Deliveries
	most                       int // messages at once
	seen                       seen
	// spans are the traces of messages, by their numbers, that are not found otherwise; see
	// spansMax.
	spans map[uint64]telemetry.Place
}

// Name returns the queue's name.
func (q *Queue) Name() string { return q.Definition.Name }

// VHostName returns the name of the vhost the queue is in.
func (q *Queue) VHostName() string { return q.vhost.name }

// logged reports whether persistent messages of the queue go to the log.
func (q *Queue) logged() bool { return q.Definition.Durable && !q.Definition.Exclusive }

func (q *Queue) storeID() store.QueueID { return store.QueueID(q.Definition.ID) }

// settings returns what holds for the queue. Nobody writes to it.
func (q *Queue) settings() *definition.Effective { return q.effective.Load() }

// configure tells the queue what holds for it from now on. The next Apply, which the caller sees
// to, takes it into account.
func (q *Queue) configure(e definition.Effective) {
	q.mu.Lock()
	defer q.mu.Unlock()
	old := q.effective.Swap(&e)
	if e.Settings != queue.Plain() || old != nil {
		q.machine.Configure(e.Settings)
	}
}

// reconfigure is configure for a queue that is in use.
func (q *Queue) reconfigure(e definition.Effective) {
	q.configure(e)
	b := q.vhost.m.NewBatch()
	defer b.Release()
	b.apply(q, nil)
	b.finish()
}

// touch tells a queue that expires when it is unused that it is not.
func (q *Queue) touch() {
	if q.settings().Expires == queue.None {
		return
	}
	b := q.vhost.m.NewBatch()
	b.Do(q, queue.Command{Kind: queue.Touch})
	b.Release()
}

// count keeps the counters, and reports whether the queue must know what time it is; the lock is
// held.
func (q *Queue) count(commands []queue.Command) (timed bool) {
	timed = !q.machine.Plain()
	rejected := uint64(0)
	for i := range commands {
		switch commands[i].Kind {
		case queue.Enqueue:
			q.published++
			timed = timed || commands[i].Message.MayExpire()
		case queue.Subscribe:
			timed = timed || commands[i].Consumer.Timeout > 0
		case queue.Ack:
			q.acked++
		case queue.Return:
			q.returned++
		case queue.Discard:
			rejected++
		}
	}
	if rejected > 0 && q.machine.Plain() { // others count themselves what dies
		q.vhost.m.counts.dead[q.Type()][DeadLettersDisabled][queue.Rejected].Add(rejected)
	}
	return timed
}

// awaitStable returns when the queue's definition is on stable storage, or cannot be: then the
// store has failed, and nothing is confirmed any more.
func (q *Queue) awaitStable() {
	if q.stable != nil {
		<-q.stable
	}
}

// decideEnd lets check decide whether the queue ends. What it was shown stays true of the
// consumers: none comes any more.
func (q *Queue) decideEnd(check func(QueueStats) *amqp.Error) *amqp.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := check(q.stats()); err != nil {
		return err
	}
	q.ending = true
	return nil
}
