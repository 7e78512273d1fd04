package store

import (
	"errors"
	"fmt"
	"io"
)

// Disk space comes back in two ways. A file is deleted when neither it nor any older one holds an
// unsettled message: only the oldest may go, because a settle record must not go before the
// publish record it kills. And when most of the log is dead, the unsettled messages of the oldest
// file are written again at the end, so that one old message cannot hold all that came after it.
const (
	// copyFilesMin files are not worth copying for.
	copyFilesMin = 4
	// copyLiveDivisor: copying begins when less than one part in so many is live, so that a
	// byte copied gives back at least three.
	copyLiveDivisor = 4
	// copyStepDefault bytes are read between two commits, or one record if it is larger.
	copyStepDefault = 256 << 10
)

// canRemove says whether the oldest file may be deleted: it is not the one being written, holds
// nothing unsettled, and the record that made this so is on stable storage. The caller holds mu.
func (s *Store) canRemove() bool {
	oldest := &s.files.list[0]
	return oldest.number < s.writer.number && oldest.count == 0 && oldest.emptied < s.synced
}

// mustCopy says whether the oldest file is to be copied. A file half copied is finished, whatever
// became of the proportions. The caller holds mu.
func (s *Store) mustCopy() bool {
	oldest := &s.files.list[0]
	if oldest.count == 0 || oldest.number >= s.writer.number {
		return false
	}
	return s.writer.copier.number == oldest.number ||
		len(s.files.list) > copyFilesMin && s.files.live*copyLiveDivisor < s.files.bytes
}

// clean does one step of cleaning: one file removed, or a part of one copied.
func (s *Store) clean() {
	s.mu.Lock()
	remove := s.err == nil && s.canRemove()
	copying := s.err == nil && !remove && s.mustCopy()
	oldest := s.files.list[0].number
	s.mu.Unlock()
	var err error
	switch {
	case remove:
		err = s.removeOldest(oldest)
	case copying:
		err = s.copyStep(oldest)
	}
	if err != nil {
		_ = s.fail(err) // told to the waiters
	}
}

// removeOldest makes each removal safe before the next: were an older file to come back after a
// crash without the newer ones, what these had settled in it would come back too.
func (s *Store) removeOldest(number uint32) error {
	if err := s.writer.copier.close(); err != nil {
		return err
	}
	name := logName(number)
	if err := s.options.FS.Remove(s.path(name)); err != nil {
		return fmt.Errorf("store: remove %s: %w", name, err)
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: sync data directory after removing %s: %w", name, err)
	}
	s.mu.Lock()
	removed := s.files.removeOldest()
	s.counts.removed++
	s.mu.Unlock()
	s.options.Logger.Debug("log file removed", "file", name, "bytes", removed.bytes)
	return nil
}

// copier reads the oldest file from its beginning.
type copier struct {
	number  uint32 // of the file; 0: none
	scanner scanner
	record  record
	queues  []QueueID
}

func (c *copier) close() error {
	if c.number == 0 {
		return nil
	}
	number, file := c.number, c.scanner.file
	*c = copier{}
	if err := file.Close(); err != nil {
		return fmt.Errorf("store: close %s: %w", logName(number), err)
	}
	return nil
}

// copyStep copies what is unsettled in the next part of the oldest file.
func (s *Store) copyStep(number uint32) error {
	c := &s.writer.copier
	if c.number != number {
		scanner, err := s.openLog(number)
		if err != nil {
			return err
		}
		c.number, c.scanner = number, scanner
	}
	for end := c.scanner.offset + s.options.copyStepBytes; c.scanner.offset < end; {
		err := c.scanner.record(&c.record)
		if errors.Is(err, io.EOF) {
			return s.copied(number)
		}
		if err != nil {
			return err
		}
		if k := c.record.kind; k == kindPublish || k == kindCopy {
			s.copyForward(number, &c.record)
		}
	}
	return nil
}

// copied checks what the deletion of the file will rely on.
func (s *Store) copied(number uint32) error {
	s.mu.Lock()
	left := s.files.at(number).count
	s.mu.Unlock()
	if left != 0 {
		return fmt.Errorf("store: %s: %d messages are said to be in it and were not found",
			logName(number), left)
	}
	return s.writer.copier.close()
}

// copyForward appends the message to front for the queues in which it is unsettled, if the record
// in that file is the latest of it. It does not wait for room: it is called between two writes,
// by the goroutine that makes room.
func (s *Store) copyForward(number uint32, r *record) {
	c := &s.writer.copier
	s.mu.Lock()
	defer s.mu.Unlock()
	c.queues = s.index.unsettledIn(c.queues[:0], r, number)
	if len(c.queues) == 0 || s.err != nil {
		return
	}
	b := s.front
	lsn, start := b.end(), len(b.buf)
	b.buf = appendCopy(b.buf, r.id, c.queues, r.message)
	size := len(b.buf) - start
	for _, q := range c.queues {
		e := entry{id: r.id, file: b.file, share: share(size, len(c.queues))}
		before, _ := s.index.relocate(q, e)
		s.files.drop(before, lsn)
		s.files.add(e)
	}
	s.counts.copied += uint64(size)
	s.took(lsn)
}
