package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/poison"
	"github.com/warrenmq/warren/internal/store/index"
)

// file is one numbered file of the directory.
type file struct {
	number uint32
	role   role
	size   int64 // where its records end
	synced int64 // up to there they are on stable storage, of a log file
	// prepared: it was written to its full length before it was used, so that syncs of it do not
	// have to change what the file system knows of it.
	prepared bool
	// length is where the log leaves it; 0: at FileBytesMax.
	length int64
	// segment: the manifest lists it, whatever it was made for.
	segment bool
	emptied LSN    // group with the record that settled the last message in it
	readers int    // who has it open
	cut     *Cut   // that it is a part of; nil: of none
	damaged bool   // it cannot be moved
	holes   []hole // never changed after recovery
	// lost says what is wrong with a segment that has not all that the manifest says; only up to
	// byte readable is there.
	lost     string
	missing  bool // all of it
	readable int64
}

// files are the numbered files. The store's mu guards it.
type files struct {
	last uint32 // highest number given out
	byID map[uint32]*file
	logs []*file // those that recovery replays, by rising number; the last is written
	pool []*file // prepared, by rising number, all after logs
	// length is that of the file prepared last. Files begin short, so that there is one at once
	// and who writes little takes little room, and each is twice as long as the one before.
	length int64
	left   uint32 // the log goroutine has closed all log files before this one
	open   uint32 // the log file that it has open; it is there
	// released: log files up to it are in the manifest, or gone.
	released uint32
}

func newFiles() files { return files{byID: make(map[uint32]*file)} }

// newNumber gives out a number that no file ever had.
func (f *files) newNumber() uint32 {
	f.last++
	return f.last
}

func (f *files) add(number uint32, r role) *file {
	x := &file{number: number, role: r, size: dataStart}
	f.byID[number] = x
	f.last = max(f.last, number)
	return x
}

func (f *files) addLog(number uint32) *file {
	x := f.add(number, roleLog)
	f.logs = append(f.logs, x)
	return x
}

// sorted lists all files by rising number, so that chores are the same each time.
func (f *files) sorted() []*file {
	list := slices.Collect(maps.Values(f.byID))
	slices.SortFunc(list, func(a, b *file) int { return cmp.Compare(a.number, b.number) })
	return list
}

// current is the log file being written.
func (f *files) current() *file { return f.logs[len(f.logs)-1] }

// oldestLog is the file that has to go next; nil if there is only the current one, or the log is
// still writing its last group.
func (f *files) oldestLog() *file {
	if len(f.logs) < 2 || f.logs[0].number >= f.left {
		return nil
	}
	return f.logs[0]
}

// nextLog decides which file follows the current one; mu is held.
func (s *Store) nextLog() *file {
	f := &s.files
	s.keeper.wanted, s.keeper.emptied = true, s.front.lsn
	var x *file
	if len(f.pool) > 0 {
		x = f.pool[0]
		f.pool = slices.Delete(f.pool, 0, 1)
		f.logs = append(f.logs, x)
	} else {
		x = f.addLog(f.newNumber())
	}
	s.index.AddFile(index.FileID(x.number))
	return x
}

// lengthOf is where the log leaves a file; mu is held.
func (s *Store) lengthOf(x *file) int64 {
	if x.length == 0 {
		return s.options.FileBytesMax
	}
	return min(x.length, s.options.FileBytesMax)
}

// nextLength is the length of the next file that is prepared; mu is held.
func (s *Store) nextLength() int64 {
	first := s.options.firstBytes
	if first == 0 {
		first = blockAfter(max(s.options.FileBytesMax/firstShare, firstBytesMin))
	}
	return min(max(2*s.files.length, first), s.options.FileBytesMax)
}

// forget removes a file with nothing live in it from all lists; mu is held.
func (s *Store) forget(x *file) {
	s.index.RemoveFile(index.FileID(x.number))
	delete(s.files.byID, x.number)
	s.files.logs = slices.DeleteFunc(s.files.logs, func(y *file) bool { return y == x })
}

// live is what is in the file: messages and their bytes; mu is held.
func (s *Store) live(x *file) (int, int64) { return s.index.File(index.FileID(x.number)) }

// openFile opens a numbered file for reading, until done. It has to be pinned, unless the keeper
// opens it. What is to be read of it the caller sets.
func (s *Store) openFile(x *file) (sc *scanner, done func(), err error) {
	if sc, err = s.openScanner(x); err != nil {
		return nil, nil, err
	}
	if w, ok := s.windows.Get().(*[]byte); ok {
		sc.window = (*w)[:0]
	}
	return sc, func() {
		poison.Bytes(sc.window)
		if cap(sc.window) == windowBytes {
			w := sc.window[:0]
			s.windows.Put(&w)
		}
		sc.close()
	}, nil
}

// openScanner is openFile without a window from the pool; the scanner has to be closed.
func (s *Store) openScanner(x *file) (*scanner, error) {
	name := s.path(fileName(x.role, x.number))
	handle, err := s.options.FS.Open(name, disk.Read)
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", name, err)
	}
	sc := &scanner{file: handle, name: name, number: x.number, seed: s.seed, holes: x.holes,
		unchecked: s.options.without == checksums}
	if s.options.without == generations {
		sc.number = 0
	}
	return sc, nil
}

// pin keeps a file from being recycled or removed; mu is held.
func (x *file) pin() { x.readers++ }

func (s *Store) unpin(x *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.readers--; x.readers == 0 {
		s.unpinned.Broadcast()
	}
}

// awaitReaders returns when nobody has the file open. No new reader comes: nothing live is in it.
func (s *Store) awaitReaders(x *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x.readers > 0 && s.options.without != readerPins {
		if s.options.idle == nil {
			s.unpinned.Wait()
			continue
		}
		s.mu.Unlock()
		s.options.idle()
		s.mu.Lock()
	}
}
