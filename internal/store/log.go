package store

import (
	"fmt"

	"github.com/warrenmq/warren/internal/disk"
)

// writer is what only the log goroutine touches: the file it appends to, and its scratch.
type writer struct {
	store  *Store
	file   disk.File
	number uint32
	offset int64
	spare  *batch    // the buffer that is not front
	told   []waiting // scratch of tellWaiters
	copier copier
}

// run is the log goroutine.
func (s *Store) run() {
	defer close(s.done)
	for s.await() {
		s.turn()
	}
	s.finish()
}

// await returns true when there is something to do, and false when the store is to be closed.
func (s *Store) await() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.phase == running && !s.hasWork() {
		s.work.Wait()
	}
	return s.phase == running
}

func (s *Store) hasWork() bool {
	return s.due || s.err == nil && (s.front.records > 0 || s.canRemove() || s.mustCopy())
}

// turn does one round: what was published since the last one goes to the disk, those who wait
// for it are told, and a little cleaning is done, so that it never delays a confirm for long.
func (s *Store) turn() {
	if b := s.swap(); b != nil {
		s.commit(b)
	}
	s.tellWaiters(false)
	s.clean()
}

// finish writes what is left and tells everybody.
func (s *Store) finish() {
	if b := s.swap(); b != nil {
		s.commit(b)
	}
	if b := s.swapEmpty(); b != nil {
		s.commit(b) // a group with nothing in it proves that the one before was synced
	}
	s.tellWaiters(true)
}

// swap takes the buffer that the callers have filled and gives them the other one; nil if there
// is nothing to write.
func (s *Store) swap() *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.front.records == 0 {
		return nil
	}
	return s.swapLocked()
}

func (s *Store) swapEmpty() *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil
	}
	return s.swapLocked()
}

// swapLocked decides in which file the next buffer will be written, since what is published from
// now on is counted for that file. The caller holds mu.
func (s *Store) swapLocked() *batch {
	b := s.front
	s.files.grow(int64(len(b.buf)))
	number := b.file
	if s.files.last().bytes >= s.options.FileBytesMax {
		number++
		s.files.append(number, headerBytes)
	}
	s.front = s.writer.spare
	s.front.reset(b.end(), number)
	s.writer.spare = b
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
	s.synced = b.end()
	s.counts.syncs++
	s.counts.written += uint64(len(b.buf))
	s.due = len(s.waiters) > 0
	s.mu.Unlock()
	if cap(b.buf) > 2*s.options.BufferBytesMax {
		b.buf = nil // it was enlarged for one large message
	}
}

func (w *writer) write(b *batch) error {
	if b.file != w.number {
		if err := w.begin(b.file, b.base, b.base); err != nil {
			return err
		}
	}
	seal(b.buf, b.base, w.store.id.seed())
	if _, err := w.file.WriteAt(b.buf, w.offset); err != nil {
		return fmt.Errorf("store: write %s at offset %d: %w", logName(w.number), w.offset, err)
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("store: sync %s: %w", logName(w.number), err)
	}
	w.offset += int64(len(b.buf))
	return nil
}

// begin starts a log file. All files before it are synced. The header is synced before anything
// is written behind it, so that only an otherwise empty file can have a torn one; and the name is
// synced, so that nothing confirmed is in a file that a crash can make disappear.
func (w *writer) begin(number uint32, first, endBefore LSN) error {
	if err := w.close(); err != nil {
		return err
	}
	s, name := w.store, logName(number)
	file, err := s.options.FS.Open(s.path(name), disk.Create)
	if err != nil {
		return fmt.Errorf("store: create %s: %w", name, err)
	}
	w.file, w.number, w.offset = file, number, headerBytes
	h := header{id: s.id, number: uint64(number), a: uint64(first), b: uint64(endBefore)}
	if _, err := file.WriteAt(h.append(nil, logMagic), 0); err != nil {
		return fmt.Errorf("store: write header of %s: %w", name, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("store: sync %s: %w", name, err)
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: sync data directory after creating %s: %w", name, err)
	}
	return nil
}

func (w *writer) close() error {
	if w.file == nil {
		return nil
	}
	file := w.file
	w.file = nil
	if err := file.Close(); err != nil {
		return fmt.Errorf("store: close %s: %w", logName(w.number), err)
	}
	return nil
}
