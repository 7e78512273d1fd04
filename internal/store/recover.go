package store

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

// recovered is what Open found, for RecoverMessages and Start.
type recovered struct {
	number uint32 // of the last log file; 0: none
	end    LSN    // where it ends, what is torn left out
	offset int64  // the same as an offset in it
	torn   uint32 // number of the file to cut to offset, or to remove if it comes after number
	cut    int64  // bytes that takes away
	copies []copyAt
}

// copyAt is where a copy of a message was seen. It may not be the latest.
type copyAt struct {
	id     LSN
	number uint32
	offset int64
}

// Open locks the data directory and reads all of it, and changes nothing but making the directory
// and the lock file. The error is disk.ErrLocked if another process has the directory, and a
// *DamageError if a file is not what a crash could have left; it says so if the files are of a
// newer version. Memory: what RecoverDefinitions will give, and up to 64 bytes for each unsettled
// message in each queue.
func Open(options Options) (*Store, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if err := options.FS.MkdirAll(options.Dir); err != nil {
		return nil, fmt.Errorf("store: make data directory: %w", err)
	}
	s := &Store{options: options, failed: make(chan struct{}), index: newIndex()}
	s.work.L, s.space.L, s.writer.store = &s.mu, &s.mu, s
	s.journal = newJournal(s)
	lock, err := options.FS.Lock(s.path(lockName))
	if errors.Is(err, disk.ErrLocked) {
		return nil, fmt.Errorf("store: data directory %s is in use by another process: %w",
			options.Dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("store: lock data directory: %w", err)
	}
	s.lock = lock
	if err := s.load(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func (s *Store) load() error {
	names, err := s.options.FS.List(s.options.Dir)
	if err != nil {
		return fmt.Errorf("store: list data directory: %w", err)
	}
	numbers := logNumbers(names)
	if err := s.journal.load(slices.Contains(names, definitionsName)); err != nil {
		return err
	}
	if s.journal.fresh && len(numbers) > 0 {
		return fmt.Errorf("store: %s is missing, though there is %s",
			s.path(definitionsName), logName(numbers[0]))
	}
	for i, number := range numbers {
		if i > 0 && number != numbers[i-1]+1 {
			return fmt.Errorf("store: %s is missing", s.path(logName(numbers[i-1]+1)))
		}
		if err := s.loadLog(number, i == 0, i == len(numbers)-1); err != nil {
			return err
		}
	}
	s.index.mergeStrays()
	return nil
}

func logNumbers(names []string) []uint32 {
	var numbers []uint32
	for _, name := range names {
		if n, ok := parseLogName(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers) // the order of names differs after number 99,999,999
	return numbers
}

// loadLog reads one log file into the index. Only the newest may be torn: the others were synced
// to their end before the next one was made.
func (s *Store) loadLog(number uint32, oldest, newest bool) error {
	name := s.path(logName(number))
	file, err := s.options.FS.Open(name, disk.Read)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", name, err)
	}
	defer file.Close() // read only: nothing to lose
	size, err := file.Size()
	if err != nil {
		return fmt.Errorf("store: size of %s: %w", name, err)
	}
	sc := &scanner{file: file, name: name, size: size, seed: s.id.seed(), offset: headerBytes}
	h, err := sc.header(logMagic)
	if damage := (*DamageError)(nil); errors.As(err, &damage) && newest &&
		size <= headerBytes && number == s.recovered.number+1 {
		// The crash came while the file was made: the header is synced before anything else.
		s.recovered.torn, s.recovered.cut = number, size
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.checkLogHeader(sc, h, number, oldest); err != nil {
		return err
	}
	sc.first = LSN(h.a)
	return s.replay(sc, number, newest)
}

func (s *Store) checkLogHeader(sc *scanner, h header, number uint32, oldest bool) error {
	before := s.recovered.end
	switch {
	case h.id != s.id:
		return fmt.Errorf("store: %s belongs to another data directory", sc.name)
	case h.number != uint64(number):
		return fmt.Errorf("store: %s was written as file %d", sc.name, h.number)
	case !oldest && LSN(h.b) != before:
		reason := fmt.Sprintf("it ends at position %d, and once ended at %d", before, h.b)
		return &DamageError{s.path(logName(number - 1)), s.recovered.offset, reason}
	case LSN(h.a) < before || h.a < h.b:
		return &DamageError{File: sc.name, Reason: "its position is before the end of the last"}
	}
	return nil
}

// replay applies the records of one file to the index.
func (s *Store) replay(sc *scanner, number uint32, newest bool) error {
	var r record
	s.files.append(number, 0)
	for {
		offset, cut := sc.offset, int64(0)
		var err error
		if newest {
			cut, err = sc.recordOrTail(&r)
		} else {
			err = sc.record(&r)
		}
		if cut > 0 {
			s.recovered.torn, s.recovered.cut = number, cut
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s.apply(&r, number, offset, int(sc.offset-offset))
	}
	s.files.grow(sc.offset)
	s.recovered.number, s.recovered.offset = number, sc.offset
	s.recovered.end = sc.lsn(sc.offset)
	return nil
}

func (s *Store) apply(r *record, number uint32, offset int64, size int) {
	switch r.kind {
	case kindPublish:
		e := entry{id: r.id, file: number, share: share(size, len(r.queues))}
		for _, q := range r.queues {
			if s.index.add(q, e) {
				s.files.add(e)
			}
		}
	case kindCopy:
		e := entry{id: r.id, file: number, share: share(size, len(r.queues))}
		for _, q := range r.queues {
			if before, known := s.index.relocate(q, e); known {
				s.files.drop(before, 0)
			}
			s.files.add(e)
		}
		s.recovered.copies = append(s.recovered.copies, copyAt{r.id, number, offset})
	case kindSettle:
		for _, id := range r.ids {
			if e, ok := s.index.remove(r.queue, id); ok { // else its record is deleted
				s.files.drop(e, 0)
			}
		}
	case kindDelete:
		s.index.removeQueue(r.queue, func(e entry) { s.files.drop(e, 0) })
	}
}
