package broker

import (
	"cmp"
	"slices"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Receiver is what a door puts behind a consumer (as queue.Consumer.Owner): the place where
// deliveries and answers of a queue go.
type Receiver interface {
	// Receive takes a run of effects for consumers of this receiver, in order. It is called
	// with q locked: it may only append to memory. It reports whether somebody must call
	// Flush for it, and answers true once for each Flush.
	Receive(q *Queue, effects []queue.Effect) (flush bool)
	// Flush lets what was received go out. It is called with nothing locked and must not
	// wait for the peer.
	Flush()
}

// Batch collects what one read of a connection asks of queues, so that each queue is locked
// once and each receiver flushed once. It belongs to one goroutine. Nothing collected is
// seen by anybody before Run.
type Batch struct {
	// Hold is told what the goroutine that the batch belongs to waits for; nil: nobody is. The
	// door sets it for as long as it has the batch.
	Hold Holder

	m       *Manager
	pending []pendingCommands
	last    int            // index in pending of the last Add
	index   map[*Queue]int // of pending, when it is long
	count   int            // commands collected
	effects []queue.Effect
	dirty   []Receiver
	unused  []*Queue
	settled []settledRun
	loads   []load
	loaded  loaded
	spills  []spill
	numbers []uint64
	// releases are for messages that went to consumers for good.
	releases message.Releases
	// unanswered: a queue that has ended, or is about to, was asked for messages.
	unanswered bool
	head       [message.HeadMax]byte
	// time is what the queues are told it is, in milliseconds since 1970; 0: nobody has asked.
	time int64
	// rejected are the tickets of publishes that a queue refused.
	rejected []uint32
	ended    []*Queue // nobody has used them for as long as they may be unused
	morgue   morgue
	spans    spans
}

// BatchCommandsMax is the number of commands after which a door should Run a batch: more
// would hold a queue's lock too long.
const BatchCommandsMax = 1024

// pendingCommands is what one queue has to do.
type pendingCommands struct {
	queue    *Queue
	commands []queue.Command
}

// settledRun collects the messages that left one queue.
type settledRun struct {
	queue    *Queue
	ranges   []store.Range
	unsorted bool
}

// NewBatch returns an empty batch on m. Release it when done.
func (m *Manager) NewBatch() *Batch {
	b, ok := m.batches.Get().(*Batch)
	if !ok {
		b = &Batch{m: m}
		b.morgue.arena.Pool = &m.chunks
	}
	return b
}

// Release gives the batch back; it must have been Run since the last Add.
func (b *Batch) Release() {
	b.Hold = nil
	b.rejected = b.rejected[:0]
	b.m.batches.Put(b)
}

// Add collects a command for q.
func (b *Batch) Add(q *Queue, c queue.Command) { *b.next(q) = c }

// next adds a command for q, which is to be filled in. It is valid until the next is added.
func (b *Batch) next(q *Queue) *queue.Command {
	b.count++
	i := b.find(q)
	b.last = i
	p := &b.pending[i]
	n := len(p.commands)
	if n < cap(p.commands) {
		p.commands = p.commands[:n+1] // it is clear
	} else {
		p.commands = append(p.commands, queue.Command{})
	}
	return &p.commands[n]
}

// enqueue adds a message for q.
func (b *Batch) enqueue(q *Queue, m *message.Message, ticket uint32) *queue.Command {
	c := b.next(q)
	c.Kind, c.Ticket = queue.Enqueue, ticket
	c.Message = *m
	return c
}

// scanMax is the number of queues up to which looking through them beats a map.
const scanMax = 16

// find returns the index of q in pending, where it is added when missing. Most often it is the
// queue of the last command, or the one after it: a fan-out visits queues in the same order
// for every message.
func (b *Batch) find(q *Queue) int {
	if b.last < len(b.pending) && b.pending[b.last].queue == q {
		return b.last
	}
	if next := b.last + 1; next < len(b.pending) && b.pending[next].queue == q {
		return next
	}
	if len(b.pending) <= scanMax {
		for i := range b.pending {
			if b.pending[i].queue == q {
				return i
			}
		}
	} else if i, ok := b.index[q]; ok {
		return i
	}
	return b.extend(q)
}

// extend makes room for the commands of one more queue, in memory used before.
func (b *Batch) extend(q *Queue) int {
	n := len(b.pending)
	if n < cap(b.pending) {
		b.pending = b.pending[:n+1]
	} else {
		b.pending = append(b.pending, pendingCommands{})
	}
	b.pending[n].queue = q
	b.pending[n].commands = b.pending[n].commands[:0]
	if n < scanMax {
		return n
	}
	if n == scanMax {
		b.index = make(map[*Queue]int)
		for i := range b.pending {
			b.index[b.pending[i].queue] = i
		}
	}
	b.index[q] = n
	return n
}

// Full reports whether the batch should be Run before more is added.
func (b *Batch) Full() bool { return b.count >= BatchCommandsMax }

// now returns what time the queues are told it is: one for all that is collected, and nobody looks
// as long as none of them minds.
func (b *Batch) now() int64 {
	if b.time == 0 {
		b.time = milliseconds()
	}
	return b.time
}

// Run carries out what was collected: queues first, then the log, then everybody who has
// something to send.
func (b *Batch) Run() {
	b.applyPending()
	b.finish()
}

// applyPending gives the queues the commands that were collected.
func (b *Batch) applyPending() {
	for i := range b.pending {
		p := &b.pending[i]
		b.apply(p.queue, p.commands)
		clear(p.commands)
		p.queue = nil
	}
	b.pending, b.last, b.index = b.pending[:0], 0, nil
	if len(b.spans.routed) > 0 {
		clear(b.spans.routed)
	}
	b.count = 0
}

// Do runs the batch with one more command.
func (b *Batch) Do(q *Queue, c queue.Command) {
	b.Add(q, c)
	b.Run()
}

// apply drives the machine of q until it has no more to do, or too much has died: then the clock
// goes on with it, some at a time, so that whoever came by does not do all that had to be done.
func (b *Batch) apply(q *Queue, commands []queue.Command) {
	for more := true; more; commands = nil {
		if len(b.morgue.dead) >= deadMax && commands == nil {
			b.morgue.unfinished = append(b.morgue.unfinished, q)
			return
		}
		q.mu.Lock()
		now := int64(0)
		if q.count(commands) {
			now = b.now()
		}
		if q.ending || q.machine.Deleted() {
			commands = b.tooLate(q, commands)
		}
		b.m.limit(q)
		if b.m.tracer != nil {
			b.traceCommands(q, commands)
		}
		b.effects, more = q.machine.Apply(now, commands, b.effects[:0])
		b.m.account(q)
		q.counted()
		b.perform(q, b.effects)
		q.mu.Unlock()
		clear(b.effects)
		b.startLoads() // they go on while what was decided is sent
		if more {
			b.flush()
		}
	}
}

// tooLate sorts out commands for a queue whose end has been decided, and returns those it still
// takes. Its end settles every message the log has of it. Those that were logged after that are
// settled here, so that the log does not keep them for ever.
func (b *Batch) tooLate(q *Queue, commands []queue.Command) []queue.Command {
	deleted := q.machine.Deleted()
	taken := commands[:0]
	for _, c := range commands {
		switch {
		case c.Kind == queue.Subscribe, c.Kind == queue.Get && deleted:
			b.unanswered = true
		case !deleted:
			taken = append(taken, c)
		case c.Kind == queue.Enqueue:
			if c.Message.ID != 0 {
				b.settle(q, c.Message.ID, c.Message.ID)
			}
			b.releases.Add(&c.Message)
		}
	}
	return taken
}

// perform hands the effects of q to those they concern. It runs under q's lock, so that what
// two goroutines bring about reaches a consumer in the order in which the queue decided it.
func (b *Batch) perform(q *Queue, effects []queue.Effect) {
	for i := 0; i < len(effects); {
		e := &effects[i]
		switch e.Kind {
		case queue.Settled:
			b.settle(q, e.Seq, e.Last())
			i++
			continue
		case queue.Load:
			b.loads = append(b.loads, load{q, e.Seq, e.Last()})
			i++
			continue
		case queue.Spill:
			b.spill(q, e)
			i++
			continue
		default:
			if e.Consumer == nil {
				b.performAside(q, e)
				i++
				continue
			}
		}
		end := i + 1
		for end < len(effects) && effects[end].Consumer == e.Consumer {
			end++
		}
		b.receive(q, e.Consumer, effects[i:end])
		i = end
	}
}

// performAside performs an effect that concerns no consumer and is rare; q's lock is held.
func (b *Batch) performAside(q *Queue, e *queue.Effect) {
	switch e.Kind {
	case queue.Unused:
		if q.Definition.AutoDelete {
			b.unused = append(b.unused, q)
		}
	case queue.Dead:
		b.die(q, e)
	case queue.RefusedPublish:
		b.reject(q, e.Ticket())
	case queue.Wake:
		b.m.clock.wake(q, e.At())
	case queue.Ended:
		b.ended = append(b.ended, q)
	}
}

func (b *Batch) receive(q *Queue, c *queue.Consumer, effects []queue.Effect) {
	r := c.Owner.(Receiver)
	if b.m.tracer != nil {
		b.traceDeliveries(q, c, effects)
	}
	if r.Receive(q, effects) {
		b.dirty = append(b.dirty, r)
	}
	delivered := uint64(0)
	for i := range effects {
		if effects[i].Kind == queue.Deliver {
			delivered++
			if effects[i].Redelivered {
				q.delivered.Redeliver++
			}
			if c.NoAck {
				b.releases.Add(&effects[i].Message)
			}
		}
	}
	q.gave(c, delivered, len(effects))
}

// settle collects that messages left a queue.
func (b *Batch) settle(q *Queue, first, last uint64) {
	n := len(b.settled)
	if n == 0 || b.settled[n-1].queue != q {
		if n < cap(b.settled) {
			b.settled = b.settled[:n+1]
		} else {
			b.settled = append(b.settled, settledRun{})
		}
		b.settled[n] = settledRun{queue: q, ranges: b.settled[n].ranges[:0]}
		n++
	}
	run := &b.settled[n-1]
	if k := len(run.ranges); k > 0 {
		before := &run.ranges[k-1]
		if first == before.Last+1 {
			before.Last = last
			return
		}
		run.unsorted = run.unsorted || first <= before.Last
	}
	run.ranges = append(run.ranges, store.Range{First: first, Last: last})
}

// sorted returns the ranges in the order of their numbers, without overlaps.
func (r *settledRun) sorted() []store.Range {
	if !r.unsorted {
		return r.ranges
	}
	slices.SortFunc(r.ranges, func(a, b store.Range) int { return cmp.Compare(a.First, b.First) })
	merged := r.ranges[:1]
	for _, x := range r.ranges[1:] {
		if last := &merged[len(merged)-1]; x.First <= last.Last+1 {
			last.Last = max(last.Last, x.Last)
		} else {
			merged = append(merged, x)
		}
	}
	return merged
}

// finish does what has to wait until no queue is locked. Receivers come first: those who wait
// for their flush must not wait for the disk.
func (b *Batch) finish() {
	b.finishMessages()
	for len(b.unused) > 0 {
		q := b.unused[0]
		b.unused = b.unused[1:]
		q.vhost.deleteUnused(b, q)
	}
	for len(b.ended) > 0 {
		first, n := b.ended[0].vhost, 1
		for n < len(b.ended) && n < endedMax && b.ended[n].vhost == first {
			n++
		}
		together := b.ended[:n:n]
		b.ended = b.ended[n:]
		first.deleteUnused(b, together...)
	}
}

// endedMax is how many queues that nobody uses are deleted together: they wait for the disk once.
const endedMax = 256

// finishMessages is finish without the end of queues, for which the caller sees to a finish later.
func (b *Batch) finishMessages() {
	b.sendOut()
	if len(b.morgue.dead) > 0 {
		b.bury()
	}
	b.time = 0
}

// sendOut does what the queues decided: what goes to consumers, to the log, and out of memory.
func (b *Batch) sendOut() {
	b.flush()
	b.settleAll()
	for len(b.spills) > 0 {
		b.spillAll()
		b.flush()
		b.settleAll()
	}
}

func (b *Batch) settleAll() {
	for i := range b.settled {
		run := &b.settled[i]
		if run.queue.disk != nil {
			b.m.store.Settle(run.queue.disk, run.sorted())
		}
		run.queue = nil
	}
	b.settled = b.settled[:0]
}

func (b *Batch) flush() {
	for i, r := range b.dirty {
		r.Flush()
		b.dirty[i] = nil
	}
	b.dirty = b.dirty[:0]
}
