package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/warrenmq/warren/internal/store/index"
)

// edit is a record of the manifest: what changed since the record before, all of it or nothing.
//
//	released uvarint   log files up to this number that are no segments are not replayed
//	added              count uvarint, count × (number uvarint, role u8, size uvarint)
//	dropped            count uvarint, count × number uvarint
//	extents            count uvarint, count × (queue uvarint, extent): replaces the one with
//	                   the same file, queue and first number; one with nothing live takes
//	                   it away
//	damaged            count uvarint, count × (queue uvarint, len uvarint, reason): these
//	                   queues are not complete; with an empty reason that is accepted
//	known uvarint      place in the log: damage before it is in the list, or was accepted
type edit struct {
	released uint32
	added    []editFile
	dropped  []uint32
	extents  []byte // encoded
	count    int    // of extents
	damaged  []editDamage
	known    place
}

type editFile struct {
	number uint32
	role   role
	size   int64
}

type editDamage struct {
	queue  QueueID
	reason string
}

func (e *edit) empty() bool {
	return e.released == 0 && len(e.added)+len(e.dropped)+e.count+len(e.damaged) == 0 &&
		e.known == 0
}

func (e *edit) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(e.released))
	b = binary.AppendUvarint(b, uint64(len(e.added)))
	for _, f := range e.added {
		b = append(binary.AppendUvarint(b, uint64(f.number)), byte(f.role))
		b = binary.AppendUvarint(b, uint64(f.size))
	}
	b = binary.AppendUvarint(b, uint64(len(e.dropped)))
	for _, number := range e.dropped {
		b = binary.AppendUvarint(b, uint64(number))
	}
	b = binary.AppendUvarint(b, uint64(e.count))
	b = append(b, e.extents...)
	b = binary.AppendUvarint(b, uint64(len(e.damaged)))
	for _, d := range e.damaged {
		b = binary.AppendUvarint(b, uint64(d.queue))
		b = binary.AppendUvarint(b, uint64(len(d.reason)))
		b = append(b, d.reason...)
	}
	return binary.AppendUvarint(b, uint64(e.known))
}

// manifestState is what the records of the manifest add up to.
type manifestState struct {
	released uint32
	files    map[uint32]*manifestFile
	damaged  map[QueueID]string
	known    place
}

type manifestFile struct {
	editFile
	extents map[extentKey]index.Extent
}

type extentKey struct {
	queue QueueID
	first uint64
}

func newManifestState() manifestState {
	return manifestState{
		files: make(map[uint32]*manifestFile), damaged: make(map[QueueID]string),
	}
}

var errEdit = errors.New("record of the manifest makes no sense")

// apply carries out one record. What it allocates is bounded by the length of b.
func (m *manifestState) apply(b []byte) error {
	in := input{b: b}
	m.released = max(m.released, uint32(in.uvarint()))
	for n := in.count(3); n > 0 && !in.bad; n-- {
		f := editFile{number: uint32(in.uvarint())}
		if len(in.b) == 0 || in.b[0] >= byte(roleSpill) {
			return errEdit
		}
		f.role, in.b = role(in.b[0]), in.b[1:]
		f.size = int64(in.uvarint())
		m.files[f.number] = &manifestFile{f, make(map[extentKey]index.Extent)}
	}
	for n := in.count(1); n > 0 && !in.bad; n-- {
		delete(m.files, uint32(in.uvarint()))
	}
	for n := in.count(2); n > 0 && !in.bad; n-- {
		if err := m.extent(&in); err != nil {
			return err
		}
	}
	for n := in.count(2); n > 0 && !in.bad; n-- {
		q := QueueID(in.uvarint())
		length := in.count(1)
		if in.bad {
			break
		}
		m.damaged[q] = string(in.b[:length])
		in.b = in.b[length:]
	}
	m.known = max(m.known, place(in.uvarint()))
	if in.bad || len(in.b) > 0 {
		return errEdit
	}
	return nil
}

