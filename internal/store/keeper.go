package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

const (
	// poolMax prepared files wait to be used.
	poolMax = 2
	// prepareBytes are written at once while a file is prepared.
	prepareBytes = 128 << 10
	// The first file that is prepared has one part in firstShare of FileBytesMax, and at least
	// firstBytesMin.
	firstShare    = 64
	firstBytesMin = 16 << 10
	// adoptQueuesMax: a log file with messages of more queues is not made a segment as it is,
	// since to read one queue all of it would be read.
	adoptQueuesMax = 4
	// adoptGrowth: but if the copies of its messages, one for each queue, take so many times the
	// room of the file, it is kept. So a message for many queues stays one.
	adoptGrowth = 2
	// adoptShare, segmentShare: a file of which less than one part in so many is live is copied.
	adoptShare   = 2
	segmentShare = 2
	// deadFiles: segments are copied when more is dead in them than alive, and than fits into so
	// many log files.
	deadFiles = 2
	// smallMax segments of less than one part in smallShare of a log file are left as they are: a
	// slow queue would have one for each log file that went by.
	smallMax   = 16
	smallShare = 16
	// settledMany messages settled are worth a look for segments with little in them.
	settledMany = 1 << 16
	// reserveBytes are set aside for when the disk is full, or a part of the size of a log file.
	reserveBytes = 32 << 20
	reserveShare = 2
)

// keeper is the second goroutine: it gives room back. The store's mu guards it.
type keeper struct {
	wanted  bool   // there may be something to do
	busy    bool   // it is at it
	awaits  LSN    // the last group it waited for before it could go on
	settled int    // messages, since the last look
	emptied LSN    // the group that emptied a file; 0: it is synced, and the keeper was told
	doing   string // the chore under way; for tests
	full    bool   // the disk is
	// growing: the last log file that was let go of is a segment now, so that none comes back to
	// be used again. To prepare new ones would be to write everything twice.
	growing bool
	// reserved: there is the file whose room is set aside.
	reserved bool
	// mergeRoom: and the one whose room is for a merge.
	mergeRoom bool
	// writing: an edit of the manifest is under way, which gives room back, or leads to it.
	writing bool
	cut     *Cut // wanted, or open; nil: none
	// outgoing are files that are in no list any more and were kept for a cut.
	outgoing []*file
	// tryAgain: a chore found the disk full; not before then.
	tryAgain time.Time
	timer    *time.Timer
}

// runKeeper is the keeper goroutine.
func (s *Store) runKeeper() {
	for s.awaitChore() {
		for s.keep() {
		}
	}
	s.endCut()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper.timer != nil {
		s.keeper.timer.Stop()
	}
}

func (s *Store) awaitChore() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeper.busy = false
	s.work.Signal() // see keeperFirst
	for s.phase == started && (!s.keeper.wanted || s.err != nil) {
		s.chores.Wait()
	}
	s.keeper.wanted, s.keeper.busy = false, true
	return s.phase == started && s.err == nil
}

// keep does one chore and says whether there may be another.
func (s *Store) keep() bool {
	chore := s.nextChore()
	if chore == nil {
		return false
	}
	err := chore()
	if disk.IsFull(err) && s.giveSpare() {
		err = chore()
	}
	s.doing("")
	switch {
	case err == nil:
		return true
	case errors.Is(err, errKept):
		return true
	case errors.Is(err, ErrClosed): // what the chore was for, recovery does
	case disk.IsFull(err):
		s.options.Logger.Warn("no room for a file", "error", err)
		s.keepLater()
		return s.mergeInstead()
	default:
		_ = s.fail(err) // told to the waiters
	}
	return false
}

// doing notes which chore is under way; mu is not held.
func (s *Store) doing(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeper.doing = what
}

// keepLater has the keeper look again after a while.
func (s *Store) keepLater() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alone {
		return
	}
	if s.keeper.timer == nil {
		s.keeper.timer = time.AfterFunc(fullRetry, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.keeper.wanted = true
			s.chores.Signal()
		})
		return
	}
	s.keeper.timer.Reset(fullRetry)
}

