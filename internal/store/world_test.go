package store

import (
	"fmt"
	"hash/crc64"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	worldDir = "/data"
	// worldQueues exist at a time; the first is slow and keeps old messages.
	worldQueues = 5
	// forkDepthMax: a crash, then a crash of what was recovered, then one of that.
	forkDepthMax = 2
)

// worldOptions shrink everything, so that a short history sees every path.
func worldOptions(fsys disk.FS) Options {
	return Options{Dir: worldDir, FS: fsys, FileBytesMax: 4096, BufferBytesMax: 1 << 20,
		compactBytesMin: 512, copyStepBytes: 1500}
}

// world is a store on a file system that can crash, and the slow and obvious twin of the store.
// It runs the log goroutine's turns itself, so that a seed gives one history.
type world struct {
	random *rand.Rand
	mem    *disk.Memory
	store  *Store
	depth  int
	lose   func(disk.Call) bool // faults: which calls the disk lies about
	points map[string]int       // crash points checked, by boundary; shared with forks
	err    error                // first violation found at a boundary

	queues  []QueueID
	queueNo QueueID
	issued  LSN // highest position ever given out, lost ones included
	untold  int // waiters not told yet
	done    Stats

	// The model: what was true after the last recovery, and what was done since.
	base   state
	ops    []op
	synced LSN

	definedBase map[byte]byte
	defined     []definition
	confirmed   int // of defined, those on stable storage
}

type op struct {
	lsn     LSN
	publish bool
	id      LSN
	message string
	queues  []QueueID
	ids     []LSN // settled in queues[0]; nil: all
}

type definition struct{ key, value byte }

// state of the messages: which are unsettled where.
type state map[LSN]unsettledMessage

type unsettledMessage struct {
	sum    uint64 // of the message
	queues map[QueueID]bool
}

var crcTable = crc64.MakeTable(crc64.ECMA)

func newUnsettled(message []byte, queues []QueueID) unsettledMessage {
	m := unsettledMessage{crc64.Checksum(message, crcTable), make(map[QueueID]bool)}
	for _, q := range queues {
		m.queues[q] = true
	}
	return m
}

func (st state) clone() state {
	c := make(state, len(st))
	for id, m := range st {
		c[id] = unsettledMessage{m.sum, maps.Clone(m.queues)}
	}
	return c
}

func (st state) apply(o op) {
	if o.publish {
		st[o.id] = newUnsettled([]byte(o.message), o.queues)
		return
	}
	ids := o.ids
	if ids == nil {
		ids = slices.Collect(maps.Keys(st))
	}
	for _, id := range ids {
		if m, ok := st[id]; ok {
			delete(m.queues, o.queues[0])
			if len(m.queues) == 0 {
				delete(st, id)
			}
		}
	}
}

// sum is equal for equal states: the sum of one number for each message in each queue.
func (st state) sum() uint64 {
	var sum uint64
	for id, m := range st {
		for q := range m.queues {
			x := m.sum ^ uint64(id)*0x9E3779B97F4A7C15 ^ uint64(q)*0xC2B2AE3D27D4EB4F
			x = (x ^ x>>31) * 0xBF58476D1CE4E5B9
			sum += x ^ x>>29
		}
	}
	return sum
}

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 0x776f726c64)), mem: disk.NewMemory(),
		points: make(map[string]int), base: make(state), definedBase: make(map[byte]byte),
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

// boundary checks what a power loss just before the call would leave.
func (w *world) boundary(c disk.Call) {
	rare := c.Op == disk.OpTruncate || c.Op == disk.OpRename
	if w.err != nil || w.depth > forkDepthMax || w.depth > 0 && !rare && !w.chance(12<<w.depth) {
		return
	}
	w.points[c.Op.String()]++
	if err := w.fork(w.lostPower()).life(); err != nil {
		w.err = fmt.Errorf("crash before %v %s: %w", c.Op, c.Name, err)
	}
}

// meanwhile does what other goroutines may do while the log goroutine waits for the disk.
func (w *world) meanwhile() {
	if w.depth > 0 || w.store == nil || w.store.phase != running {
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
	f.base, f.definedBase = w.base.clone(), maps.Clone(w.definedBase)
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
		w.err = fmt.Errorf("waiter for %d told: stable up to %d, error %v", n.lsn, upTo, err)
	}
	w.synced = max(w.synced, upTo)
}