func (m *manifestState) extent(in *input) error {
	q := QueueID(in.uvarint())
	x, rest, err := index.DecodeExtent(in.b)
	if err != nil {
		return fmt.Errorf("%w: %w", errEdit, err)
	}
	in.b = rest
	f := m.files[uint32(x.File)]
	switch {
	case f == nil && x.Live == 0:
		return nil // it went with its file
	case f == nil:
		return errEdit
	}
	key := extentKey{q, x.First}
	if delete(f.extents, key); x.Live > 0 {
		f.extents[key] = x
	}
	return nil
}

// addFile adds a file that has become a segment; mu is held.
func (s *Store) addFile(e *edit, x *file) {
	e.added = append(e.added, editFile{x.number, x.role, x.size})
}

// addDirty adds what changed in segments since the last edit; mu is held.
func (s *Store) addDirty(e *edit) {
	if s.options.without != goneSets {
		s.index.Dirty(func(q *index.Queue, x *index.Extent) { e.addExtent(q, x) })
	}
}

func (e *edit) addExtent(q *index.Queue, x *index.Extent) {
	e.extents = binary.AppendUvarint(e.extents, uint64(q.Owner.(*Queue).id))
	e.extents = x.AppendTo(e.extents)
	e.count++
}

// write puts an edit into the manifest. after is the last group of the log when it was made: what
// the edit says may rest on that group, and the log has to have it first. Only the keeper writes
// edits, or recovery.
func (s *Store) write(e *edit, after LSN) error {
	if e.empty() {
		return nil
	}
	s.setWriting(true)
	defer s.setWriting(false)
	if s.options.without != orderOfEdits {
		if err := s.awaitLog(after); err != nil {
			return err
		}
	}
	if err := s.makeManifest(); err != nil {
		return err
	}
	s.counts.edits.Add(1)
	for {
		err := s.manifest.wait(s.manifest.append([][]byte{e.append(nil)}), s.snapshot)
		if !isFull(err) {
			return err
		}
		s.mu.Lock()
		starting := s.phase == opened
		s.mu.Unlock()
		if starting {
			return err
		}
		if !s.makeRoom(err) {
			return ErrClosed
		}
	}
}

// makeManifest makes the file with the first edit: a directory without segments needs none.
func (s *Store) makeManifest() error {
	s.manifest.token <- struct{}{}
	defer func() { <-s.manifest.token }()
	if !s.manifest.fresh {
		return nil
	}
	if err := s.manifest.begin(); err != nil {
		return err
	}
	s.manifest.fresh = false
	return nil
}

// awaitLog returns when the log is on stable storage up to a group.
func (s *Store) awaitLog(lsn LSN) error {
	s.mu.Lock()
	alone := s.alone
	s.keeper.awaits = max(s.keeper.awaits, lsn)
	s.work.Signal()
	s.mu.Unlock()
	if alone { // the only goroutine there is
		s.turn()
		if err := s.Err(); err != nil {
			return err
		}
	}
	return s.Wait(lsn)
}

// snapshot emits a record that stands for the whole manifest.
func (s *Store) snapshot(emit func(record []byte)) {
	s.mu.Lock()
	var e edit
	e.released, e.known = s.files.released, s.known
	for _, x := range s.files.byID {
		if !x.segment {
			continue
		}
		s.addFile(&e, x)
		for q := range s.index.QueuesOf(index.FileID(x.number)) {
			for extent := range q.In(index.FileID(x.number)) {
				e.addExtent(q, extent)
			}
		}
	}
	for q, reason := range s.damaged {
		e.damaged = append(e.damaged, editDamage{q, reason})
	}
	after := s.last
	s.mu.Unlock()
	if s.awaitLog(after) == nil { // else nothing is written
		emit(e.append(nil))
	}
}

// writeForgiven has the manifest forget the quarantine of queues that were deleted.
func (s *Store) writeForgiven() error {
	s.mu.Lock()
	e := edit{damaged: s.forgiven}
	s.forgiven = nil
	after := s.last
	s.mu.Unlock()
	return s.write(&e, after)
}