// nextChore decides what is most urgent; nil: nothing. It only looks.
func (s *Store) nextChore() func() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != started || s.err != nil {
		return nil
	}
	if c := s.keeper.cut; c != nil && !c.ready {
		return func() error { s.makeCut(c); return nil }
	}
	if len(s.keeper.outgoing) > 0 {
		return s.letOutgoingGo
	}
	aside := s.keeper.reserved && s.keeper.mergeRoom || s.counts.records == 0
	if s.files.length == 0 && s.counts.records > 0 && !s.keeper.full {
		return s.prepare
	}
	if !aside && !s.keeper.full {
		return s.setAside
	}
	if x := s.files.oldestLog(); x != nil {
		if live, _ := s.live(x); live == 0 && s.settledSafely(x) {
			return func() error { return s.release(x) }
		}
		if len(s.files.logs) > s.options.LogFilesMax || s.keeper.full {
			return func() error { return s.checkpoint(x) }
		}
	}
	if empty := s.emptySegments(); len(empty) > 0 {
		return func() error { return s.drop(empty) }
	}
	if len(s.forgiven) > 0 {
		return s.writeForgiven
	}
	if !aside {
		return s.setAside
	}
	if len(s.files.pool) == 0 && s.counts.records > 0 && !s.keeper.growing {
		return s.prepare
	}
	if s.keeper.full {
		return s.noLongerFull
	}
	if sparse := s.sparseSegments(); len(sparse) > 0 {
		return func() error { return s.merge(sparse) }
	}
	return nil
}

// settledSafely says whether the last settlement of a file's messages is on stable storage; mu is
// held.
func (s *Store) settledSafely(x *file) bool {
	return x.emptied <= s.synced || s.options.without == emptiedSync
}

// noLongerFull: there is room for what is set aside, and for a log file of full length. With less,
// the disk would soon be full again.
func (s *Store) noLongerFull() error {
	s.mu.Lock()
	missing := s.options.FileBytesMax
	for _, x := range s.files.pool {
		missing -= s.lengthOf(x)
	}
	s.mu.Unlock()
	if missing > 0 {
		if err := s.checkRoom("log files", missing); err != nil {
			return err
		}
	}
	s.setFull(false, nil)
	return nil
}

// setFull notes whether there is room for log files, and tells when that changes.
func (s *Store) setFull(full bool, cause error) {
	s.mu.Lock()
	changed := s.keeper.full != full
	s.keeper.full = full
	s.space.Broadcast()
	s.mu.Unlock()
	if !changed {
		return
	}
	if full {
		s.options.Logger.Error("the disk is full", "error", cause)
	} else {
		s.options.Logger.Info("the disk has room again")
	}
	s.tellFull()
}

// tellFull tells the caller of Open whether there is room, if it was told otherwise. Two goroutines
// may have changed it; who comes last tells how it is now, and not what it came for.
func (s *Store) tellFull() {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	full := s.keeper.full
	s.mu.Unlock()
	if full != s.toldFull {
		s.toldFull = full
		s.options.Full(full)
	}
}

// release lets go of the oldest log file, in which nothing is live. What it says of messages in
// segments is in the manifest first.
func (s *Store) release(x *file) error {
	s.doing("release")
	var e edit
	s.mu.Lock()
	s.keeper.growing = false
	s.addDirty(&e)
	if !e.empty() || x.cut != nil { // a file that is kept for a cut must not be replayed
		s.files.released = max(s.files.released, x.number)
		e.released = s.files.released
	}
	after := s.last
	s.mu.Unlock()
	if err := s.write(&e, after); err != nil {
		return err
	}
	return s.discard(x)
}

// checkpoint makes the oldest log file unnecessary though messages in it are live. A file that is
// mostly live becomes a segment as it is: a long backlog is written once. Otherwise what is live
// is moved. On a full disk the log is kept short, since what was settled takes less room in the
// manifest; and where there is no room to move what is live, the file stays as it is.
func (s *Store) checkpoint(x *file) error {
	s.doing("adopt")
	room := s.checkRoom("", s.options.FileBytesMax) == nil
	s.mu.Lock()
	live, bytes := s.live(x)
	queues := 0
	for range s.index.QueuesOf(index.FileID(x.number)) {
		queues++
	}
	size := x.size - dataStart
	adopt := queues <= adoptQueuesMax && bytes*adoptShare >= size || bytes >= adoptGrowth*size
	adopt = (adopt || s.keeper.full && !room) && len(x.holes) == 0
	if live == 0 || !adopt && !x.damaged {
		s.mu.Unlock()
		s.doing("move")
		return s.move([]*file{x}, x.number, false)
	}
	x.segment, s.keeper.growing = true, true
	s.index.TrackFile(index.FileID(x.number))
	s.files.logs = slices.Delete(s.files.logs, 0, 1)
	s.files.released = max(s.files.released, x.number)
	e := edit{released: s.files.released}
	s.addDirty(&e)
	s.addFile(&e, x)
	after := s.last
	s.mu.Unlock()
	s.options.Logger.Debug("log file kept as a segment", "number", x.number, "messages", live)
	return s.write(&e, after)
}

// discard lets go of a file that nobody needs, at once or at the end of the cut it is a part of.
func (s *Store) discard(x *file) error {
	s.awaitReaders(x)
	s.mu.Lock()
	x.segment = false
	s.forget(x)
	kept := x.cut != nil
	if kept {
		x.cut.outgoing = append(x.cut.outgoing, x)
	}
	s.mu.Unlock()
	if kept {
		return nil
	}
	return s.letGo(x)
}

