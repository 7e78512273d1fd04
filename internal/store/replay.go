package store

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

// replayer reads the groups of the log in their order.
type replayer struct {
	store *Store
	files []uint32
	// last is the place of the last valid group, next where the following one should be in the same
	// file; 0: there was none yet.
	last, next place
	touched    []QueueID // by the last group
	// lost is where something else than a group is; 0: nowhere. Unless a group follows, it is what
	// a crash left of the last write, of lostBytes.
	lost      place
	lostBytes int64
	record    record
}

// replayLogs builds the index from the log. Queues of which it then has messages that are lost are
// quarantined.
func (s *Store) replayLogs(numbers []uint32) error {
	r := &replayer{store: s, files: slices.Clone(numbers)}
	for _, number := range numbers {
		if err := r.file(number); err != nil {
			return err
		}
	}
	if r.lost != 0 && r.lostBytes > 0 {
		s.options.Logger.Warn("torn write of a crash cut off the log",
			"file", fileName(roleLog, r.lost.file()), "offset", r.lost.offset(),
			"bytes", r.lostBytes)
	}
	s.recovered.lastGroup, s.recovered.touched = r.last, r.touched
	s.recovered.torn, s.recovered.tornBytes = r.lost, r.lostBytes
	s.quarantineLost()
	return nil
}

// file reads one log file. One without any group was prepared and not used, or is what a crash left
// of one on its way to be.
func (r *replayer) file(number uint32) error {
	s := r.store
	name := fileName(roleLog, number)
	handle, err := s.options.FS.Open(s.path(name), disk.Read)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", name, err)
	}
	defer handle.Close() // read only: nothing to lose
	sc, err := newScanner(handle, s.path(name))
	if err != nil {
		return err
	}
	sc.number, sc.seed, sc.offset = number, s.seed, dataStart
	sc.unchecked = s.options.without == checksums
	if s.options.without == generations {
		sc.number = 0
	}
	switch h, err := sc.header(roleLog.magic()); {
	case errors.Is(err, ErrDamaged): // each record proves that it is in the right place
	case err != nil:
		return err
	case h.id != s.id:
		return fmt.Errorf("store: %s belongs to another data directory", sc.name)
	case h.number != uint64(number): // on its way to another use
		s.recovered.leftover = append(s.recovered.leftover, name)
		r.files = slices.DeleteFunc(r.files, func(n uint32) bool { return n == number })
		return nil
	}
	groups, err := r.groups(sc, number)
	if err != nil {
		return err
	}
	if groups == 0 {
		s.recovered.leftover = append(s.recovered.leftover, name)
	}
	return nil
}

// groups reads the groups of a file up to the last one, and returns how many there were.
func (r *replayer) groups(sc *scanner, number uint32) (int, error) {
	s, count := r.store, 0
	var holes []hole
	for sc.offset = dataStart; ; {
		at := sc.offset
		length, err := r.check(sc)
		if err != nil && !errors.Is(err, errBroken) && !errors.Is(err, ErrDamaged) {
			return count, err
		}
		if err != nil {
			found, findErr := r.findGroup(sc, at+disk.BlockBytes)
			if findErr != nil {
				return count, findErr
			}
			if r.lost == 0 && (found || count > 0) {
				r.lost, r.lostBytes = placeOf(number, at), min(length, sc.size-at)
			}
			if !found {
				return count, nil
			}
			holes = append(holes, hole{at, sc.offset})
			continue
		}
		if count == 0 {
			x := s.files.addLog(number)
			x.prepared, x.length = true, sc.size
			s.index.AddFile(index.FileID(number))
		}
		count++
		if err := r.follow(number, at); err != nil {
			return count, err
		}
		if err := r.apply(sc, at, length); err != nil {
			return count, err
		}
		sc.offset = blockAfter(at + length)
		x := s.files.byID[number]
		x.size, x.synced, x.holes = sc.offset, sc.offset, holes
		r.next = placeOf(number, sc.offset)
		s.recovered.lastFile = number
	}
}

// check reads the group at the scanner's place through, and leaves its first record in r.record.
// Of a broken group it returns the length that it should have, if that can be known.
func (r *replayer) check(sc *scanner) (int64, error) {
	start := sc.offset
	var inner record
	if err := sc.record(&r.record); err != nil {
		if errors.Is(err, io.EOF) {
			err = errBroken
		}
		return 0, err
	}
	if r.record.kind != kindGroup {
		return 0, errBroken
	}
	length := r.record.length
	if r.store.options.without == lengths {
		for {
			if err := sc.record(&inner); err != nil || inner.kind == kindGroup {
				return sc.offset - start, nil
			}
		}
	}
	for sc.offset-start < length {
		if err := sc.record(&inner); err != nil {
			if errors.Is(err, io.EOF) {
				err = errBroken
			}
			return length, err
		}
	}
	if sc.offset-start != length {
		return length, errBroken
	}
	return length, nil
}

