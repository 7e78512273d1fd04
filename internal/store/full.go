package store

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/disk"
)

// What gives room back on a full disk needs some itself: settlements go to the log, and what the
// keeper does goes to the manifest. So some is set aside, in a file that holds nothing. Who finds
// the disk full takes it away, and publishers are held until it is there again.

// fullRetry is how often a write that found the disk full is tried again.
const fullRetry = 200 * time.Millisecond

// makeRoom finds a little room on a full disk, or waits for some: what is set aside, a prepared
// file, or what others give back. It returns false when the store is being closed or has failed.
func (s *Store) makeRoom(cause error) bool {
	s.mu.Lock()
	reserved := s.keeper.reserved
	s.keeper.reserved = false
	s.mu.Unlock()
	if reserved {
		s.setFull(true, cause)
		s.keepLater()
		if s.options.FS.Remove(s.path(reserveName)) == nil {
			return true
		}
	}
	return s.giveSpare() || s.awaitRoom(cause)
}

// setAside writes the file whose room is for makeRoom.
func (s *Store) setAside() error {
	s.doing("set aside")
	err := s.writeReserve()
	if disk.IsFull(err) {
		_ = s.options.FS.Remove(s.path(reserveName)) // else Start does; it may not be there
		s.setFull(true, err)
	}
	s.mu.Lock()
	s.keeper.reserved = err == nil
	s.mu.Unlock()
	return err
}

func (s *Store) writeReserve() error {
	size := s.reserveSize()
	if err := s.checkRoom(reserveName, size); err != nil {
		return err
	}
	handle, err := s.options.FS.Open(s.path(reserveName), disk.Create|disk.Direct)
	if err != nil {
		return fmt.Errorf("store: create %s: %w", reserveName, err)
	}
	zeros := disk.Aligned(int(min(prepareBytes, blockAfter(size))))
	for at := int64(0); at < size && err == nil; at += int64(len(zeros)) {
		_, err = handle.WriteAt(zeros[:blockAfter(min(prepareBytes, size-at))], at)
	}
	if err == nil {
		err = handle.Sync() // some file systems find the room for it only now
	}
	if closeErr := handle.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("store: write %s: %w", reserveName, err)
	}
	return nil
}

// reserveSize is how much is set aside.
func (s *Store) reserveSize() int64 {
	share := min(reserveBytes, s.options.FileBytesMax/reserveShare)
	return max(share, s.options.ReserveBytesMin)
}

// checkRoom looks whether there is room for a new file before that is made: until it turned out
// that there is none, others would find none either. While nothing is set aside, a part of that is
// left to the log: every chore waits for it.
func (s *Store) checkRoom(name string, size int64) error {
	s.mu.Lock()
	if !s.keeper.reserved && name != reserveName {
		size += s.reserveSize() / 4
	}
	s.mu.Unlock()
	if free, err := s.options.FS.Free(s.options.Dir); err == nil && free < uint64(size) {
		return fmt.Errorf("store: %d bytes are free, for %s: %w", free, name, syscall.ENOSPC)
	}
	return nil // or nobody knows
}

// mergeInstead merges what is sparse, when there is no room for what is more urgent: that gives
// some. It says whether it did.
func (s *Store) mergeInstead() bool {
	s.mu.Lock()
	sparse := s.sparseSegments()
	s.mu.Unlock()
	if sparse = s.thatFit(sparse); len(sparse) == 0 {
		return false
	}
	err := s.merge(sparse)
	s.doing("")
	if err != nil && !disk.IsFull(err) && !errors.Is(err, errKept) && !errors.Is(err, ErrClosed) {
		_ = s.fail(err) // told to the waiters
	}
	return err == nil
}

// thatFit returns those of the files whose live messages, copied, have room.
func (s *Store) thatFit(list []*file) (fit []*file) {
	size := int64(0)
	for _, x := range list {
		s.mu.Lock()
		_, bytes := s.live(x)
		s.mu.Unlock()
		if s.checkRoom("", size+bytes+dataStart) == nil {
			size += bytes
			fit = append(fit, x)
		}
	}
	return fit
}

// giveSpare removes a prepared file, if there is one.
func (s *Store) giveSpare() bool {
	s.mu.Lock()
	var spare *file
	if n := len(s.files.pool); n > 0 {
		spare = s.files.pool[n-1]
		s.files.pool = s.files.pool[:n-1]
		delete(s.files.byID, spare.number)
		s.keeper.wanted = true
		s.chores.Signal()
	}
	s.mu.Unlock()
	return spare != nil && s.remove(spare) == nil
}

// awaitRoom waits a moment for room on the disk; false: the store is being closed, or has failed.
func (s *Store) awaitRoom(cause error) bool {
	s.setFull(true, cause)
	if s.options.idle != nil {
		s.options.idle()
	} else {
		timer := time.NewTimer(fullRetry)
		defer timer.Stop()
		select {
		case <-s.writer.again:
		case <-timer.C:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == started && s.err == nil
}
