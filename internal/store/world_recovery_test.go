package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// start opens the store, checks what it recovers against the model, and begins.
func (w *world) start() error {
	w.doing, w.store, w.place.sequence, w.cut = "start", nil, "", nil
	options := worldOptions(w.fs())
	if w.place.seed%2 == 0 {
		options.firstBytes = 0 // log files grow
	}
	options.without, options.idle = w.without, w.idle
	s, err := Open(options)
	if err != nil {
		return err
	}
	w.store = s
	if damaged := s.Quarantined(); len(damaged) > 0 {
		return fmt.Errorf("queues are quarantined: %v", damaged)
	}
	if err := w.checkDefinitions(); err != nil {
		return err
	}
	if err := w.checkMessages(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	w.begun()
	return w.err
}

// begun: what was recovered is safe now, and is the truth from here on.
func (w *world) begun() {
	for _, o := range w.ops[:w.known] {
		w.base.apply(o)
	}
	for _, d := range w.defined[:w.definedKnown] {
		w.definedBase[d.key] = d.value
	}
	w.ops, w.known, w.synced = nil, 0, 0
	w.defined, w.definedKnown, w.confirmed = nil, 0, 0
	clear(w.spilled)
	w.doing = "?"
	w.check()
}

// check compares the sums the store keeps with what they are sums of.
func (w *world) check() {
	if err := w.store.checkSums(); err != nil {
		w.fail(err)
	}
}

// checkSums: every file of the lists is there, and what is live in it is what the queues say.
func (s *Store) checkSums() error {
	live := make(map[uint32]int)
	for _, q := range s.queues {
		for e := range q.logged.Extents() {
			live[uint32(e.File)] += e.Live
		}
		for e := range q.spilled.Extents() {
			live[uint32(e.File)] += e.Live
		}
	}
	for number, x := range s.files.byID {
		if slices.Contains(s.files.pool, x) {
			continue
		}
		if n, _ := s.live(x); n != live[number] {
			return fmt.Errorf("file %d: %d live, the queues have %d", number, n, live[number])
		}
		if number == s.files.current().number && s.writer.number != number || s.err != nil {
			continue // not made yet, or never
		}
		_, done, err := s.openFile(x)
		if err != nil {
			return err
		}
		done()
	}
	return nil
}

// checkMessages recovers the messages. They must be those after some part of the operations, from
// the first on, that contains all that are on stable storage.
func (w *world) checkMessages() error {
	got, err := w.recoverAll()
	if err != nil {
		return err
	}
	want, sum, i := maps.Clone(w.base), got.sum(), 0
	for ; i < len(w.ops) && w.ops[i].lsn <= w.synced; i++ {
		want.apply(w.ops[i])
	}
	safe := i
	for want.sum() != sum {
		if i == len(w.ops) {
			return fmt.Errorf("recovered messages fit no point after the %d synced of %d "+
				"operations: %d messages recovered, %s",
				safe, len(w.ops), len(got), difference(want, got))
		}
		want.apply(w.ops[i])
		i++
	}
	w.known = i
	return nil
}

func (w *world) recoverAll() (state, error) {
	got := make(state)
	err := w.store.RecoverMessages(func(id QueueID, extents []Extent) error {
		q, before := w.store.OpenQueue(id), uint64(0)
		for _, e := range extents {
			if e.First <= before || e.Last < e.First || e.Count <= 0 || e.Bytes <= 0 {
				return fmt.Errorf("queue %d: extent %v after %d", id, e, before)
			}
			before = e.Last
			var messages []Stored
			for next := e.First; next <= e.Last; {
				var err error
				messages, next, err = w.store.Load(q, next, e.Last, 1<<20, messages)
				if err != nil {
					return err
				}
			}
			if len(messages) != e.Count {
				return fmt.Errorf("queue %d: %d messages in %v", id, len(messages), e)
			}
			for _, m := range messages {
				got[at{id, m.Number}] = sumOf(m.Message)
			}
		}
		if last := q.last.Load(); last < before {
			return fmt.Errorf("queue %d: number %d would be given again", id, last+1)
		}
		return nil
	})
	return got, err
}

func difference(want, got state) string {
	var b strings.Builder
	name := func(k at) string { return fmt.Sprintf("%d/%d", k.queue, k.number) }
	for k, sum := range want {
		if got[k] != sum {
			fmt.Fprintf(&b, "%s: %x at the end of the model, recovered %x; ", name(k), sum, got[k])
		}
	}
	for k := range got {
		if want[k] == 0 {
			fmt.Fprintf(&b, "%s recovered, at the end of the model gone; ", name(k))
		}
	}
	return b.String()
}

func (w *world) define() {
	var waits []func() error
	before := len(w.defined)
	for range 1 + w.random.IntN(3) {
		var records [][]byte
		for range w.random.IntN(3) {
			d := definition{byte(w.random.IntN(8)), byte(w.random.Uint32())}
			w.defined = append(w.defined, d)
			records = append(records, []byte{d.key, d.value})
		}
		waits = append(waits, w.store.DefineLater(w.snapshot, records...))
	}
	var err error
	w.during("define", func() {
		for _, wait := range waits {
			err = errors.Join(err, wait())
		}
	})
	switch {
	case err == nil:
		w.confirmed = len(w.defined)
	case w.broken != "":
	case w.full && isFull(err):
		w.defined = w.defined[:before]
	default:
		w.fail(fmt.Errorf("define: %w", err))
	}
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

func (w *world) checkDefinitions() error {
	got := make(map[byte]byte)
	err := w.store.RecoverDefinitions(func(r []byte) error {
		got[r[0]] = r[1]
		return nil
	})
	if err != nil {
		return err
	}
	want, i := maps.Clone(w.definedBase), 0
	for i < w.confirmed || !maps.Equal(want, got) {
		if i == len(w.defined) {
			return fmt.Errorf("recovered definitions %v, want %v", got, want)
		}
		want[w.defined[i].key] = w.defined[i].value
		i++
	}
	w.definedKnown = i
	return nil
}

// reopen closes cleanly; then everything done must be there, and damage is found.
func (w *world) reopen() error {
	w.endReader()
	w.makeRoom()
	w.endLife()
	var err error
	w.during("close", func() { err = w.store.Close() })
	if w.broken != "" {
		return nil // it is the business of who comes next
	}
	if err != nil {
		return err
	}
	if w.untold != 0 {
		return fmt.Errorf("closed with %d waiters not told", w.untold)
	}
	w.synced, w.confirmed = 1<<62, len(w.defined)
	if err := w.flip(); err != nil {
		return err
	}
	return w.start()
}

func (w *world) endLife() {
	if w.store == nil {
		return
	}
	st := w.store.Stats()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done.MovedBytes += st.MovedBytes
	w.done.RemovedFiles += st.RemovedFiles
}

// restart ends the store in one of the ways a process ends, and starts it again.
func (w *world) restart() {
	if w.depth() > 0 {
		return
	}
	var err error
	switch w.random.IntN(3) {
	case 0:
		err = w.reopen()
	case 1: // killed; what was written is in the cache of the kernel
		w.endReader()
		w.makeRoom()
		w.endLife()
		w.mem, w.untold = w.mem.Clone(), 0
		err = w.start()
	default:
		w.endReader()
		w.crashAndStart()
	}
	if w.broken != "" {
		w.crashAndStart()
	} else if err != nil {
		w.fail(fmt.Errorf("restart: %w", err))
	}
}

// history runs one world from its seed.
func (c *campaign) history(seed uint64, repeat []branch, steps int) error {
	c.begin()
	w := newWorld(c, seed, repeat)
	if err := w.mem.MkdirAll(worldDir); err != nil {
		return err
	}
	if err := w.start(); w.broken != "" {
		w.crashAndStart()
	} else if err != nil {
		return cmp.Or(w.err, err)
	}
	if err := w.run(steps); err != nil {
		return err
	}
	w.calm = true
	if err := w.reopen(); err != nil {
		return err
	}
	return errors.Join(w.err, w.store.Close())
}
