package amqp091

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

const (
	// outputMax is the number of bytes waiting to be written from which on queues hold back
	// deliveries for the connection.
	outputMax = 1 << 20
	// outputLow is the number below which they go on.
	outputLow = outputMax / 2
	// repliesMax is the number of bytes waiting to be written from which on nothing more is
	// read from the connection: a client that asks must also take the answers.
	repliesMax = 4 << 20
	// outputBlock is the number of bytes from which on a buffer takes no further message: the next
	// goes into another. Buffers of about that size stay in the processor's cache and are reused.
	outputBlock = 64 << 10
	// outputKeep is the largest buffer that is kept for later.
	outputKeep = 2 * outputBlock
	outputSize = 16 << 10
	// outputPiece is the most that is written at once where nobody tells how much of a longer
	// write the client has taken.
	outputPiece = 64 << 10
)

// output is what waits to be written to a connection. Whoever has something for the client
// appends to it under mu, and flushes when its batch is done; only one goroutine writes at a
// time, and what others append meanwhile goes out with its next write.
type output struct {
	conn net.Conn
	// socket is what carries the connection, nil when it is no socket; raw is the same if it takes
	// what is written as it is, without TLS. nil: every write may wait.
	socket, raw syscall.RawConn
	// pending counts the bytes appended or referred to and not yet written. It may be read
	// without mu.
	pending atomic.Int64
	// sent and writes count the bytes that were written, and how often.
	sent, writes atomic.Uint64
	// taken: the client has taken some of it since the heartbeat last looked.
	taken atomic.Bool
	// crowded: the reader waits until less is pending.
	crowded atomic.Bool
	// held: a queue was refused because too much is pending.
	held atomic.Bool
	// resume asks the held queues to go on. It is called by whoever writes, on a goroutine of
	// its own.
	resume func()

	// mu guards what follows and, in the connection, all that deliveries touch. It is a leaf:
	// it is taken with a queue locked, and nothing is locked and nothing waited for under it.
	mu       sync.Mutex
	first    *frames // pooled, as are those it leads to; nil when nothing waits
	last     *frames // the one that is appended to
	writing  bool    // some goroutine writes, or will
	promised bool    // some goroutine has been told to flush
	closed   bool
	active   bool      // something was appended since the heartbeat last looked
	room     sync.Cond // some of pending was written, or closed
	running  sync.WaitGroup

	// Of the write in progress, for tryWrite.
	current cursor
	patient bool // whoever writes may wait
	err     error
	try     func(fd uintptr) bool
}

func (o *output) init(conn net.Conn) {
	o.conn = conn
	o.room.L = &o.mu
	if s, ok := socketOf(conn).(syscall.Conn); ok && canTry {
		if raw, err := s.SyscallConn(); err == nil {
			o.socket = raw
		}
	}
	if _, ok := conn.(syscall.Conn); ok {
		o.raw = o.socket
		o.try = o.tryWrite
	}
}

// begin returns the buffer to append frames to; mu is held. Give it, or what roll made of it, back
// to end.
func (o *output) begin() []byte {
	if o.first == nil {
		o.first = framesPool.Get().(*frames)
		o.last = o.first
	}
	return o.last.small
}

// roll goes on in another buffer when b, which is that of begin, is full. It is called between two
// messages, or two frames.
func (o *output) roll(b []byte) []byte {
	if len(b) < outputBlock && len(o.last.bodies) < referencesMax {
		return b
	}
	o.keep(b)
	o.last.next = framesPool.Get().(*frames)
	o.last = o.last.next
	return o.last.small
}

// keep takes back the buffer of begin.
func (o *output) keep(b []byte) {
	o.pending.Add(int64(len(b) - len(o.last.small)))
	o.last.small = b
}

// next removes the buffer that is to be written next; nil when nothing waits.
func (o *output) next() *frames {
	b := o.first
	if b != nil {
		o.first, b.next = b.next, nil
	}
	return b
}

// end takes back the buffer of begin. It reports whether the caller has to flush.
func (o *output) end(b []byte) (flush bool) {
	o.keep(b)
	o.active = true
	if o.promised || o.closed {
		return false
	}
	o.promised = true
	return true
}

// content appends the frames of a message's content to b, which is the buffer of begin. A large
// body is not copied: the output holds it until it is written.
func (o *output) content(b []byte, channel uint16, m *message.Message, frameMax uint32) []byte {
	body := m.Body()
	if len(body) < referMin {
		return amqp.AppendContent(b, channel, m.Properties(), body, frameMax)
	}
	return o.contentWith(b, channel, m.Properties(), body, frameMax)
}

// contentWith is content of a message that goes out with other properties, which are copied.
func (o *output) contentWith(
	b []byte, channel uint16, props amqp.RawProperties, body []byte, frameMax uint32,
) []byte {
	if len(body) < referMin {
		return amqp.AppendContent(b, channel, props, body, frameMax)
	}
	b = amqp.AppendContentHeader(b, channel, props, len(body))
	for most := amqp.BodyMax(frameMax); len(body) > 0; {
		b = o.roll(b)
		part := body[:min(len(body), most)]
		body = body[len(part):]
		if len(part) < referMin {
			b = amqp.AppendBody(b, channel, part, frameMax)
			continue
		}
		b = amqp.AppendBodyHeader(b, channel, len(part))
		o.last.refer(len(b), part)
		o.pending.Add(int64(len(part)))
		b = append(b, amqp.FrameEnd)
	}
	return b
}

