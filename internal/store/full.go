package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/disk"
)

// What gives room back on a full disk needs some itself: settlements go to the log, and what the
// keeper does goes to the manifest. So some is set aside, in a file that holds nothing. Who finds
// the disk full takes it away, and publishers are held until it is there again.

// shortShare: on a full disk a log file that was not prepared ends when it has one part in so many
// of what is set aside.
const shortShare = 4

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
	return s.giveSpare() || s.giveMergeRoom() || s.awaitRoom(cause)
}

// keeperFirst says whether the log waits until the keeper has given back what it can, since what
// is set aside is being used up. Settlements whose callers wait for each could otherwise use all of
// it while the keeper is at work; and then the keeper, who waits for them before the manifest may
// rest on them, could not give back the very files they filled. For what the keeper waits for, the
// log goes on. mu is held.
func (s *Store) keeperFirst() bool {
	k := &s.keeper
	return k.full && !k.reserved && (k.wanted || k.busy) && k.awaits <= s.synced &&
		s.phase == started && !s.alone && s.files.oldestLog() != nil
}

// giveMergeRoom removes what is set aside for a merge if the keeper waits for what has no room:
// then there will be no merge before that has some.
func (s *Store) giveMergeRoom() bool {
	s.mu.Lock()
	give := s.keeper.writing && s.keeper.mergeRoom
	if give {
		s.keeper.mergeRoom = false
	}
	s.mu.Unlock()
	return give && s.options.FS.Remove(s.path(mergeRoomName)) == nil
}

// takeMergeRoom makes what is set aside for a merge the file of a segment. It is not removed and
// made again, since the log might take the room in between.
func (s *Store) takeMergeRoom(number uint32) error {
	s.mu.Lock()
	there := s.keeper.mergeRoom
	s.keeper.mergeRoom = false
	s.mu.Unlock()
	if !there {
		return errKept
	}
	name := fileName(roleSegment, number)
	if err := s.options.FS.Rename(s.path(mergeRoomName), s.path(name)); err != nil {
		return fmt.Errorf("store: rename %s to %s: %w", mergeRoomName, name, err)
	}
	return nil
}

func (s *Store) setWriting(writing bool) {
	s.mu.Lock()
	s.keeper.writing = writing
	s.mu.Unlock()
}

// setAside writes the file whose room is for makeRoom, or the one for a merge.
func (s *Store) setAside() error {
	s.doing("set aside")
	s.mu.Lock()
	name, size, there := reserveName, s.reserveSize(), &s.keeper.reserved
	if s.keeper.reserved {
		name, size, there = mergeRoomName, s.mergeRoomSize(), &s.keeper.mergeRoom
	}
	s.mu.Unlock()
	err := s.writeReserve(name, size)
	if disk.IsFull(err) {
		_ = s.options.FS.Remove(s.path(name)) // else Start does; it may not be there
		s.setFull(true, err)
	}
	s.mu.Lock()
	*there = err == nil
	s.mu.Unlock()
	return err
}

func (s *Store) writeReserve(name string, size int64) error {
	if err := s.checkRoom(name, size); err != nil {
		return err
	}
	handle, err := s.options.FS.Open(s.path(name), disk.Create|disk.Direct)
	if errors.Is(err, fs.ErrExist) { // it could not be removed when it was given up
		if err = s.options.FS.Remove(s.path(name)); err == nil {
			handle, err = s.options.FS.Open(s.path(name), disk.Create|disk.Direct)
		}
	}
	if err != nil {
		return fmt.Errorf("store: create %s: %w", name, err)
	}
	if err = allocate(handle, size); err == nil {
		err = handle.Sync() // some file systems find the room for it only now
	}
	if closeErr := handle.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("store: write %s: %w", name, err)
	}
	return nil
}

// allocate gives a file room, which it takes by writing zeros where there is no other way.
func allocate(handle disk.File, size int64) error {
	if a, ok := handle.(disk.Allocator); ok {
		if err := a.Allocate(size); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	zeros := disk.Aligned(int(min(prepareBytes, blockAfter(size))))
	for at := int64(0); at < size; at += int64(len(zeros)) {
		n := blockAfter(min(prepareBytes, size-at))
		if _, err := handle.WriteAt(zeros[:n], at); err != nil {
			return err
		}
	}
	return nil
}

// reserveSize is how much is set aside.
func (s *Store) reserveSize() int64 {
	return max(s.mergeRoomSize(), s.options.ReserveBytesMin)
}

// mergeRoomSize is how much is set aside for a merge: what is live in a file worth copying has room
// in it.
func (s *Store) mergeRoomSize() int64 {
	return blockAfter(min(reserveBytes, s.options.FileBytesMax/reserveShare))
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
	err := errKept
	if fit := s.thatFit(sparse); len(fit) > 0 {
		err = s.merge(fit)
	} else if fit = s.thatFitLast(sparse); len(fit) > 0 {
		s.doing("merge")
		err = s.move(fit, 0, true)
	}
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

// thatFitLast returns those of the files whose live messages have room in what is set aside for a
// merge, if it is: those with the least first.
func (s *Store) thatFitLast(list []*file) (fit []*file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.keeper.mergeRoom {
		return nil
	}
	bytes := func(x *file) int64 { _, n := s.live(x); return n }
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *file) int { return cmp.Compare(bytes(a), bytes(b)) })
	size := int64(dataStart)
	for _, x := range list {
		if size += bytes(x); size > s.mergeRoomSize() {
			break
		}
		fit = append(fit, x)
	}
	return fit
}

// giveSpare removes a prepared file, if there is one. A directory that cannot be synced ends the
// store: the next sync might not tell what this one lost.
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
	if spare == nil {
		return false
	}
	err := s.remove(spare)
	if errors.Is(err, errDirectory) {
		_ = s.fail(err) // told to the waiters
	}
	return err == nil
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
