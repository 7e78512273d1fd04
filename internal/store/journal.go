package store

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/disk"
)

// journal is a file of opaque records that are appended and synced, and now and then replaced by a
// snapshot: the definitions, and the manifest. It has no goroutine: whoever waits for his records
// takes the token, and writes and syncs what all have appended by then.
type journal struct {
	store     *Store
	name      string
	magic     string
	fresh     bool     // there is no file yet
	recovered [][]byte // until begin
	cut       int64    // torn bytes at the end

	token chan struct{} // room for one; who has put something in owns the fields below
	file  disk.File     // nil before begin and after close
	count uint64        // how many times the file was rewritten
	base  int64         // bytes of the snapshot it began with
	ended bool          // it ends with an empty group

	mu      sync.Mutex
	size    int64 // changed only with the token
	pending *journalWrite

	held atomic.Bool // it is being read, and must not be replaced
}

// journalWrite is what one write takes to the disk.
type journalWrite struct {
	buf  []byte        // begins with a group record
	done chan struct{} // closed after err is set
	err  error
}

func newJournal(s *Store, name, magic string) *journal {
	return &journal{store: s, name: name, magic: magic, token: make(chan struct{}, 1)}
}

func (j *journal) bytes() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

// load reads the file, if there is one, and returns the identity of its directory.
func (j *journal) load(exists bool) (directoryID, error) {
	s := j.store
	if !exists {
		j.fresh = true
		return s.id, nil
	}
	name := s.path(j.name)
	file, err := s.options.FS.Open(name, disk.Read)
	if err != nil {
		return s.id, fmt.Errorf("store: open %s: %w", name, err)
	}
	defer file.Close() // read only: nothing to lose
	sc, err := newScanner(file, name)
	if err != nil {
		return s.id, err
	}
	h, err := sc.header(j.magic)
	if err != nil {
		return s.id, err
	}
	j.count, j.base = h.number, int64(h.base)
	sc.seed, sc.offset, sc.unchecked = h.id.seed(), headerBytes, s.options.without == checksums
	return h.id, j.replay(sc)
}

func (j *journal) replay(sc *scanner) error {
	var r record
	for {
		err := sc.record(&r)
		if errors.Is(err, errBroken) {
			if j.cut, err = j.tail(sc); err == nil {
				err = io.EOF
			}
		}
		if errors.Is(err, io.EOF) {
			j.size = sc.offset
			return nil
		}
		if err != nil {
			return err
		}
		j.ended = r.kind == kindGroup
		if r.kind == kindDefinition {
			j.recovered = append(j.recovered, append([]byte(nil), r.message...))
		}
	}
}

// tail decides what follows the last valid record. If it can be what a crash leaves of the last
// write, it returns how many bytes to cut off. Each write begins with a group record, and only
// after the write before was synced. So a valid group after the broken place proves that this
// place was once on stable storage, and is not a torn write but damage. Other valid records after
// it prove nothing: blocks of the last write reach the disk in any order.
func (j *journal) tail(sc *scanner) (int64, error) {
	at, found, err := sc.findGroup(sc.offset + 1)
	switch {
	case err != nil:
		return 0, err
	case found:
		reason := fmt.Sprintf("no valid record, but later writes follow from offset %d", at)
		return 0, &DamageError{File: sc.name, Offset: sc.offset, Reason: reason}
	}
	return sc.size - sc.offset, nil
}

// begin makes the file or cuts it, and makes it safe (see repair, which syncs the directory).
func (j *journal) begin() error {
	fs, dir := j.store.options.FS, j.store.options.Dir
	j.recovered = nil
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("store: list data directory: %w", err)
	}
	if slices.Contains(names, j.name+newSuffix) { // a crash came before it was renamed
		if err := fs.Remove(j.store.path(j.name + newSuffix)); err != nil {
			return fmt.Errorf("store: remove %s: %w", j.name+newSuffix, err)
		}
	}
	if j.fresh {
		return j.rewrite(nil, 0)
	}
	if err := j.open(); err != nil {
		return err
	}
	if j.cut > 0 {
		if err := j.file.Truncate(j.size); err != nil {
			return fmt.Errorf("store: cut %s: %w", j.name, err)
		}
		j.store.options.Logger.Warn("torn write of a crash cut off",
			"file", j.name, "offset", j.size, "bytes", j.cut)
	}
	return j.sync(j.file, j.name)
}

