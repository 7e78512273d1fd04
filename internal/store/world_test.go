package store

import (
	"fmt"
	"hash/crc64"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	worldDir = "/data"
	// worldQueues exist at a time; the first is slow and keeps old messages.
	worldQueues = 6
	// forkDepthMax: a crash, then a crash of what was recovered, then one of that.
	forkDepthMax = 2
)

// worldOptions shrink everything, so that a short history sees every path: log files of 64 KiB hold
// at most 16 groups, since a group takes a block at least.
func worldOptions(fsys disk.FS) Options {
	return Options{Dir: worldDir, FS: fsys, FileBytesMax: 64 << 10, LogFilesMax: 2,
		BufferBytesMax: 1 << 20, compactBytesMin: 512, moveBytesMax: 4 << 10}
}

// world is a store on a file system that can crash, and the slow and obvious twin of the store.
// It runs the turns of the goroutines itself, so that a seed gives one history.
type world struct {
	random  *rand.Rand
	mem     *disk.Memory
	store   *Store
	without measure
	depth   int
	doing   string               // what the store is asked to do
	lose    func(disk.Call) bool // faults: which calls the disk lies about
	points  map[string]int       // crash points checked, by boundary; shared with forks
	err     error                // first violation found at a boundary

	queues  []QueueID
	queueNo QueueID
	untold  int // waiters not told yet
	done    Stats

	// The model: what was true after the last recovery, and what was done since.
	base    state
	ops     []op
	synced  LSN
	spilled state // of this life

	definedBase map[byte]byte
	defined     []definition
	confirmed   int // of defined, those on stable storage
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
}

type definition struct{ key, value byte }

var crcTable = crc64.MakeTable(crc64.ECMA)

func sumOf(message []byte) uint64 { return crc64.Checksum(message, crcTable) | 1 }

func (st state) apply(o op) {
	maps.Copy(st, o.put)
	if o.put != nil {
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

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 0x776f726c64)), mem: disk.NewMemory(),
		points: make(map[string]int), base: make(state), spilled: make(state),
		definedBase: make(map[byte]byte),
	}
	for range worldQueues {
		w.queueNo++
		w.queues = append(w.queues, w.queueNo)
	}
	return w
}

func (w *world) chance(n int) bool { return w.random.IntN(n) == 0 }

// fs is the file system given to the store: it checks a crash at every boundary of its calls.
func (w *world) fs() disk.FS {
	return disk.Faulty(w.mem, func(c disk.Call) disk.Fault {
		switch c.Op {
		case disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpTruncate, disk.OpRename,
			disk.OpRemove, disk.OpSyncDir:
			w.boundary(c)
			w.meanwhile()
		}
		return disk.Fault{Lost: w.lose != nil && w.lose(c)}
	})
}

// boundaryName says what is being done to what, as "move: sync segment".
func (w *world) boundaryName(c disk.Call) string {
	doing := w.doing
	if w.store != nil && w.store.keeper.doing != "" {
		doing = w.store.keeper.doing
	}
	what := filepath.Base(c.Name)
	if r, _, ok := parseFileName(what); ok {
		what = []string{"log file", "segment", "spill file"}[r]
	}
	if c.Op == disk.OpSyncDir {
		what = ""
	}
	return fmt.Sprintf("%s: %v %s", doing, c.Op, what)
}

// boundary checks what a power loss just before the call would leave.
func (w *world) boundary(c disk.Call) {
	rare := c.Op == disk.OpTruncate || c.Op == disk.OpRename
	if w.err != nil || w.depth > forkDepthMax || w.depth > 0 && !rare && !w.chance(12<<w.depth) {
		return
	}
	name := w.boundaryName(c)
	w.points[name]++
	if err := w.fork(w.lostPower()).life(); err != nil {
		w.err = fmt.Errorf("crash before %s (%s): %w", name, c.Name, err)
	}
}

// meanwhile does what other goroutines may do while one waits for the disk.
func (w *world) meanwhile() {
	if w.depth > 0 || w.store == nil || w.store.phase != started || w.doing == "spill" || w.doing == "load" {
		return
	}
	for w.err == nil && !w.chance(3) {
		if w.chance(2) {
			w.publish()
		} else {
			w.settle()
		}
	}
}

func (w *world) lostPower() *disk.Memory { return w.mem.Crash(w.random.Uint64()) }

// fork is a world of its own that goes on from a crash of this one.
func (w *world) fork(mem *disk.Memory) *world {
	f := *w
	f.random = rand.New(rand.NewPCG(w.random.Uint64(), 1))
	f.mem, f.depth, f.store, f.untold = mem, w.depth+1, nil, 0
	f.queues, f.ops = slices.Clone(w.queues), slices.Clone(w.ops)
	f.defined = slices.Clone(w.defined)
	f.base, f.definedBase = maps.Clone(w.base), maps.Clone(w.definedBase)
	f.spilled = make(state)
	return &f
}

// life of a fork: recover, write a little, close, recover, all of it checked.
func (w *world) life() error {
	if err := w.start(); err != nil {
		return err
	}
	if err := w.run(3); err != nil {
		return err
	}
	return w.reopen()
}

// note waits for one operation.
type note struct {
	w   *world
	lsn LSN
}

