package store

import (
	"errors"
	"fmt"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/poison"
	"github.com/warrenmq/warren/internal/store/index"
)

// spiller writes spill files. Its token is taken before the store's mu.
type spiller struct {
	token  chan struct{} // room for one; who has put something in owns the fields below
	handle disk.File
	file   *file // read under the store's mu
	offset int64
	buf    []byte
}

// Spill writes messages that are not logged to a file, so that they need no memory: they are read
// back by Load and leave by Settle. They rise by number; between the first and the last the queue
// has none that was spilled before. Nothing of it survives the end of the process. It writes to a
// file and may wait for another Spill; if the disk is full the error is a *FullError, and none of
// them is stored.
func (s *Store) Spill(q *Queue, messages []Stored) error {
	if len(messages) == 0 {
		return nil
	}
	p := &s.spiller
	p.token <- struct{}{}
	defer func() { <-p.token }()
	if err := s.spillFile(); err != nil {
		return err
	}
	p.buf = p.buf[:0]
	numbers, places := make([]uint64, 0, len(messages)), make([]uint32, 0, len(messages)+1)
	places = append(places, uint32(p.offset))
	for _, m := range messages {
		p.buf = appendCopy(p.buf, q.id, m.Number, m.Head, m.Message)
		numbers = append(numbers, m.Number)
		places = append(places, uint32(p.offset+int64(len(p.buf))))
	}
	s.seal(p.buf, placeOf(p.file.number, p.offset))
	if _, err := p.handle.WriteAt(p.buf, p.offset); err != nil {
		return spillError(fmt.Errorf("store: spill: %w", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.index.InsertRun(&q.spilled, index.FileID(p.file.number), numbers, places)
	if err != nil {
		return fmt.Errorf("store: spill: %w", err)
	}
	p.offset += int64(len(p.buf))
	p.file.size = p.offset
	s.counts.spilled.Add(uint64(len(p.buf)))
	poison.Bytes(p.buf)
	if cap(p.buf) > spillKept {
		p.buf = nil
	}
	return nil
}

// spillKept is the largest buffer that is kept for the next Spill.
const spillKept = 1 << 20

func spillError(err error) error {
	if disk.IsFull(err) {
		return &FullError{err}
	}
	return err
}

// spillFile sees to it that there is a spill file with room; the token is held.
func (s *Store) spillFile() error {
	p := &s.spiller
	if p.handle != nil && p.offset < s.options.FileBytesMax {
		return nil
	}
	s.mu.Lock()
	ended := s.phase != started || s.err != nil
	s.mu.Unlock()
	if ended {
		return ErrClosed
	}
	if err := p.closeFile(); err != nil {
		return err
	}
	s.mu.Lock()
	number := s.files.newNumber()
	s.mu.Unlock()
	name := fileName(roleSpill, number)
	handle, err := s.options.FS.Open(s.path(name), disk.Create)
	if err != nil {
		return spillError(fmt.Errorf("store: create %s: %w", name, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.handle, p.offset = handle, dataStart
	p.file = s.files.add(number, roleSpill)
	s.index.AddFile(index.FileID(number))
	s.keeper.wanted = true // the one before may be empty
	s.chores.Signal()
	return nil
}

func (p *spiller) closeFile() error {
	if p.handle == nil {
		return nil
	}
	handle := p.handle
	p.handle = nil
	return handle.Close()
}

// close ends spilling.
func (p *spiller) close() error {
	p.token <- struct{}{}
	defer func() { <-p.token }()
	return p.closeFile()
}

// removeSpills removes what was spilled before the last end of the process.
func (s *Store) removeSpills(numbers []uint32) error {
	var errs []error
	for _, number := range numbers {
		errs = append(errs, s.options.FS.Remove(s.path(fileName(roleSpill, number))))
	}
	return errors.Join(errs...)
}
