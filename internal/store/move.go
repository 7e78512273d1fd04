package store

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

// writeBytes are written to a segment at once.
const writeBytes = 1 << 20

// piece is the live part of one queue in one file, on its way to another file.
type piece struct {
	queue       *Queue
	source      *file
	first, last uint64
	start, end  int64 // bytes of source
	size        int64 // of what is live, about
	copied      []byte
	length      int64 // of copied, when it has been written
	at          int64 // in the target
}

// has says whether a message with that number, whose record ends at that offset, is of the piece.
// A number alone does not say it: what was truncated is still in the file.
func (p *piece) has(number uint64, end int64) bool {
	return number >= p.first && number <= p.last && end > p.start && end <= p.end
}

// move copies what is live in files into a new segment, sorted by queue, so that a queue is read
// in one go. released is the number of the log file among them, or 0. The files are let go of.
// lastRoom: the segment takes the room that is set aside for it.
func (s *Store) move(sources []*file, released uint32, lastRoom bool) error {
	s.mu.Lock()
	pieces := s.pieces(sources)
	number := s.files.newNumber()
	s.mu.Unlock()
	var target *segmentWriter
	if len(pieces) > 0 {
		var err error
		size := int64(0)
		for _, p := range pieces {
			size += p.size
		}
		if lastRoom {
			err = s.takeMergeRoom(number)
		} else {
			err = s.checkRoom(fileName(roleSegment, number), size)
		}
		if err != nil {
			return err
		}
		if target, err = s.newSegment(number, lastRoom); err != nil {
			return err
		}
		if err := s.copyPieces(target, pieces); err != nil {
			return errors.Join(err, target.abort(err))
		}
	}
	if err := s.moved(target, pieces, sources, released); err != nil {
		return err
	}
	for _, x := range sources {
		if err := s.discard(x); err != nil {
			return err
		}
	}
	return nil
}

// pieces lists what is live in files, by queue and number; mu is held.
func (s *Store) pieces(sources []*file) []*piece {
	var list []*piece
	for _, x := range sources {
		id := index.FileID(x.number)
		for q := range s.index.QueuesOf(id) {
			for e := range q.In(id) {
				list = append(list, &piece{queue: q.Owner.(*Queue), source: x,
					first: e.First, last: e.Last,
					start: int64(e.Start), end: int64(e.End), size: e.Bytes})
			}
		}
	}
	slices.SortFunc(list, func(a, b *piece) int {
		switch {
		case a.queue.id != b.queue.id && a.queue.id < b.queue.id, a.queue.id == b.queue.id &&
			a.first < b.first:
			return -1
		}
		return 1
	})
	return list
}

// copyPieces copies pieces in their order, as many at a time as fit into memory: each time the
// files are read once.
func (s *Store) copyPieces(target *segmentWriter, pieces []*piece) error {
	for len(pieces) > 0 {
		n, size := 0, int64(0)
		for n < len(pieces) && (n == 0 || size+pieces[n].size <= s.options.moveBytesMax) {
			size += pieces[n].size
			n++
		}
		if n == 1 { // it may be as large as a file
			if err := s.stream(target, pieces[0]); err != nil {
				return err
			}
			pieces = pieces[1:]
			continue
		}
		if err := s.collect(pieces[:n]); err != nil {
			return err
		}
		for _, p := range pieces[:n] {
			target.begin(p)
			if err := target.append(p); err != nil {
				return err
			}
			p.copied = nil
		}
		pieces = pieces[n:]
	}
	return target.finish()
}

// stream copies one piece, part by part.
func (s *Store) stream(target *segmentWriter, p *piece) error {
	target.begin(p)
	err := s.collectFrom(p.source, []*piece{p}, func() error {
		err := target.append(p)
		p.copied = p.copied[:0]
		return err
	})
	if err != nil {
		return err
	}
	err = target.append(p)
	p.copied = nil
	return err
}

// collect reads the live messages of pieces.
func (s *Store) collect(pieces []*piece) error {
	bySource := make(map[*file][]*piece)
	for _, p := range pieces {
		bySource[p.source] = append(bySource[p.source], p)
	}
	for x, list := range bySource {
		if err := s.collectFrom(x, list, nil); err != nil {
			return err
		}
	}
	return nil
}

