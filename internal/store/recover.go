package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

// recovered is what Open found, for Start.
type recovered struct {
	leftover  []string // files that nobody needs
	lastFile  uint32   // the log file to be synced; 0: none
	lastGroup place    // of the log
	touched   []QueueID
	damaged   []editDamage // not yet in the manifest
	known     place        // damage of the log before it is in the manifest, or accepted
	torn      place        // where the last write before a crash was, if a part of it is there
	tornBytes int64
}

// Extent is a run of messages of a queue.
type Extent struct {
	First, Last uint64 // numbers; not all in between need be there
	Count       int    // messages that are
	Bytes       int64  // they take on disk, about
}

// Open locks the data directory and reads the definitions, the manifest and the log, and changes
// nothing but making the directory and the lock file. How long it takes depends on the log, whose
// size is bounded, and on the number of files, not on that of messages. The error is
// disk.ErrLocked if another process has the directory, and ErrDamaged if the definitions or the
// manifest are not what a crash could have left; it says so if the files are of a newer version or
// of another directory. Damage elsewhere is told by Quarantined.
func Open(options Options) (*Store, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if err := options.FS.MkdirAll(options.Dir); err != nil {
		return nil, fmt.Errorf("store: make data directory: %w", err)
	}
	s := newStore(options)
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

func newStore(options Options) *Store {
	s := &Store{
		options: options, failed: make(chan struct{}), index: index.New(),
		queues: make(map[QueueID]*Queue), files: newFiles(), damaged: make(map[QueueID]string),
	}
	s.work.L, s.chores.L, s.space.L, s.unpinned.L = &s.mu, &s.mu, &s.mu, &s.mu
	s.lazyTimer = time.AfterFunc(time.Hour, s.notLazy)
	s.lazyTimer.Stop()
	s.writer.store, s.writer.again = s, make(chan struct{}, 1)
	s.spiller.token = make(chan struct{}, 1)
	s.definitions = newJournal(s, definitionsName, definitionsMagic)
	s.manifest = newJournal(s, manifestName, manifestMagic)
	return s
}

func (s *Store) load() error {
	size, err := s.options.fileBytes()
	if err != nil {
		return err
	}
	s.options.FileBytesMax = size
	names, err := s.options.FS.List(s.options.Dir)
	if err != nil {
		return fmt.Errorf("store: list data directory: %w", err)
	}
	if err := s.checkMark(slices.Contains(names, RestoreMark)); err != nil {
		return err
	}
	if err := s.loadID(names); err != nil {
		return err
	}
	state, err := s.loadManifest(names)
	if err != nil {
		return err
	}
	logs := s.sortFiles(names, state)
	if s.definitions.fresh && len(logs)+len(state.files) > 0 {
		return fmt.Errorf("store: %s is missing, though there are other files",
			s.path(definitionsName))
	}
	if err := s.loadSegments(names, state); err != nil {
		return err
	}
	return s.replayLogs(logs)
}

// loadID reads the definitions, and with them the identity of the directory.
func (s *Store) loadID(names []string) error {
	id, err := s.definitions.load(slices.Contains(names, definitionsName))
	if err != nil {
		return err
	}
	if s.id = id; s.definitions.fresh {
		if _, err := rand.Read(s.id[:]); err != nil {
			return err
		}
	}
	s.seed = s.id.seed()
	return nil
}

func (s *Store) loadManifest(names []string) (*manifestState, error) {
	state := newManifestState()
	id, err := s.manifest.load(slices.Contains(names, manifestName))
	if err != nil {
		return nil, err
	}
	if id != s.id && !s.manifest.fresh {
		return nil, fmt.Errorf("store: %s belongs to another data directory",
			s.path(manifestName))
	}
	for _, record := range s.manifest.recovered {
		if err := state.apply(record); err != nil {
			return nil, &DamageError{File: s.path(manifestName), Reason: err.Error()}
		}
	}
	s.files.released, s.recovered.known = state.released, state.known
	for q, reason := range state.damaged {
		if reason != "" {
			s.damaged[q] = reason
		}
	}
	return &state, nil
}

// sortFiles returns the numbers of the log files to replay, in their order, and notes which files
// nobody needs: what a crash interrupted, what was on its way out, and what was spilled.
func (s *Store) sortFiles(names []string, state *manifestState) []uint32 {
	var logs []uint32
	for _, name := range names {
		r, number, ok := parseFileName(name)
		if name == reserveName || name == mergeRoomName {
			s.recovered.leftover = append(s.recovered.leftover, name)
		}
		if !ok {
			continue
		}
		s.files.last = max(s.files.last, number)
		switch f := state.files[number]; {
		case f != nil && f.role == r:
		case r == roleLog && number > state.released:
			logs = append(logs, number)
		default:
			s.recovered.leftover = append(s.recovered.leftover, name)
		}
	}
	s.files.last = max(s.files.last, state.released)
	slices.Sort(logs) // the order of names differs after number 99,999,999
	return logs
}

// loadSegments puts what the manifest says into the index.
func (s *Store) loadSegments(names []string, state *manifestState) error {
	for _, number := range slices.Sorted(maps.Keys(state.files)) {
		f := state.files[number]
		s.files.last = max(s.files.last, number)
		x := s.files.add(number, f.role)
		x.size, x.segment = f.size, true
		x.prepared = f.role == roleLog
		id := index.FileID(number)
		s.index.AddFile(id)
		s.index.TrackFile(id)
		there := slices.Contains(names, fileName(f.role, number))
		if err := s.checkSegment(x, there); err != nil {
			return err
		}
		for key, extent := range f.extents {
			q := s.queue(key.queue)
			if err := s.index.Insert(&q.logged, extent); err != nil {
				return &DamageError{File: s.path(manifestName), Reason: err.Error()}
			}
			q.last.Store(max(q.last.Load(), extent.Last))
		}
	}
	return nil
}

// quarantineLost quarantines the queues that have messages in what is lost of a segment. The log is
// replayed by then: what was settled before or because of the loss does no harm, although the
// manifest may not know of it yet.
func (s *Store) quarantineLost() {
	for _, q := range s.queues {
		for e := range q.logged.Extents() {
			x := s.files.byID[uint32(e.File)]
			if x.lost != "" && int64(e.End) > x.readable {
				s.quarantine(q.id, x.lost)
				break
			}
		}
	}
}

// checkSegment looks whether a file is there and whole, and notes what is wrong with it. One of
// another directory or of a newer version is an error: a hand put it there, and can put it right.
// What is in it is looked at when it is read: each record proves that it is in the right place, so
// that a damaged header is no harm.
func (s *Store) checkSegment(x *file, there bool) error {
	name := fileName(x.role, x.number)
	if !there {
		x.lost, x.missing, x.damaged = name+" is missing", true, true
		return nil
	}
	sc, done, err := s.openFile(x)
	if err == nil {
		defer done()
		sc.size, err = sc.file.Size()
	}
	if err != nil {
		x.lost, x.damaged = err.Error(), true
		return nil
	}
	x.length = sc.size
	h, err := sc.header(x.role.magic())
	switch {
	case errors.Is(err, ErrDamaged):
		s.options.Logger.Error("the header of a file is damaged", "error", err)
	case err != nil:
		return err
	case h.id != s.id:
		return fmt.Errorf("store: %s belongs to another data directory", sc.name)
	case h.number != uint64(x.number):
		x.lost = fmt.Sprintf("%s was written as file %d", name, h.number)
	}
	if x.lost == "" && sc.size < x.size {
		x.lost, x.readable = fmt.Sprintf("%s has %d bytes of %d", name, sc.size, x.size), sc.size
	}
	x.damaged = x.lost != ""
	return nil
}

// forgive ends the quarantine of a queue while the log is replayed.
func (s *Store) forgive(q QueueID) {
	if s.damaged[q] != "" {
		delete(s.damaged, q)
		s.recovered.damaged = append(s.recovered.damaged, editDamage{queue: q})
	}
}

// quarantine notes why a queue is not complete; the first reason stays.
func (s *Store) quarantine(q QueueID, reason string) {
	if s.damaged[q] == "" {
		s.damaged[q] = reason
		s.recovered.damaged = append(s.recovered.damaged, editDamage{q, reason})
	}
}

// RecoverDefinitions calls each with the definitions, in their order. It is called once, after
// Open. An error of each ends it and is returned.
func (s *Store) RecoverDefinitions(each func(record []byte) error) error {
	for _, record := range s.definitions.recovered {
		if err := each(record); err != nil {
			return err
		}
	}
	s.definitions.recovered = nil
	return nil
}

// RecoverMessages calls each with every queue that has messages, by rising id, and with where in
// the queue they are. The messages themselves are read by Load, after Start. It is called after
// RecoverDefinitions; the extents are the caller's until each returns. An error of each ends it and
// is returned.
func (s *Store) RecoverMessages(each func(q QueueID, extents []Extent) error) error {
	var extents []Extent
	for _, id := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[id]
		if empty(&q.logged) {
			continue
		}
		extents = extents[:0]
		for e := range q.logged.Extents() {
			extents = append(extents, Extent{e.First, e.Last, e.Live, e.Bytes})
		}
		if err := each(id, extents); err != nil {
			return err
		}
	}
	return nil
}

// AllQueues is the key under which Quarantined says that no durable queue is known to be complete.
const AllQueues QueueID = 0

// Quarantined returns the queues that are known, or must be feared, not to be complete, and why:
// file and offset. It is so until Accept, or DeleteQueue, also after further starts. Of these
// queues what is there can be loaded.
func (s *Store) Quarantined() map[QueueID]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.damaged)
}
