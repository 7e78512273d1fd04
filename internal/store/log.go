package store

import (
	"fmt"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/poison"
)

// writer is what only the log goroutine touches: the file it appends to, and its scratch.
type writer struct {
	store  *Store
	file   disk.File
	number uint32
	spare  *batch        // the buffer that is not front
	told   []waiting     // scratch of tellWaiters
	again  chan struct{} // there may be room on the disk
}

// wake lets a write that waits for room try again.
func (w *writer) wake() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// run is the log goroutine.
func (s *Store) run() {
	for s.await() {
		s.turn()
	}
	s.finish()
}

// await returns true when there is something to do, and false when the store is to be closed.
func (s *Store) await() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.phase == started && !s.due && (s.err != nil || !s.front.urgent || s.keeperFirst()) {
		s.work.Wait()
	}
	return s.phase == started
}

// turn does one round: what was published since the last one goes to the disk, and those who
// wait for it are told.
func (s *Store) turn() {
	if b := s.swap(false); b != nil {
		s.commit(b)
	}
	s.tellWaiters(false)
}

// finish writes what is left and tells everybody. A group with nothing in it proves that the one
// before was synced.
func (s *Store) finish() {
	if b := s.swap(false); b != nil {
		s.commit(b)
	}
	if b := s.swap(true); b != nil {
		s.commit(b)
	}
	s.tellWaiters(true)
}

// swap takes the buffer that the callers have filled and gives them the other one; nil if there
// is nothing to write. It decides where the next buffer will be written, since what is published
// from now on is counted for that file. A file that was not prepared is left as soon as there is
// one that was.
func (s *Store) swap(evenEmpty bool) *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.front.records == 0 && !evenEmpty || s.keeperFirst() {
		return nil
	}
	b, f := s.front, s.files.current()
	offset := blockAfter(b.end())
	f.size = offset
	full := offset >= s.lengthOf(f)
	// On a full disk files are small, so that the keeper can give them back before all is used up.
	short := s.keeper.full && !f.prepared && offset >= s.reserveSize()/shortShare
	if full || short || !f.prepared && len(s.files.pool) > 0 {
		if full && !f.prepared && f.number == s.files.open { // else it is still to be made
			f.prepared, f.length = true, offset // for its next use
		}
		f, offset = s.nextLog(), dataStart
		s.chores.Signal()
	}
	next := s.writer.spare
	next.reset(b.lsn+1, f.number, offset, b.at(), b.touched)
	s.front, s.writer.spare = next, b
	s.space.Broadcast()
	return b
}

// commit writes and syncs one batch.
func (s *Store) commit(b *batch) {
	if err := s.writer.write(b); err != nil {
		_ = s.fail(err) // told to the waiters
		return
	}
	s.mu.Lock()
	s.synced = b.lsn
	if x := s.files.byID[b.file]; x != nil {
		x.synced = b.end()
	}
	s.counts.syncs++
	s.counts.written += uint64(len(b.buf))
	s.due = len(s.waiters) > 0
	if s.keeper.emptied > 0 && s.keeper.emptied <= s.synced {
		s.keeper.emptied, s.keeper.wanted = 0, true
	}
	if s.keeper.wanted {
		s.chores.Signal()
	}
	s.mu.Unlock()
	poison.Bytes(b.buf)
	if cap(b.buf) > 2*(s.options.BufferBytesMax+settleBytes) {
		b.buf = nil // it was enlarged for one large message
	}
}

// write takes a batch to the disk. While the disk is full it waits for room: what was written of
// the batch has not been synced, and is written again.
func (w *writer) write(b *batch) error {
	if b.file != w.number {
		if err := w.next(b.file); err != nil {
			return err
		}
	}
	setGroupLength(b.buf)
	w.store.seal(b.buf, b.at())
	b.buf = pad(b.buf)
	for {
		_, err := w.file.WriteAt(b.buf, b.offset)
		if err == nil {
			break
		}
		err = fmt.Errorf("store: write %s at offset %d: %w", fileName(roleLog, w.number), b.offset,
			err)
		if !disk.IsFull(err) || !w.store.makeRoom(err) {
			return err
		}
	}
	if w.store.options.without == syncBeforeAck {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("store: sync %s: %w", fileName(roleLog, w.number), err)
	}
	return nil
}

func (s *Store) seal(b []byte, at place) {
	if s.options.without == generations {
		at = placeOf(0, at.offset())
	}
	seal(b, at, s.seed)
}

// pad appends zeros up to a whole block; there is room.
func pad(b []byte) []byte {
	n := len(b)
	b = b[:blockAfter(int64(n))]
	clear(b[n:])
	return b
}

// next goes on with another file.
func (w *writer) next(number uint32) error {
	s := w.store
	s.mu.Lock()
	prepared := s.files.byID[number].prepared
	s.mu.Unlock()
	for {
		err := w.begin(number, prepared)
		if err == nil || !disk.IsFull(err) || !s.makeRoom(err) {
			return err
		}
	}
}

// begin opens a log file, and makes it if it was not prepared. All groups in files before it are
// synced. Its name is synced, so that nothing confirmed is in a file that a crash can make
// disappear; its header with the first group.
func (w *writer) begin(number uint32, prepared bool) error {
	if err := w.close(); err != nil {
		return err
	}
	w.leave(number)
	s, name := w.store, fileName(roleLog, number)
	mode := disk.Create
	if prepared {
		mode = disk.Write
	}
	handle, err := s.options.FS.Open(s.path(name), mode|disk.Direct)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", name, err)
	}
	if !prepared {
		if err := s.writeHeader(handle, roleLog, number); err != nil {
			err = fmt.Errorf("store: write header of %s: %w", name, err)
			_ = handle.Close() // it holds nothing
			if disk.IsFull(err) {
				_ = s.options.FS.Remove(s.path(name)) // to be made again
			}
			return err
		}
		if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
			_ = handle.Close() // it holds nothing
			return fmt.Errorf("store: sync data directory after creating %s: %w", name, err)
		}
	}
	w.file, w.number = handle, number
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files.open = number
	return nil
}

// leave notes that the files before that number are closed, for the keeper, who leaves others
// alone: a group may be on its way to them, in which nothing is live.
func (w *writer) leave(number uint32) {
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files.left = number
	s.keeper.wanted = true
	s.chores.Signal()
}

// writeHeader writes the first block of a file.
func (s *Store) writeHeader(handle disk.File, r role, number uint32) error {
	block := disk.Aligned(disk.BlockBytes)
	clear(block)
	header{id: s.id, number: uint64(number)}.append(block[:0], r.magic())
	_, err := handle.WriteAt(block, 0)
	return err
}

func (w *writer) close() error {
	if w.file == nil {
		return nil
	}
	handle := w.file
	w.file, w.number = nil, 0
	if err := handle.Close(); err != nil {
		return fmt.Errorf("store: close log file: %w", err)
	}
	return nil
}