func (j *journal) open() error {
	file, err := j.store.options.FS.Open(j.store.path(j.name), disk.Write)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", j.name, err)
	}
	j.file = file
	return nil
}

func (j *journal) sync(file disk.File, name string) error {
	if err := file.Sync(); err != nil {
		return fmt.Errorf("store: sync %s: %w", name, err)
	}
	return nil
}

// Define appends records to the definitions and returns when they are on stable storage: nothing
// published after that survives a crash without them. Concurrent callers share one sync.
//
// The file is rewritten when it has grown to more than twice its last snapshot and 1 MiB. Then
// snapshot is called, on the caller's goroutine, before Define returns; it emits records that
// stand for all definitions so far, and they replace the file's. Records may be both in the
// snapshot and after it, so replaying them must be idempotent. Definitions that another caller
// has synced must be in the snapshot: make a change visible to it before Define, or keep callers
// apart. A nil snapshot never rewrites. An error is final, except that of a record larger than
// DefinitionBytesMax and a *FullError: then nothing was written. It panics before Start.
func (s *Store) Define(snapshot func(emit func(record []byte)), records ...[]byte) error {
	return s.DefineLater(snapshot, records...)()
}

// DefineLater is Define in two steps, for a caller who keeps the order of definitions by a lock
// and does not want to hold it while the disk works: the place of the records among all others
// is fixed when it returns; the function it returns must be called, once, and does the rest, the
// call of snapshot included.
func (s *Store) DefineLater(
	snapshot func(emit func(record []byte)), records ...[]byte,
) (wait func() error) {
	s.mu.Lock()
	phase := s.phase
	s.mu.Unlock()
	if phase == opened {
		panic("store: definitions written before Start")
	}
	for _, r := range records {
		if len(r) > DefinitionBytesMax {
			err := fmt.Errorf("store: definition of %d bytes, the limit is %d",
				len(r), DefinitionBytesMax)
			return func() error { return err }
		}
	}
	d := s.definitions.append(records)
	return func() error { return s.definitions.wait(d, snapshot) }
}

func (j *journal) append(records [][]byte) *journalWrite {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == nil {
		j.pending = &journalWrite{buf: appendGroup(nil, 0, nil), done: make(chan struct{})}
	}
	for _, r := range records {
		j.pending.buf = appendDefinition(j.pending.buf, r)
	}
	return j.pending
}

func (j *journal) wait(d *journalWrite, snapshot func(emit func(record []byte))) error {
	select {
	case <-d.done:
		return d.err
	case j.token <- struct{}{}:
	}
	defer func() { <-j.token }()
	select {
	case <-d.done:
		return d.err
	default:
	}
	// d is pending: it is not done, and only the owner of the token takes it away.
	var content []byte
	if snapshot != nil && j.mustRewrite() {
		content = appendGroup(nil, 0, nil)
		snapshot(func(record []byte) { content = appendDefinition(content, record) })
	}
	j.mu.Lock()
	j.pending = nil
	j.mu.Unlock()
	d.err = j.write(d.buf, content)
	if d.err != nil && !errors.Is(d.err, ErrClosed) && !isFull(d.err) {
		d.err = j.store.fail(d.err)
	}
	close(d.done)
	return d.err
}

func (j *journal) mustRewrite() bool {
	size := j.bytes()
	return !j.held.Load() && size > 2*j.base && size > j.store.options.compactBytesMin
}

