package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

// RecoverDefinitions calls f with every record given to Define, or those of a later snapshot
// instead, in the order written. f owns the record. An error of f ends it and is returned. It is
// called before Start.
func (s *Store) RecoverDefinitions(f func(record []byte) error) error {
	for _, definition := range s.journal.recovered {
		if err := f(slices.Clone(definition)); err != nil {
			return err
		}
	}
	return nil
}

// RecoverMessages calls f once with every message that is unsettled in at least one queue, in
// the order of their identities, and the queues in which it is. f owns the message; queues is
// valid during the call. An error of f ends it and is returned. It is called before Start.
func (s *Store) RecoverMessages(f func(queues []QueueID, id LSN, message []byte) error) error {
	copies := slices.Clone(s.recovered.copies)
	slices.SortFunc(copies, func(a, b copyAt) int { return cmp.Compare(a.id, b.id) })
	again := &reread{store: s, f: f, copies: copies}
	err := again.all()
	if closeErr := again.close(); err == nil {
		err = closeErr
	}
	return err
}

// reread reads the log a second time, for the messages. It merges two orders: publish records
// come by rising identity as they are scanned; the copies among them are older messages, which
// are read from their places when their turn comes.
type reread struct {
	store   *Store
	f       func(queues []QueueID, id LSN, message []byte) error
	copies  []copyAt // still to come, by rising id
	number  uint32   // file that scanner has open for copies; 0: none
	scanner scanner
	record  record
	queues  []QueueID
}

func (rr *reread) all() error {
	for i := range rr.store.files.list {
		if file := &rr.store.files.list[i]; file.count > 0 {
			if err := rr.file(file.number); err != nil {
				return err
			}
		}
	}
	return rr.copiesBefore(^LSN(0))
}

func (rr *reread) file(number uint32) error {
	sc, err := rr.store.openLog(number)
	if err != nil {
		return err
	}
	defer sc.file.Close() // read only: nothing to lose
	var r record
	for {
		err := sc.record(&r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.kind != kindPublish {
			continue
		}
		if err := rr.copiesBefore(r.id); err != nil {
			return err
		}
		if err := rr.emit(&r, number); err != nil {
			return err
		}
	}
}

func (rr *reread) copiesBefore(id LSN) error {
	for len(rr.copies) > 0 && rr.copies[0].id < id {
		at := rr.copies[0]
		rr.copies = rr.copies[1:]
		if rr.store.files.at(at.number).count == 0 {
			continue
		}
		if err := rr.copy(at); err != nil {
			return err
		}
	}
	return nil
}

func (rr *reread) copy(at copyAt) error {
	if rr.number != at.number {
		if err := rr.close(); err != nil {
			return err
		}
		sc, err := rr.store.openLog(at.number)
		if err != nil {
			return err
		}
		rr.number, rr.scanner = at.number, sc
	}
	rr.scanner.offset = at.offset
	if err := rr.scanner.record(&rr.record); err != nil {
		return err
	}
	return rr.emit(&rr.record, at.number)
}

func (rr *reread) emit(r *record, number uint32) error {
	rr.queues = rr.store.index.unsettledIn(rr.queues[:0], r, number)
	if len(rr.queues) == 0 {
		return nil
	}
	return rr.f(rr.queues, r.id, slices.Clone(r.message))
}

func (rr *reread) close() error {
	if rr.number == 0 {
		return nil
	}
	rr.number = 0
	return rr.scanner.file.Close()
}

// openLog opens a log file to read it again. What is torn counts as absent.
func (s *Store) openLog(number uint32) (scanner, error) {
	name := s.path(logName(number))
	file, err := s.options.FS.Open(name, disk.Read)
	if err != nil {
		return scanner{}, fmt.Errorf("store: open %s: %w", name, err)
	}
	size, err := file.Size()
	if number == s.recovered.torn {
		size -= s.recovered.cut
	}
	sc := scanner{file: file, name: name, size: size, seed: s.id.seed(), offset: headerBytes}
	if err == nil {
		var h header
		h, err = sc.header(logMagic)
		sc.first = LSN(h.a)
	}
	if err != nil {
		_ = file.Close() // the reason is err
		return scanner{}, err
	}
	return sc, nil
}
