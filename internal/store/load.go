package store

import (
	"errors"
	"io"

	"github.com/warrenmq/warren/internal/store/index"
)

// Stored is a message on disk.
type Stored struct {
	// Number is the message's number in its queue.
	Number uint64
	// Logged: it was published, else it was spilled.
	Logged bool
	// Message is what was published or spilled.
	Message []byte
	// Head is what stands before Message when it is spilled, so that nobody has to put them
	// together; they are one when they are loaded.
	Head []byte
}

// A queue has two lanes on disk, each by rising number: what is logged, and what was spilled.
const (
	laneLogged = iota
	laneSpilled
	lanes
)

// hint says at what offset of a file messages from a number on are found.
type hint struct {
	number uint64
	file   index.FileID
	offset int64
}

// loadChunkBytes is read at once by a Load, into memory that belongs to the messages in it. One
// message may keep all of it alive; those that have less than half of a chunk are copied out of it.
// From 32 KiB on, the runtime would lock its heap for each.
const loadChunkBytes = 28 << 10

// Load reads messages of a queue that are there, logged and spilled, by rising number: those
// from `from` to `to`, as many as have maxBytes together, but at least one. They are appended to
// dst; the bytes are the caller's. next is the number to go on from; to+1 when there are no
// more. It reads files, and may wait for the log to write what was published a moment ago. An
// error that is ErrDamaged means that a file is not as it was written: nothing from next on can
// be read.
func (s *Store) Load(
	q *Queue, from, to uint64, maxBytes int, dst []Stored,
) (out []Stored, next uint64, err error) {
	a := &lane{store: s, queue: q, list: &q.logged, kind: laneLogged, number: from, to: to}
	b := &lane{store: s, queue: q, list: &q.spilled, kind: laneSpilled, number: from, to: to}
	a.other, b.other = b, a
	defer func() {
		a.leave(out)
		b.leave(out)
		a.close()
		b.close()
	}()
	for size := 0; ; {
		next := a
		if err := a.fill(); err != nil {
			return dst, a.number, err
		}
		if err := b.fill(); err != nil {
			return dst, b.number, err
		}
		if a.ended || !b.ended && b.head < a.head {
			next = b
		}
		if next.ended {
			return dst, to + 1, nil
		}
		n := len(next.message)
		if size > 0 && size+n > maxBytes {
			return dst, next.head, nil
		}
		size += n
		dst = next.take(dst)
	}
}

// lane reads one lane of a queue.
type lane struct {
	store  *Store
	queue  *Queue
	list   *index.Queue
	kind   int
	other  *lane
	number uint64 // the next message has this number or a higher one
	to     uint64

	ready   bool // head and message are of the next message
	ended   bool
	head    uint64
	message []byte // it is in a window of sc, which lends it if it is taken

	file   *file // being read; nil: none
	sc     *scanner
	last   uint64 // of the extent being read
	end    int64  // of the extent
	live   Range  // numbers of it that are live, as far as has been looked
	record record
	hint   hint // if its number is not 0: what the next Load will want to know

	trail  *trail
	step   int64  // of the trail, as it was
	passed []hint // what it is to remember

	chunk  []byte // the window that messages were taken from last
	shared int    // bytes of messages in it
	first  int    // index in what Load returns of the first of them
}

// fill finds the next message, unless it has been found, or says that it ended.
func (l *lane) fill() error {
	for !l.ready && !l.ended {
		if l.file == nil {
			if err := l.open(); err != nil {
				return err
			}
			continue
		}
		if err := l.read(); err != nil {
			return err
		}
	}
	return nil
}

// take appends the message that was found, and goes on behind it.
func (l *lane) take(dst []Stored) []Stored {
	if window := l.sc.window; len(l.chunk) == 0 || &window[0] != &l.chunk[0] {
		l.leave(dst)
		l.chunk, l.shared, l.first = window, 0, len(dst)
		l.sc.lent = true
	}
	l.shared += len(l.message)
	l.ready = false
	l.number = l.head + 1
	l.remember()
	return append(dst, Stored{Number: l.head, Logged: l.kind == laneLogged, Message: l.message})
}