// isFull says whether an error passes when the disk has room again.
func isFull(err error) bool {
	full := (*FullError)(nil)
	return errors.As(err, &full)
}

// write appends to the file or, if there is a snapshot, replaces it.
func (j *journal) write(b, snapshot []byte) error {
	if err := j.store.Err(); err != nil {
		return err
	}
	if j.file == nil {
		return ErrClosed
	}
	if snapshot != nil {
		err := j.rewrite(append(snapshot, b...), int64(len(snapshot)))
		if !isFull(err) {
			return err
		}
	}
	size := j.bytes()
	setGroupLength(b)
	seal(b, place(size), j.store.seed)
	if _, err := j.file.WriteAt(b, size); err != nil {
		err = fmt.Errorf("store: write %s at offset %d: %w", j.name, size, err)
		if disk.IsFull(err) {
			return j.takeBack(size, err)
		}
		return err
	}
	j.setSize(size + int64(len(b)))
	j.ended = len(b) == groupFixedBytes+1
	return j.sync(j.file, j.name)
}

// takeBack cuts off what a full disk let through of a write: whole records of it could come to life
// behind a shorter write at the same place.
func (j *journal) takeBack(size int64, cause error) error {
	if err := j.file.Truncate(size); err != nil {
		return fmt.Errorf("store: cut %s after %w: %w", j.name, cause, err)
	}
	if err := j.sync(j.file, j.name); err != nil {
		return err
	}
	return &FullError{cause}
}

func (j *journal) setSize(size int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.size = size
}

// rewrite writes a new file beside the old one and renames it when it is synced, so that a crash
// leaves one of the two complete.
func (j *journal) rewrite(records []byte, snapshotBytes int64) error {
	s := j.store
	h := header{id: s.id, number: j.count + 1, base: uint64(snapshotBytes)}
	b := append(h.append(make([]byte, 0, headerBytes+len(records)), j.magic), records...)
	seal(b[headerBytes:], headerBytes, s.seed)
	if err := j.writeNew(b); err != nil {
		if disk.IsFull(err) {
			return &FullError{errors.Join(err, s.options.FS.Remove(s.path(j.name+newSuffix)))}
		}
		return err
	}
	if err := j.close(); err != nil { // some systems do not replace an open file
		return err
	}
	from, to := s.path(j.name+newSuffix), s.path(j.name)
	if err := s.options.FS.Rename(from, to); err != nil {
		return fmt.Errorf("store: rename %s to %s: %w", j.name+newSuffix, j.name, err)
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: sync data directory after renaming %s: %w",
			j.name+newSuffix, err)
	}
	j.count, j.base, j.ended = j.count+1, snapshotBytes, len(records) == 0
	j.setSize(int64(len(b)))
	return j.open()
}

func (j *journal) writeNew(b []byte) error {
	file, err := j.store.options.FS.Open(j.store.path(j.name+newSuffix), disk.Create)
	if err != nil {
		return fmt.Errorf("store: create %s: %w", j.name+newSuffix, err)
	}
	_, err = file.WriteAt(b, 0)
	if err != nil {
		err = fmt.Errorf("store: write %s: %w", j.name+newSuffix, err)
	} else {
		err = j.sync(file, j.name+newSuffix)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// shutdown waits for the write in progress. Who comes later gets ErrClosed. An empty group at the
// end proves that what is before was synced, so that damage to it is not taken for a torn write.
func (j *journal) shutdown() error {
	j.token <- struct{}{}
	defer func() { <-j.token }()
	var err error
	if j.file != nil && !j.ended && j.store.Err() == nil {
		if err = j.write(appendGroup(nil, 0, nil), nil); isFull(err) {
			err = nil // nothing is lost
		}
	}
	return errors.Join(err, j.close())
}

// close takes the file away from its writer, who has the token.
func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	file := j.file
	j.file = nil
	if err := file.Close(); err != nil {
		return fmt.Errorf("store: close %s: %w", j.name, err)
	}
	return nil
}