// collectFrom reads the live messages of pieces of one file. full, if it is not nil, is called when
// much has been copied of a piece, to take it away.
func (s *Store) collectFrom(x *file, pieces []*piece, full func() error) error {
	sc, done, err := s.openFile(x)
	if err != nil {
		return err
	}
	defer done()
	byQueue := make(map[QueueID][]*piece)
	sc.offset, sc.size = pieces[0].start, pieces[0].end
	for _, p := range pieces {
		byQueue[p.queue.id] = append(byQueue[p.queue.id], p)
		size := p.size // growing, it would take three times as much
		if full != nil {
			size = min(size, 2*writeBytes)
		}
		p.copied = make([]byte, 0, size)
		sc.offset, sc.size = min(sc.offset, p.start), max(sc.size, p.end)
	}
	var r record
	much := min(int(s.options.moveBytesMax), writeBytes)
	for {
		err := sc.message(&r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.damagedPieces(x, pieces, err)
		}
		for i, q := range r.queues {
			for _, p := range byQueue[q] {
				if p.has(r.numbers[i], sc.offset) && s.isLive(p.queue, r.numbers[i]) {
					p.copied = appendCopy(p.copied, q, r.numbers[i], r.message)
				}
				if full != nil && len(p.copied) >= much {
					if err := full(); err != nil {
						return err
					}
				}
			}
		}
	}
}

// isLive says whether a message of a queue is still there.
func (s *Store) isLive(q *Queue, number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := q.logged.Find(number)
	return e != nil && e.First <= number && e.IsLive(number)
}

// damagedPieces is the end of moving files that cannot be read: they stay where they are, and the
// log goes on growing behind them. What is damaged is quarantined when it is loaded.
func (s *Store) damagedPieces(x *file, pieces []*piece, err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.damaged = true
	s.options.Logger.Error("a damaged file is kept as it is", "file", fileName(x.role, x.number),
		"error", err, "extents", len(pieces))
	return errKept
}

// errKept: a chore could not be done, and will not be tried again.
var errKept = errors.New("store: kept")

// moved makes the new segment the place of what was copied.
func (s *Store) moved(
	target *segmentWriter, pieces []*piece, sources []*file, released uint32,
) error {
	var e edit
	e.released = released
	s.mu.Lock()
	if target != nil {
		x := s.files.add(target.number, roleSegment)
		x.size, x.segment = target.size, true
		id := index.FileID(x.number)
		s.index.AddFile(id)
		s.index.TrackFile(id)
		for _, p := range pieces {
			s.index.MoveRange(&p.queue.logged, index.FileID(p.source.number), id, p.first, p.last,
				uint32(p.at), uint32(p.at+p.length))
		}
		s.addFile(&e, x)
		s.counts.moved.Add(uint64(target.size - dataStart))
	}
	e.drop(sources)
	if released > 0 {
		s.files.released = max(s.files.released, released)
	}
	s.addDirty(&e)
	after := s.last
	s.mu.Unlock()
	return s.write(&e, after)
}

// drop adds that the manifest is to forget those of the files that it lists.
func (e *edit) drop(list []*file) {
	for _, x := range list {
		if x.segment {
			e.dropped = append(e.dropped, x.number)
		}
	}
}

// segmentWriter writes a new segment file.
type segmentWriter struct {
	store  *Store
	number uint32
	handle disk.File
	size   int64
	buf    []byte
}

// newSegment makes a segment; there: a file of that name, longer than what will be in it, gives its
// room.
func (s *Store) newSegment(number uint32, there bool) (*segmentWriter, error) {
	name, mode := fileName(roleSegment, number), disk.Create
	if there {
		mode = disk.Write
	}
	handle, err := s.options.FS.Open(s.path(name), mode)
	if err != nil {
		return nil, fmt.Errorf("store: create %s: %w", name, err)
	}
	w := &segmentWriter{store: s, number: number, handle: handle}
	w.buf = header{id: s.id, number: uint64(number)}.append(w.buf, roleSegment.magic())
	w.buf = append(w.buf, make([]byte, dataStart-len(w.buf))...)
	return w, nil
}