// letGo prepares a file that is in no list any more for its next use, or removes it. Its new name
// is synced before anything else happens to any file: after that nothing it held can come back,
// though newer files, which say what was settled in it, go too.
func (s *Store) letGo(x *file) error {
	s.mu.Lock()
	reuse := x.role != roleSpill && len(s.files.pool) < poolMax &&
		x.prepared && x.length >= s.files.length && x.size <= 2*s.options.FileBytesMax
	s.mu.Unlock()
	s.counts.removed.Add(1)
	if x.missing {
		return nil
	}
	if reuse {
		return s.recycle(x)
	}
	return s.remove(x)
}

// errDirectory: the names of files may not be on stable storage.
var errDirectory = errors.New("sync data directory")

func (s *Store) remove(x *file) error {
	name := fileName(x.role, x.number)
	if err := s.options.FS.Remove(s.path(name)); err != nil {
		return fmt.Errorf("store: remove %s: %w", name, err)
	}
	s.mu.Lock()
	replayed := x.role == roleLog && x.number > s.files.released
	s.mu.Unlock()
	if !replayed { // if it comes back, it is not in the manifest
		return nil
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: %w after removing %s: %w", errDirectory, name, err)
	}
	s.options.Logger.Debug("file removed", "file", name)
	return nil
}

// recycle gives a log file a new number. The header is not synced: under the new name the checksum
// of no record in it is right, whatever the header says, and the first commit syncs both.
func (s *Store) recycle(x *file) error {
	s.doing("recycle")
	for {
		s.mu.Lock()
		number := s.files.newNumber()
		s.mu.Unlock()
		from, to := fileName(x.role, x.number), fileName(roleLog, number)
		handle, err := s.options.FS.Open(s.path(from), disk.Write|disk.Direct)
		if err != nil {
			return fmt.Errorf("store: open %s: %w", from, err)
		}
		err = s.writeHeader(handle, roleLog, number)
		if closeErr := handle.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return fmt.Errorf("store: write header of %s: %w", from, err)
		}
		if err := s.options.FS.Rename(s.path(from), s.path(to)); err != nil {
			return fmt.Errorf("store: rename %s to %s: %w", from, to, err)
		}
		if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
			return fmt.Errorf("store: sync data directory after renaming %s: %w", from, err)
		}
		x = &file{number: number, role: roleLog, length: x.length}
		if s.pool(x) {
			return nil
		}
	}
}

// prepare writes a new log file to its full length, so that later syncs are cheap.
func (s *Store) prepare() error {
	s.doing("prepare")
	s.mu.Lock()
	number, length := s.files.newNumber(), s.nextLength()
	s.mu.Unlock()
	name := fileName(roleLog, number)
	if err := s.checkRoom(name, length); err != nil {
		s.setFull(true, err)
		return err
	}
	handle, err := s.options.FS.Open(s.path(name), disk.Create|disk.Direct)
	if err != nil {
		return fmt.Errorf("store: create %s: %w", name, err)
	}
	err = s.fill(handle, number, length)
	if closeErr := handle.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = s.options.FS.SyncDir(s.options.Dir)
	}
	if err != nil {
		err = fmt.Errorf("store: prepare %s: %w", name, err)
		if disk.IsFull(err) {
			_ = s.options.FS.Remove(s.path(name)) // else recovery does
			s.setFull(true, err)
		}
		return err
	}
	s.mu.Lock()
	s.files.length = length // else the next try needs no more room than this one
	s.mu.Unlock()
	x := &file{number: number, role: roleLog, length: length}
	if s.pool(x) {
		return nil
	}
	return s.recycle(x)
}

func (s *Store) fill(handle disk.File, number uint32, length int64) error {
	zeros := disk.Aligned(int(min(prepareBytes, length)))
	clear(zeros)
	for at := int64(0); at < length; at += int64(len(zeros)) {
		n := min(int64(len(zeros)), length-at)
		if _, err := handle.WriteAt(zeros[:blockAfter(n)], at); err != nil {
			return err
		}
		s.mu.Lock()
		stop := s.phase != started || s.err != nil
		s.mu.Unlock()
		if stop {
			break // it is shorter, and as good
		}
	}
	if err := s.writeHeader(handle, roleLog, number); err != nil {
		return err
	}
	return handle.Sync() // so that later syncs have little to do
}

// pool offers a prepared file to the log. It refuses one whose number has been overtaken: log
// files are replayed by rising number.
func (s *Store) pool(x *file) bool {
	s.mu.Lock()
	if x.number < s.files.current().number {
		s.mu.Unlock()
		return false
	}
	x.prepared, x.size = true, dataStart
	s.files.byID[x.number] = x
	s.files.pool = append(s.files.pool, x)
	s.mu.Unlock()
	s.writer.wake()
	return true
}