// findGroup goes to the first valid group record at or after an offset.
func (r *replayer) findGroup(sc *scanner, from int64) (bool, error) {
	for at := from; at < sc.size; at += disk.BlockBytes {
		sc.offset = at
		err := sc.record(&r.record)
		switch {
		case err == nil && r.record.kind == kindGroup:
			sc.offset = at
			return true, nil
		case err != nil && !errors.Is(err, errBroken) && !errors.Is(err, ErrDamaged) &&
			!errors.Is(err, io.EOF):
			return false, err
		}
	}
	return false, nil
}

// follow checks that the group in r.record follows the one before. Groups are written only after
// the one before was synced: what is missing in between was on stable storage once. If it is one
// group, this one says which queues that concerned.
func (r *replayer) follow(number uint32, at int64) error {
	s, before := r.store, r.record.before
	last, next := r.last, r.next
	r.last = placeOf(number, at)
	lost := r.lost
	r.lost, r.lostBytes = 0, 0
	switch {
	case before == last || s.options.without == chains:
		return nil
	case last == 0 && lost == 0 && before.file() < r.files[0]:
		return nil // it went with an older file
	case before.file() > last.file() && !slices.Contains(r.files, before.file()):
		return fmt.Errorf("store: %s is missing", s.path(fileName(roleLog, before.file())))
	}
	if r.last <= s.recovered.known {
		return nil
	}
	reason := fmt.Sprintf("%s is damaged at offset %d", fileName(roleLog, before.file()),
		before.offset())
	if lost != 0 {
		reason = fmt.Sprintf("%s is damaged at offset %d", fileName(roleLog, lost.file()),
			lost.offset())
	}
	one := before == next && next != 0 ||
		before.offset() == dataStart && before.file() > last.file()
	s.options.Logger.Error("the log is damaged", "reason", reason, "one_group", one)
	if !one {
		s.quarantine(AllQueues, reason)
		return nil
	}
	for _, q := range r.record.queues {
		s.quarantine(q, reason)
	}
	return nil
}

// apply carries out the records of a group.
func (r *replayer) apply(sc *scanner, at, length int64) error {
	s, number := r.store, uint32(0)
	number = r.last.file()
	r.touched = r.touched[:0]
	sc.offset = at
	for end := at + length; sc.offset < end; {
		start := sc.offset
		if err := sc.record(&r.record); err != nil {
			if s.options.without == lengths || s.options.without == checksums {
				return nil
			}
			return err
		}
		r.touch()
		s.apply(&r.record, number, start, sc.offset)
	}
	return nil
}

// touch notes which queues the record concerns.
func (r *replayer) touch() {
	switch r.record.kind {
	case kindPublish:
		for _, q := range r.record.queues {
			r.touchQueue(q)
		}
	case kindSettle, kindDelete, kindTruncate:
		r.touchQueue(r.record.queue)
	}
}

// touchedScan entries at the end are looked through before a queue is noted once more.
const touchedScan = 64

func (r *replayer) touchQueue(q QueueID) {
	tail := r.touched[max(0, len(r.touched)-touchedScan):]
	if !slices.Contains(tail, q) {
		r.touched = append(r.touched, q)
	}
}

// apply carries out one record of the log, in the same way as when it was written.
func (s *Store) apply(r *record, number uint32, start, end int64) {
	s.emptied = s.emptied[:0]
	switch r.kind {
	case kindPublish:
		share := copyBytes(r.message)
		for i, id := range r.queues {
			q, n := s.queue(id), r.numbers[i]
			if e := q.logged.Find(n); e != nil {
				continue // a segment has it
			}
			s.index.Append(&q.logged, index.FileID(number), n, uint32(start), uint32(end), share)
			q.last.Store(max(q.last.Load(), n))
		}
	case kindSettle:
		q := s.queue(r.queue)
		for _, x := range r.ranges {
			_, _, s.emptied = s.index.Settle(&q.logged, x.First, x.Last, s.emptied)
			q.last.Store(max(q.last.Load(), x.Last))
		}
	case kindDelete:
		s.forgive(r.queue)
		if q := s.queues[r.queue]; q != nil {
			s.emptied = s.index.DeleteQueue(&q.logged, s.emptied)
		}
	case kindTruncate:
		q := s.queue(r.queue)
		s.emptied = s.index.TruncateFrom(&q.logged, r.from, s.emptied)
		q.last.Store(r.from - 1)
	}
}