// begin says that what is appended next is of p.
func (w *segmentWriter) begin(p *piece) { p.at, p.length = w.size+int64(len(w.buf)), 0 }

// append adds what has been copied of a piece.
func (w *segmentWriter) append(p *piece) error {
	w.store.seal(p.copied, placeOf(w.number, p.at+p.length))
	w.buf = append(w.buf, p.copied...)
	p.length += int64(len(p.copied))
	if len(w.buf) < writeBytes {
		return nil
	}
	return w.flush()
}

func (w *segmentWriter) flush() error {
	if _, err := w.handle.WriteAt(w.buf, w.size); err != nil {
		return fmt.Errorf("store: write %s: %w", fileName(roleSegment, w.number), err)
	}
	w.size += int64(len(w.buf))
	w.buf = w.buf[:0]
	return nil
}

// finish makes the segment and its name safe.
func (w *segmentWriter) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	s, name := w.store, fileName(roleSegment, w.number)
	if err := w.handle.Truncate(w.size); err != nil { // it may have had more room
		return fmt.Errorf("store: truncate %s: %w", name, err)
	}
	if err := w.handle.Sync(); err != nil {
		return fmt.Errorf("store: sync %s: %w", name, err)
	}
	handle := w.handle
	w.handle = nil
	if err := handle.Close(); err != nil {
		return fmt.Errorf("store: close %s: %w", name, err)
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: sync data directory after creating %s: %w", name, err)
	}
	return nil
}

// abort removes what was written, so that it can be tried again.
func (w *segmentWriter) abort(cause error) error {
	if w.handle != nil {
		_ = w.handle.Close() // it holds nothing that is needed
	}
	if !disk.IsFull(cause) && !errors.Is(cause, errKept) {
		return nil // the store fails
	}
	return w.store.options.FS.Remove(w.store.path(fileName(roleSegment, w.number)))
}

// emptySegments lists segments and spill files with nothing live in them; mu is held.
func (s *Store) emptySegments() []*file {
	var list []*file
	for _, x := range s.files.sorted() {
		if !x.segment && x.role != roleSpill || x == s.spiller.file {
			continue
		}
		if live, _ := s.live(x); live == 0 && s.settledSafely(x) {
			list = append(list, x)
		}
	}
	return list
}

// drop lets go of segments with nothing live in them, after the manifest has. It rests on what
// emptied them and no more, which is synced: on a full disk the log may be waiting for this room.
func (s *Store) drop(list []*file) error {
	s.doing("drop")
	var e edit
	var after LSN
	e.drop(list)
	for _, x := range list {
		after = max(after, x.emptied)
	}
	if err := s.write(&e, after); err != nil {
		return err
	}
	for _, x := range list {
		if err := s.discard(x); err != nil {
			return err
		}
	}
	return nil
}

// sparseSegments lists segments that are mostly dead, as many as make one new file, once there is
// enough of what is dead: a queue that is being drained leaves nothing of its segments soon, and
// then copying them would have been in vain; a full disk cannot wait for that. Otherwise small
// segments, if there are many. mu is held.
func (s *Store) sparseSegments() []*file {
	var list, small []*file
	size, live, dead := int64(0), int64(0), int64(0)
	for _, x := range s.files.sorted() {
		if !x.segment || x.damaged {
			continue
		}
		_, bytes := s.live(x)
		live += bytes
		dead += max(0, x.size-dataStart-bytes)
		if x.size <= s.options.FileBytesMax/smallShare && len(small) <= smallMax {
			small = append(small, x)
		}
		if bytes*segmentShare < x.size-dataStart &&
			(len(list) == 0 || size+bytes <= s.options.FileBytesMax) {
			list = append(list, x)
			size += bytes
		}
	}
	switch {
	case len(list) > 0 && (s.keeper.full || dead > max(live, deadFiles*s.options.FileBytesMax)):
		return list
	case len(small) > smallMax:
		return small
	}
	return nil
}

// merge moves what is live in sparse segments into one.
func (s *Store) merge(sparse []*file) error {
	s.doing("merge")
	return s.move(sparse, 0, false)
}
