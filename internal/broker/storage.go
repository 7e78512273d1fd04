package broker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

const (
	// residentMax is the memory in bytes that the ready messages of one queue may take before
	// the rest is left on disk, or put there.
	residentMax = 4 << 20
	// residentSum is what those of all queues may take before each has to do with residentLow.
	residentSum = 256 << 20
	residentLow = 128 << 10
	// accountStep: differences up to it are not worth an update of the sum.
	accountStep = 16 << 10
)

// limit tells the queue how much memory its messages may take; its lock is held.
func (m *Manager) limit(q *Queue) {
	if m.resident.Load() > residentSum {
		q.machine.SetResidentMax(residentLow)
		return
	}
	q.machine.SetResidentMax(residentMax)
}

// account brings the sum of what is in memory up to date; the queue's lock is held.
func (m *Manager) account(q *Queue) {
	now := q.machine.ResidentBytes()
	if d := now - q.accounted; d > accountStep || d < -accountStep || now == 0 && d != 0 {
		m.resident.Add(int64(d))
		q.accounted = now
	}
}

// load is messages that a queue wants read.
type load struct {
	queue       *Queue
	first, last uint64
}

// spill is messages that a queue wants to have out of memory.
type spill struct {
	queue    *Queue
	messages []store.Stored
	heads    []byte            // of the messages
	held     []message.Message // until they are written: the queue may let them go before
}

// spill collects a message; the queue's lock is held.
func (b *Batch) spill(q *Queue, e *queue.Effect) {
	if n := len(b.spills); n == 0 || b.spills[n-1].queue != q {
		if q.disk == nil {
			q.disk = b.m.store.OpenQueue(q.storeID())
		}
		b.spills = append(b.spills, spill{queue: q})
	}
	run := &b.spills[len(b.spills)-1]
	e.Message.Hold(1)
	run.held = append(run.held, e.Message)
	at := len(run.heads)
	run.heads = e.Message.AppendHead(run.heads, e.At())
	run.messages = append(run.messages, store.Stored{
		Number: e.Seq, Head: run.heads[at:], Message: e.Message.Bytes(),
	})
}

// spillAll writes what was collected, and tells the queues. It is the publisher who made a queue
// too long that is held up by this.
func (b *Batch) spillAll() {
	if b.Hold != nil {
		b.Hold.Begin(WaitQueue)
		defer b.Hold.End()
	}
	spills := b.spills
	b.spills = nil
	for _, s := range spills {
		done := queue.Command{Kind: queue.Spilled, Seq: s.messages[0].Number}
		if err := b.m.store.Spill(s.queue.disk, s.messages); err != nil {
			done.Kind = queue.SpillFailed
			b.m.spillFailed(s.queue, err)
		}
		for i := range s.held {
			b.releases.Add(&s.held[i])
		}
		b.releases.Flush()
		b.apply(s.queue, []queue.Command{done})
		if s.queue.deleted() {
			b.m.forget(s.queue) // what came after its end too
		}
	}
}

// spillFailed leaves the messages in memory: the alarm for memory is there for that.
func (m *Manager) spillFailed(q *Queue, err error) {
	if !errors.Is(err, store.ErrClosed) {
		m.log.Error("messages stay in memory", "vhost", q.VHostName(), "queue", q.Name(),
			"error", err)
	}
}

// deleted reports whether the queue has ended.
func (q *Queue) deleted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.machine.Deleted()
}

// forget tells the store that a queue has ended.
func (m *Manager) forget(q *Queue) {
	q.mu.Lock()
	disk := q.disk
	m.clock.forget(q)
	m.resident.Add(-int64(q.accounted))
	q.accounted = 0
	q.mu.Unlock()
	if disk == nil {
		return
	}
	m.store.DeleteQueue(disk)
	if q.Flow().State == FlowQuarantined {
		if err := m.store.Accept(q.storeID()); err != nil {
			m.log.Error("manifest", "error", err)
		}
	}
}

// startLoads has what was collected read, each by a goroutine of its own: a queue has one at a
// time.
func (b *Batch) startLoads() {
	for _, l := range b.loads {
		b.m.loading.Go(func() { b.m.load(l) })
	}
	clear(b.loads)
	b.loads = b.loads[:0]
}

// loaded is memory for what is read, used again by the next load.
type loaded struct {
	stored   []store.Stored
	messages []queue.Numbered
}

// loadedKept is how many messages there is room for after the end of a load.
const loadedKept = 1024

// release forgets what was read.
func (l *loaded) release() {
	clear(l.stored)
	clear(l.messages)
	l.stored, l.messages = l.stored[:0], l.messages[:0]
	if cap(l.stored) > loadedKept || cap(l.messages) > loadedKept {
		*l = loaded{}
	}
}