func (n note) Synced(upTo LSN, err error) {
	w := n.w
	w.untold--
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

// run makes random steps.
func (w *world) run(steps int) error {
	for ; steps > 0 && w.err == nil; steps-- {
		w.step()
	}
	if err := w.store.Err(); err != nil {
		w.fail(err)
	}
	return w.err
}

func (w *world) step() {
	switch n := w.random.IntN(100); {
	case n < 38:
		w.publish()
	case n < 60:
		w.settle()
	case n < 62:
		w.deleteQueue()
	case n < 63:
		w.truncate()
	case n < 66:
		w.define()
	case n < 68:
		w.spill()
	case n < 72:
		w.load()
	case n < 86:
		w.during("log", w.store.turn)
		if w.chance(8) {
			w.check()
		}
	case n < 99:
		w.during("keep", func() { w.store.keep() })
	case w.depth == 0:
		w.restart()
	}
}

func (w *world) during(what string, do func()) {
	before := w.doing
	w.doing = what
	do()
	w.doing = before
}

func (w *world) publish() {
	message := w.message()
	var queues []*Queue
	for _, i := range w.random.Perm(worldQueues)[:1+w.random.IntN(3)] {
		queues = append(queues, w.store.OpenQueue(w.queues[i]))
	}
	if w.chance(10) {
		queues[0].Number() // of a message that is not logged
	}
	cut := w.random.IntN(len(message) + 1)
	numbers := make([]uint64, len(queues))
	o := op{put: make(state)}
	o.lsn = w.store.Publish(queues, numbers, message[:cut], message[cut:])
	for i, q := range queues {
		o.put[at{q.ID(), numbers[i]}] = sumOf(message)
	}
	w.did(o)
}

func (w *world) message() []byte {
	sizes := []int{0, 1, 20, 200, 700, 3000, 6000}
	b := make([]byte, w.random.IntN(1+sizes[w.random.IntN(len(sizes))]))
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
		w.fail(fmt.Errorf("nothing was written: %v", w.store.Err()))
		return
	}
	w.ops = append(w.ops, o)
	w.untold++
	w.store.Notify(note{w, o.lsn}, o.lsn)
}

// settle settles most of a queue, or some of it, in runs.
func (w *world) settle() {
	i := w.random.IntN(worldQueues)
	if i == 0 && !w.chance(20) {
		return
	}
	q := w.queues[i]
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
	if w.chance(10) {
		o.ranges = []Range{{1, 1 << 40}} // a purge
	}
	w.settled(o)
}

func (w *world) settled(o op) {
	o.lsn = w.store.Settle(w.store.OpenQueue(o.queue), o.ranges)
	w.spilled.apply(o)
	if o.lsn != 0 {
		w.did(o)
	}
}

func (w *world) deleteQueue() {
	i := w.random.IntN(worldQueues)
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
	q := w.queues[w.random.IntN(worldQueues)]
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
	q := w.store.OpenQueue(w.queues[w.random.IntN(worldQueues)])
	var messages []Stored
	for range 1 + w.random.IntN(4) {
		m := Stored{Number: q.Number(), Message: w.message()}
		messages = append(messages, m)
		w.spilled[at{q.ID(), m.Number}] = sumOf(m.Message)
	}
	w.during("spill", func() {
		if err := w.store.Spill(q, messages); err != nil {
			w.fail(err)
		}
	})
}

// load compares a part of a queue with the model.
func (w *world) load() {
	if w.depth == 0 {
		w.during("log", w.store.turn) // else it would wait for that
	} else if w.store.last > w.store.synced {
		return
	}
	id := w.queues[w.random.IntN(worldQueues)]
	want := w.now()
	maps.Copy(want, w.spilled)
	numbers := want.of(id)
	from, to := uint64(1), uint64(1<<40)
	if len(numbers) > 0 && w.chance(2) {
		from = numbers[w.random.IntN(len(numbers))]
		to = from + w.random.Uint64N(20)
	}
	w.during("load", func() { w.loadRange(id, from, to, want, numbers) })
}

func (w *world) loadRange(id QueueID, from, to uint64, want state, numbers []uint64) {
	q, next := w.store.OpenQueue(id), from
	var got []Stored
	for err := error(nil); next <= to; {
		before := len(got)
		got, next, err = w.store.Load(q, next, to, w.random.IntN(3000), got)
		if err != nil {
			w.fail(fmt.Errorf("load: %w", err))
			return
		}
		if len(got) == before && next <= to {
			w.fail(fmt.Errorf("load of %d stops at %d with nothing", from, next))
			return
		}
	}
	for _, n := range numbers {
		if n < from || n > to {
			continue
		}
		key := at{id, n}
		_, spilled := w.spilled[key]
		if len(got) == 0 || got[0].Number != n || sumOf(got[0].Message) != want[key] ||
			got[0].Logged == spilled {
			w.fail(fmt.Errorf("load of queue %d from %d to %d: at %d there is %.40v", id, from, to,
				n, got))
			return
		}
		got = got[1:]
	}
	if len(got) > 0 {
		w.fail(fmt.Errorf("load of queue %d: %d too much, first %d", id, len(got), got[0].Number))
	}
}