// run makes random steps.
func (w *world) run(steps int) error {
	for ; steps > 0 && w.err == nil; steps-- {
		w.step()
	}
	return w.err
}

func (w *world) step() {
	switch n := w.random.IntN(100); {
	case n < 45:
		w.publish()
	case n < 72:
		w.settle()
	case n < 74:
		w.deleteQueue()
	case n < 79:
		w.define()
	case n < 99:
		w.store.turn()
		if w.chance(8) {
			w.check()
		}
	case w.depth == 0:
		w.restart()
	}
}

// check compares the sums the store keeps with what they are sums of.
func (w *world) check() {
	if err := w.store.checkSums(); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *world) publish() {
	o := op{publish: true, message: w.message()}
	for _, i := range w.random.Perm(worldQueues)[:1+w.random.IntN(3)] {
		o.queues = append(o.queues, w.queues[i])
	}
	cut := w.random.IntN(len(o.message) + 1)
	o.id = w.store.Publish(o.queues, []byte(o.message[:cut]), []byte(o.message[cut:]))
	if o.id <= w.issued {
		w.err = fmt.Errorf("position %d given out again, %d was before", o.id, w.issued)
	}
	o.lsn = o.id
	w.did(o)
}

func (w *world) message() string {
	sizes := []int{0, 1, 20, 200, 700, 3000}
	b := make([]byte, w.random.IntN(1+sizes[w.random.IntN(len(sizes))]))
	for i := range b {
		b[i] = byte(w.random.Uint32())
	}
	if len(b) > 30 && w.chance(4) {
		copy(b, appendGroup(nil)) // must not be taken for a record
	}
	return string(b)
}

func (w *world) did(o op) {
	w.ops = append(w.ops, o)
	w.issued = max(w.issued, o.lsn)
	w.untold++
	w.store.Notify(note{w, o.lsn}, o.lsn)
}

func (w *world) settle() {
	i := w.random.IntN(worldQueues)
	if i == 0 && !w.chance(20) {
		return
	}
	q := w.queues[i]
	o := op{queues: []QueueID{q}, ids: []LSN{}}
	now := w.now()
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if now[id].queues[q] && !w.chance(4) {
			o.ids = append(o.ids, id)
		}
	}
	if w.chance(3) {
		o.ids = append(o.ids, LSN(w.random.Uint64N(uint64(w.issued)+2))) // probably unknown
	}
	if w.chance(3) {
		w.random.Shuffle(len(o.ids), func(i, j int) { o.ids[i], o.ids[j] = o.ids[j], o.ids[i] })
	}
	o.lsn = w.store.Settle(q, o.ids)
	w.did(o)
}

func (w *world) deleteQueue() {
	i := w.random.IntN(worldQueues)
	o := op{queues: []QueueID{w.queues[i]}}
	o.lsn = w.store.DeleteQueue(w.queues[i])
	w.queueNo++
	w.queues[i] = w.queueNo
	w.did(o)
}

func (w *world) define() {
	var waits []func() error
	for range 1 + w.random.IntN(3) {
		var records [][]byte
		for range w.random.IntN(3) {
			d := definition{byte(w.random.IntN(8)), byte(w.random.Uint32())}
			w.defined = append(w.defined, d)
			records = append(records, []byte{d.key, d.value})
		}
		waits = append(waits, w.store.DefineLater(w.snapshot, records...))
	}
	for _, wait := range waits {
		if err := wait(); err != nil && w.err == nil {
			w.err = fmt.Errorf("define: %w", err)
		}
	}
	w.confirmed = len(w.defined)
}

func (w *world) snapshot(emit func([]byte)) {
	now := w.definedNow()
	for _, key := range slices.Sorted(maps.Keys(now)) {
		emit([]byte{key, now[key]})
	}
}

func (w *world) definedNow() map[byte]byte {
	now := maps.Clone(w.definedBase)
	for _, d := range w.defined {
		now[d.key] = d.value
	}
	return now
}

func (w *world) now() state {
	st := w.base.clone()
	for _, o := range w.ops {
		st.apply(o)
	}
	return st
}