// leave copies what was taken from the last chunk when that is little: it would keep all of the
// chunk alive.
func (l *lane) leave(dst []Stored) {
	if l.shared >= len(l.chunk)/2 {
		return
	}
	b := make([]byte, 0, l.shared)
	for i := l.first; i < len(dst); i++ {
		if m := &dst[i]; m.Logged == (l.kind == laneLogged) {
			b = append(b, m.Message...)
			m.Message = b[len(b)-len(m.Message) : len(b) : len(b)]
		}
	}
}

// open begins to read the extent with the next message.
func (l *lane) open() error {
	s := l.store
	s.mu.Lock()
	e := l.list.Find(l.number)
	if e == nil || e.First > l.to || l.number > l.to {
		l.ended = true
		s.mu.Unlock()
		return nil
	}
	first, ok := e.NextLive(max(l.number, e.First))
	if !ok {
		l.number = e.Last + 1
		s.mu.Unlock()
		return nil
	}
	l.number = first
	x := s.files.byID[uint32(e.File)]
	start, end, after := int64(e.Start), int64(e.End), s.last
	if h := l.queue.next[l.kind]; h.file == e.File && h.number <= first &&
		h.offset > start && h.offset < end { // else it is of another extent
		start = h.offset
	}
	if l.trail = l.queue.trails[l.kind]; l.trail != nil {
		start = max(start, l.trail.offset(e, first))
		l.step = l.trail.step
	}
	if x.lost != "" && end > x.readable {
		s.mu.Unlock()
		return &DamageError{File: s.path(fileName(x.role, x.number)), Offset: x.readable,
			Reason: "the rest of it is missing"}
	}
	written := end
	if x.role == roleLog && !x.segment {
		written = min(end, x.synced)
	}
	l.last, l.end, l.live = e.Last, end, Range{first, e.LastLive(first)}
	x.pin()
	s.mu.Unlock()
	if start >= written && written < end { // the log has not written it yet
		s.unpin(x)
		l.other.letGo() // a full disk may keep the log waiting for room, and that for readers
		return s.awaitLog(after)
	}
	sc, err := s.openScanner(x)
	if err != nil {
		s.unpin(x)
		return err
	}
	sc.offset, sc.size, sc.piece = start, written, loadChunkBytes
	l.file, l.sc = x, sc
	return nil
}

// read reads the next record of the extent.
func (l *lane) read() error {
	offset := l.sc.offset
	err := l.sc.message(&l.record)
	if errors.Is(err, io.EOF) {
		if l.sc.size < l.end { // the rest is written by now, or soon
			l.remember()
			l.close()
			return nil
		}
		l.number = max(l.number, l.last+1)
		l.close()
		return nil
	}
	if err != nil {
		return err
	}
	for i, q := range l.record.queues {
		n := l.record.numbers[i]
		if l.trail != nil && q == l.queue.id && n <= l.last {
			l.pass(n, offset)
		}
		if q != l.queue.id || n < l.number || n > l.last {
			continue
		}
		if n > l.to {
			l.ended = true
			l.close()
			return nil
		}
		if !l.isLive(n) {
			continue
		}
		l.ready, l.head, l.message = true, n, l.record.message
	}
	return nil
}

// isLive reports whether the message is there, or was when this was looked at.
func (l *lane) isLive(number uint64) bool {
	if number >= l.live.First && number <= l.live.Last {
		return true
	}
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	e := l.list.Find(number)
	if e == nil || e.First > number || !e.IsLive(number) {
		return false
	}
	l.live = Range{number, e.LastLive(number)}
	return true
}

// pass notes where a message lies, one for each step of the trail.
func (l *lane) pass(number uint64, offset int64) {
	if n := len(l.passed); n == 0 || offset-l.passed[n-1].offset >= l.step {
		l.passed = append(l.passed, hint{number, index.FileID(l.file.number), offset})
	}
}

// remember notes where messages behind the last one taken are.
func (l *lane) remember() {
	l.hint = hint{l.number, index.FileID(l.file.number), l.sc.offset}
}

// letGo closes the file for a while: what was found in it is found again.
func (l *lane) letGo() {
	l.ready = false
	l.close()
}

func (l *lane) close() {
	if l.file == nil {
		return
	}
	l.sc.close()
	l.store.mu.Lock()
	if l.hint.number != 0 {
		l.queue.next[l.kind] = l.hint
	}
	if len(l.passed) > 0 {
		l.trail.add(l.passed)
		l.passed = l.passed[:0]
	}
	l.store.mu.Unlock()
	l.store.unpin(l.file)
	l.file = nil
}