// flush writes what waits, as far as the socket takes it; a rest is left to a goroutine of
// its own. It does not wait.
func (o *output) flush() {
	o.mu.Lock()
	o.promised = false
	if o.writing || o.first == nil || o.closed {
		o.mu.Unlock()
		return
	}
	o.writing = true
	for o.first != nil && !o.closed {
		b := o.next()
		o.mu.Unlock()
		if !o.attempt(b) {
			return
		}
		o.mu.Lock()
	}
	o.writing = false
	o.room.Broadcast()
	o.mu.Unlock()
	o.written()
}

// written lets held queues go on when enough has been written.
func (o *output) written() {
	if o.held.Load() && o.pending.Load() < outputLow && o.held.CompareAndSwap(true, false) {
		o.spawn(o.resume)
	}
}

// spawn runs f on a goroutine that finish waits for, unless the output has been closed.
func (o *output) spawn(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.running.Go(f)
	}
}

// admits reports whether a queue may deliver. A refusal is followed by a resume: either the
// second look sees what a writer has just written, or that writer sees held.
func (o *output) admits() bool {
	if o.pending.Load() < outputMax {
		return true
	}
	o.held.Store(true)
	return o.pending.Load() < outputLow
}

// attempt writes b without waiting; false means that a goroutine has taken over.
func (o *output) attempt(b *frames) bool {
	o.current, o.err = cursor{of: b}, nil
	if o.raw != nil {
		o.patient = false
		o.tryAll()
	}
	switch {
	case o.err != nil:
		o.fail()
	case !o.current.done():
		o.spawn(o.write)
		return false
	}
	o.recycle()
	return true
}

// tryAll writes what is left of the current buffer with tryWrite.
func (o *output) tryAll() {
	if err := o.raw.Write(o.try); err != nil && o.err == nil {
		o.err = err
	}
}

// took says that the client has taken n bytes of the current buffer.
func (o *output) took(n int) {
	o.current.advance(n)
	o.pending.Add(int64(-n))
	o.sent.Add(uint64(n))
	o.writes.Add(1)
	if !o.taken.Load() {
		o.taken.Store(true)
	}
	if o.crowded.Load() && o.pending.Load() < repliesMax {
		o.mu.Lock()
		o.room.Broadcast()
		o.mu.Unlock()
	}
}

// write is the goroutine that waits for a slow client: it writes the rest of the current buffer,
// then all that has been appended since.
func (o *output) write() {
	for more := true; more; {
		if o.raw != nil {
			o.patient = true
			o.tryAll()
		} else {
			o.writePieces()
		}
		if o.err != nil {
			o.fail()
		}
		o.recycle()
		o.mu.Lock()
		if more = o.first != nil && !o.closed; more {
			o.current, o.err = cursor{of: o.next()}, nil
		} else {
			o.writing = false
		}
		o.room.Broadcast()
		o.mu.Unlock()
		o.written()
	}
}

// writePieces writes the rest of the current buffer to a connection that is no socket.
func (o *output) writePieces() {
	var pieces [piecesMax][]byte
	for o.err == nil && !o.current.done() {
		o.current.pieces(&pieces)
		piece := pieces[0]
		n, err := o.conn.Write(piece[:min(len(piece), outputPiece)])
		o.took(n)
		o.err = err
	}
}

// recycle gives the current buffer back.
func (o *output) recycle() {
	b := o.current.of
	o.current = cursor{}
	b.recycle()
}

// unsent looks how many bytes the socket holds that the client's machine has not taken: the socket
// may take nothing for long while a slow client takes a little. took becomes true when they are
// fewer than before.
func (o *output) unsent(before int, took bool) (int, bool) {
	if o.socket == nil {
		return 0, took
	}
	now := 0
	_ = o.socket.Control(func(fd uintptr) { now = unsentBytes(int(fd)) })
	return now, took || now < before
}

// fail ends the output after a write error; the reader notices the closed socket.
func (o *output) fail() {
	o.close()
	_ = socketOf(o.conn).Close() // TLS would wait to take its leave
}

// finish ends the output and returns when no goroutine of it is left. The connection must be
// closed, so that none of them waits for the client.
func (o *output) finish() {
	o.close()
	o.running.Wait()
}

// close drops what waits and everything appended from now on.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.first = nil
	o.room.Broadcast()
}

// drain waits until everything has been written, or cannot be, for patience at most. Usually the
// socket takes everything at once.
func (o *output) drain(patience time.Duration) {
	o.flush()
	if o.pending.Load() == 0 {
		return
	}
	_ = o.conn.SetWriteDeadline(time.Now().Add(patience))
	o.mu.Lock()
	defer o.mu.Unlock()
	for (o.writing || o.first != nil) && !o.closed {
		o.room.Wait()
	}
}

// wait blocks while the client leaves too many answers unread.
func (o *output) wait() {
	if o.pending.Load() < repliesMax {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.crowded.Store(true)
	for o.pending.Load() >= repliesMax && !o.closed {
		o.room.Wait()
	}
	o.crowded.Store(false)
}
