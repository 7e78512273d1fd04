package amqp091

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/poison"
)

const (
	// inputSize is how much one read takes at most: hundreds of small frames.
	inputSize = 64 << 10
	// carryMax is the longest beginning of a frame that is copied out of the read buffer when
	// a connection falls silent in the middle of one; for a longer one the buffer stays. It is
	// never less than all a stranger can have sent: however many clients connect at once, none
	// of them holds a read buffer before it has logged in.
	carryMax = frameMaxBeforeLogin + amqp.FrameTolerance
	// directTail is how much is read behind what is read into a message: enough for the beginning
	// of the next frame, and not much of a body, which would have to be copied.
	directTail = 512
	// wakeSize is how much the first read takes, after a wait, of a connection that cannot tell
	// when it is readable; recordMax is how much it gets at once at most, if it is encrypted.
	wakeSize  = 2 << 10
	recordMax = 16 << 10
)

// inputs holds read buffers of inputSize that no connection needs at the moment.
var inputs = sync.Pool{New: func() any { return new([inputSize]byte) }}

// input reads a connection. While nothing arrives it holds no buffer, so that an idle
// connection costs next to nothing.
type input struct {
	conn   net.Conn
	raw    syscall.RawConn // nil: conn cannot tell when it is readable
	pooled *[inputSize]byte
	buf    []byte // the pooled array, or a larger one for a frame that does not fit
	r, w   int    // buf[r:w] has been read and not yet consumed
	carry  []byte
	// bytes and reads count what was read, and how often, for whoever looks.
	bytes, reads atomic.Uint64

	// Of the read in progress, for tryRead.
	direct []byte // memory of a message that is filled first
	n      int
	err    error
	try    func(fd uintptr) bool
	// idle is called before a wait for the client.
	idle func()

	// Of a connection that cannot tell when it is readable.
	wake []byte // what it waits with
	more bool   // the last read took all there was room for
}

func newInput(conn net.Conn, idle func()) *input {
	in := &input{conn: conn, idle: idle}
	if s, ok := conn.(syscall.Conn); ok && canTry {
		if raw, err := s.SyscallConn(); err == nil {
			in.raw = raw
			in.try = in.tryRead
		}
	}
	return in
}

// fill waits until more has arrived and returns everything not yet consumed; the bytes are
// valid until the next call. need is the size of a frame that is known to be coming, 0 when
// none is.
func (in *input) fill(need int) ([]byte, error) {
	in.reserve(need)
	if in.raw == nil {
		in.readPlainly()
	} else if err := in.raw.Read(in.try); err != nil {
		in.n, in.err = 0, err
	}
	if in.n == 0 {
		if in.err == nil {
			in.err = io.EOF
		}
		return nil, in.err
	}
	in.came(in.n)
	in.w += in.n - min(in.n, len(in.direct))
	return in.buf[in.r:in.w], nil
}

// readPlainly reads a connection that cannot tell when it is readable. It waits with little memory,
// unless more is likely to be there.
func (in *input) readPlainly() {
	if !in.more {
		in.park()
	}
	if in.buf != nil {
		in.n, in.err = in.conn.Read(in.buf[in.w:])
		in.more = in.n >= recordMax
		return
	}
	if in.wake == nil {
		in.wake = make([]byte, wakeSize)
	}
	in.n, in.err = in.conn.Read(in.wake)
	in.more = in.n == len(in.wake)
	if in.n > 0 {
		in.take()
		copy(in.buf[in.w:], in.wake[:in.n])
	}
}

// came counts a read.
func (in *input) came(n int) {
	in.bytes.Add(uint64(n))
	in.reads.Add(1)
}

// fillDirect is fill when nothing is left to consume and the next bytes are to go to dst. It says
// how many of them did; what came behind them is returned.
func (in *input) fillDirect(dst []byte) (filled int, data []byte, err error) {
	if in.raw == nil {
		filled, err = in.conn.Read(dst)
		in.came(filled)
		return filled, nil, err
	}
	in.direct = dst
	data, err = in.fill(0)
	in.direct = nil
	if err != nil {
		return 0, nil, err
	}
	return min(in.n, len(dst)), data, nil
}

// rest returns what has been read and not been consumed, after a park or none.
func (in *input) rest() []byte {
	if in.buf == nil && len(in.carry) > 0 {
		in.take()
	}
	return in.buf[in.r:in.w]
}

// consume says that n bytes of what fill returned have been used.
func (in *input) consume(n int) { in.r += n }

// reserve makes room for the next read and for a whole frame of need bytes.
func (in *input) reserve(need int) {
	if in.buf == nil && need <= inputSize {
		return // a buffer is taken when there is something to read
	}
	if in.buf == nil {
		in.take()
	}
	poison.Bytes(in.buf[:in.r:in.r]) // fill is called again
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
	if in.r+max(need, 1) > len(in.buf) || in.w == len(in.buf) {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	switch {
	case need > len(in.buf):
		larger := make([]byte, need)
		copy(larger, in.buf[:in.w])
		in.give()
		in.buf = larger
	case in.pooled == nil && in.w < inputSize && need <= inputSize:
		rest := in.buf[:in.w]
		in.take()
		in.w = copy(in.buf, rest)
	}
}

// take gets a buffer and puts back what was carried over.
func (in *input) take() {
	in.pooled = inputs.Get().(*[inputSize]byte)
	in.buf = in.pooled[:]
	in.r, in.w = 0, copy(in.buf, in.carry)
	in.carry = nil
}

func (in *input) give() {
	if in.pooled != nil {
		poison.Bytes(in.pooled[:])
		inputs.Put(in.pooled)
	}
	in.pooled, in.buf = nil, nil
}

// park lets go of the buffer before a wait, if little is in it.
func (in *input) park() {
	in.idle()
	rest := in.buf[in.r:in.w]
	if in.pooled == nil || len(rest) > carryMax {
		return
	}
	if len(rest) > 0 {
		in.carry = append([]byte(nil), rest...)
	}
	in.r, in.w = 0, 0
	in.give()
}

// release lets go of all memory; nothing is read any more.
func (in *input) release() {
	in.give()
	in.carry = nil
}
