package store

import (
	"fmt"
	"hash/crc64"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

const worldDir = "/data"

// purgeAll is above all numbers.
const purgeAll = 1 << 40

// worldOptions shrink everything, so that a short history sees every path: log files of 64 KiB hold
// at most 16 groups, since a group takes a block at least.
func worldOptions(fsys disk.FS) Options {
	return Options{Dir: worldDir, FS: fsys, FileBytesMax: 64 << 10, LogFilesMax: 2,
		BufferBytesMax: 4 << 20, compactBytesMin: 512, moveBytesMax: 4 << 10,
		firstBytes: 64 << 10}
}

// world is a store on a file system that can crash, and the slow and obvious twin of the store.
// It runs the turns of the goroutines itself, so that a seed gives one history.
type world struct {
	*campaign
	mood   *mood
	random *rand.Rand
	mem    *disk.Memory
	store  *Store
	doing  string // what the store is asked to do
	err    error  // first violation found at a boundary
	broken string // where the disk failed, and with it the store
	calm   bool   // the disk does not fail any more
	full   bool   // the disk has little room
	reader *lane  // has a file open, for long
	cut    *copying

	published map[uint64]bool // checksums of all messages ever; shared with forks
	place     whereabouts

	queues  []QueueID
	queueNo QueueID
	untold  int // waiters not told yet

	// The model: what was true after the last recovery, and what was done since.
	base    state
	ops     []op
	known   int // of ops, those that the last recovery found
	synced  LSN
	spilled state // of this life

	definedBase  map[byte]byte
	defined      []definition
	confirmed    int // of defined, those on stable storage
	definedKnown int // of defined, those that the last recovery found
}

// at names a message of a queue.
type at struct {
	queue  QueueID
	number uint64
}

// state has the checksum of every message that is there.
type state map[at]uint64

type op struct {
	lsn     LSN
	put     state
	queue   QueueID // of what follows
	ranges  []Range // settled
	deleted bool
	from    uint64 // truncated; 0: not
	// all are operations that are done together or not at all; the rest of the op is empty.
	all []op
}

type definition struct{ key, value byte }

var crcTable = crc64.MakeTable(crc64.ECMA)

func sumOf(message []byte) uint64 { return crc64.Checksum(message, crcTable) | 1 }

func (st state) apply(o op) {
	for _, part := range o.all {
		st.apply(part)
	}
	maps.Copy(st, o.put)
	if o.put != nil || o.all != nil {
		return
	}
	for k := range st {
		if k.queue == o.queue && o.hits(k.number) {
			delete(st, k)
		}
	}
}

func (o *op) hits(number uint64) bool {
	if o.deleted || o.from > 0 && number >= o.from {
		return true
	}
	return slices.ContainsFunc(o.ranges, func(r Range) bool {
		return r.First <= number && number <= r.Last
	})
}

// sum is equal for equal states: the sum of one number for each message.
func (st state) sum() uint64 {
	var sum uint64
	for k, message := range st {
		x := message ^ k.number*0x9E3779B97F4A7C15 ^ uint64(k.queue)*0xC2B2AE3D27D4EB4F
		x = (x ^ x>>31) * 0xBF58476D1CE4E5B9
		sum += x ^ x>>29
	}
	return sum
}

// of returns the numbers of a queue's messages, rising.
func (st state) of(q QueueID) []uint64 {
	var numbers []uint64
	for k := range st {
		if k.queue == q {
			numbers = append(numbers, k.number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// note waits for one operation.
type note struct {
	w   *world
	lsn LSN
}

func (n note) Synced(upTo LSN, err error) {
	w := n.w
	w.untold--
	if err != nil && w.broken != "" {
		return
	}
	if err != nil || upTo < n.lsn {
		w.fail(fmt.Errorf("waiter for %d told: stable up to %d, error %v", n.lsn, upTo, err))
	}
	w.synced = max(w.synced, upTo)
}

func (w *world) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *world) during(what string, do func()) {
	before := w.doing
	w.doing = what
	do()
	w.doing = before
}

// someQueues returns where a message goes.
func (w *world) someQueues() (queues []*Queue) {
	for _, i := range w.random.Perm(len(w.queues))[:1+w.random.IntN(min(3, len(w.queues)))] {
		queues = append(queues, w.store.OpenQueue(w.queues[i]))
	}
	return queues
}

func (w *world) publish() {
	message := w.message()
	queues := w.someQueues()
	if w.chance(10) {
		queues[0].Number() // of a message that is not logged
	}
	cut := w.random.IntN(len(message) + 1)
	numbers := make([]uint64, len(queues))
	o := op{put: make(state)}
	o.lsn = w.store.Publish(queues, numbers, message[:cut], message[cut:])
	w.putting(&o, queues, numbers, message)
	w.did(o)
}

// putting notes in o that a message is in queues.
func (w *world) putting(o *op, queues []*Queue, numbers []uint64, message []byte) {
	sum := sumOf(message)
	w.published[sum] = true
	for i, q := range queues {
		o.put[at{q.ID(), numbers[i]}] = sum
	}
}

func (w *world) message() []byte {
	b := make([]byte, w.random.IntN(1+w.mood.sizes[w.random.IntN(len(w.mood.sizes))]))
	for i := range b {
		b[i] = byte(w.random.Uint32())
	}
	if len(b) > 60 && w.chance(4) {
		copy(b, appendGroup(nil, 0, nil)) // must not be taken for a record
	}
	return b
}

func (w *world) did(o op) {
	if o.lsn == 0 {
		if w.broken == "" {
			w.fail(fmt.Errorf("nothing was written: %v", w.store.Err()))
		}
		return
	}
	w.ops = append(w.ops, o)
	w.untold++
	w.store.Notify(note{w, o.lsn}, o.lsn)
}

// settle settles most of a queue, or some of it, in runs.
func (w *world) settle() {
	i := w.random.IntN(len(w.queues))
	if i == 0 && !w.chance(w.mood.slow) {
		return
	}
	w.settled(w.settling(w.queues[i]))
}

// settling chooses what of a queue is settled.
func (w *world) settling(q QueueID) op {
	o := op{queue: q}
	keep := 1 + w.random.IntN(4)
	for _, n := range w.now().of(q) {
		if w.chance(keep + 1) {
			continue
		}
		if last := len(o.ranges) - 1; last >= 0 && o.ranges[last].Last == n-1 {
			o.ranges[last].Last = n
		} else {
			o.ranges = append(o.ranges, Range{n, n})
		}
	}
	if w.chance(w.mood.purge) {
		o.ranges = []Range{{1, purgeAll}}
	}
	return o
}

func (w *world) settled(o op) {
	o.lsn = w.store.Settle(w.store.OpenQueue(o.queue), o.ranges)
	w.spilled.apply(o)
	if o.lsn != 0 {
		w.did(o)
	}
}

func (w *world) deleteQueue() {
	i := w.random.IntN(len(w.queues))
	o := op{queue: w.queues[i], deleted: true}
	o.lsn = w.store.DeleteQueue(w.store.OpenQueue(w.queues[i]))
	w.spilled.apply(o)
	w.queueNo++
	w.queues[i] = w.queueNo
	if o.lsn != 0 {
		w.did(o)
	}
}

// truncate takes the end of a queue off; what was spilled of it would not be.
func (w *world) truncate() {
	q := w.queues[w.random.IntN(len(w.queues))]
	numbers := w.now().of(q)
	if len(numbers) == 0 || len(w.spilled.of(q)) > 0 {
		return
	}
	o := op{queue: q, from: numbers[w.random.IntN(len(numbers))]}
	o.lsn = w.store.Truncate(w.store.OpenQueue(q), o.from)
	w.did(o)
}

func (w *world) now() state {
	st := maps.Clone(w.base)
	for _, o := range w.ops {
		st.apply(o)
	}
	return st
}

// spill writes some messages that are not logged.
func (w *world) spill() {
	q := w.store.OpenQueue(w.queues[w.random.IntN(len(w.queues))])
	var messages []Stored
	for range 1 + w.random.IntN(4) {
		messages = append(messages, Stored{Number: q.Number(), Message: w.message()})
	}
	var err error
	w.during("spill", func() { err = w.store.Spill(q, messages) })
	switch {
	case err == nil:
		for _, m := range messages {
			w.spilled[at{q.ID(), m.Number}] = sumOf(m.Message)
		}
	case w.broken == "" && !(w.full && isFull(err)):
		w.fail(err)
	}
}