// load reads messages and gives them to their queue.
func (m *Manager) load(l load) {
	b := m.NewBatch()
	done := queue.Command{Kind: queue.LoadDone, Seq: l.first}
	next, err := b.loaded.read(m.store, l)
	if err != nil {
		done.Kind = queue.LoadFailed
		m.loadFailed(l.queue, err)
	} else {
		done.Loaded = &queue.Loaded{From: l.first, Next: next, Messages: b.loaded.messages}
	}
	b.Do(l.queue, done)
	b.loaded.release()
	b.Release()
}

// read fills messages with what the store has, and returns the number to go on from.
func (l *loaded) read(s *store.Store, want load) (next uint64, err error) {
	l.stored, next, err = s.Load(want.queue.disk, want.first, want.last, queue.LoadBytes, l.stored)
	if err != nil {
		return 0, err
	}
	l.messages = slices.Grow(l.messages, len(l.stored))
	for _, s := range l.stored {
		id := uint64(0)
		if s.Logged {
			id = s.Number
		}
		msg, at, err := message.Decode(s.Message, id)
		if err != nil {
			return 0, fmt.Errorf("%w: message %d: %w", store.ErrDamaged, s.Number, err)
		}
		l.messages = append(l.messages, queue.Numbered{Seq: s.Number, At: at, Message: msg})
	}
	return next, nil
}

// loadFailed quarantines a queue whose messages cannot be read. When the store has ended there is
// nothing to say: so has the node.
func (m *Manager) loadFailed(q *Queue, err error) {
	if errors.Is(err, store.ErrClosed) || m.store.Err() != nil {
		return
	}
	q.quarantine(err.Error())
	m.log.Error("queue quarantined", "vhost", q.VHostName(), "queue", q.Name(), "reason", err)
}

// quarantine takes a queue out of service: what it has on disk is not what was written there.
func (q *Queue) quarantine(reason string) {
	q.SetFlow(FlowQuarantined, reason)
	q.vhost.generations.everythingChanged()
}

// recoverMessages tells the queues what the store has of them. It returns the queues that are in
// the store though they were deleted: the crash came before the log knew.
func (m *Manager) recoverMessages() (orphans map[store.QueueID]struct{}, err error) {
	orphans = make(map[store.QueueID]struct{})
	queues := make(map[store.QueueID]*Queue)
	for _, v := range m.vhosts {
		for _, q := range v.queues {
			queues[q.storeID()] = q
		}
	}
	delays := m.delays()
	count := 0
	var parts []queue.Extent
	err = m.store.RecoverMessages(func(id store.QueueID, extents []store.Extent) error {
		if d := delays[id]; d != nil {
			d.recovered = slices.Clone(extents)
			return nil
		}
		q := queues[id]
		if q == nil {
			orphans[id] = struct{}{}
			return nil
		}
		parts = parts[:0]
		for _, e := range extents {
			parts = append(parts, queue.Extent(e))
		}
		q.machine.Restore(parts)
		count += q.machine.Ready()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("broker: recover messages: %w", err)
	}
	for id := range orphans { // no other queue may have its id
		m.queueIDs.Store(max(m.queueIDs.Load(), uint64(id)))
	}
	m.quarantine(queues)
	if len(queues) > 0 {
		m.log.Info("recovered", "durable_queues", len(queues), "messages", count)
	}
	return orphans, nil
}

// startQueues lets those queues that do something by themselves begin.
func (m *Manager) startQueues() {
	b := m.NewBatch()
	defer b.Release()
	for _, v := range m.vhosts {
		for _, q := range v.queues {
			if q.settings().Settings != queue.Plain() {
				b.apply(q, nil)
				b.finish()
			}
		}
	}
}

// quarantine takes the queues out of service that the store does not know to be complete.
func (m *Manager) quarantine(queues map[store.QueueID]*Queue) {
	damaged := m.store.Quarantined()
	for id, q := range queues {
		reason := damaged[id]
		if reason == "" {
			reason = damaged[store.AllQueues]
		}
		if reason == "" {
			continue
		}
		q.quarantine(reason)
		m.log.Error("queue quarantined", "vhost", q.VHostName(), "queue", q.Name(),
			"reason", reason)
	}
}

// start runs f on a goroutine of its own that Close waits for, unless it has begun to wait.
func (m *Manager) start(f func()) {
	m.starting.Lock()
	defer m.starting.Unlock()
	if !m.closing.Load() {
		m.loading.Go(f)
	}
}

// Close returns when nothing of the manager runs any more. Its doors have been closed before, and
// the store has not.
func (m *Manager) Close() {
	m.starting.Lock()
	m.closing.Store(true)
	m.starting.Unlock()
	m.store.Refuse() // dead letters and delayed messages stay where they are, if the disk is full
	m.clock.close()
	m.loading.Wait()
}
