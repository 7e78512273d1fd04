package store

import (
	"fmt"
	"maps"
)

// load compares a part of a queue with the model.
func (w *world) load() {
	if w.depth() == 0 {
		w.store.turn() // else it would wait for that
	}
	if w.store.last > w.store.synced || w.broken != "" {
		return
	}
	id := w.queues[w.random.IntN(len(w.queues))]
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

// readSlowly begins to read a queue, and leaves the file open.
func (w *world) readSlowly() {
	w.store.turn()
	if w.reader != nil || w.store.last > w.store.synced || w.broken != "" {
		return
	}
	q := w.store.OpenQueue(w.queues[w.random.IntN(len(w.queues))])
	l := &lane{store: w.store, queue: q, list: &q.logged, kind: laneLogged, number: 1, to: 1 << 40,
		other: &lane{}}
	w.reader = l
	w.readOn()
}

// readOn reads one message more. It may have been settled in the meantime, but it is one.
func (w *world) readOn() {
	l := w.reader
	err := l.fill()
	switch {
	case err != nil && w.broken == "":
		w.fail(fmt.Errorf("slow reader: %w", err))
	case l.ready && !w.published[sumOf(l.message)]:
		w.fail(fmt.Errorf("slow reader: queue %d has at %d what nobody published",
			l.queue.id, l.head))
	case l.ready:
		l.take(nil)
		return
	}
	w.endReader()
}

// writing says whether the log is about to write a group: then nobody can wait for another.
func (w *world) writing() bool { return w.store.front.lsn > w.store.synced+1 }

func (w *world) endReader() {
	if w.reader != nil {
		w.reader.close()
		w.reader = nil
	}
}

// idle is called when the store waits for a reader, or for room on the disk.
func (w *world) idle() {
	switch l := w.reader; {
	case l == nil:
	case w.chance(2) || w.writing() && l.file == nil:
		w.endReader()
	default:
		if w.writing() {
			l.to = l.last // what is behind it may have to be written first
		}
		w.readOn()
	}
	if w.full && w.chance(4) {
		w.makeRoom()
	}
}
