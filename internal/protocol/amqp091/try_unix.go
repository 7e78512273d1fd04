//go:build unix

package amqp091

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// canTry says that a socket can be read and written without waiting on this system.
const canTry = true

// tryRead reads what is there; false means that nothing is, and that the runtime should wait
// until something is.
func (in *input) tryRead(fd uintptr) bool {
	if in.buf == nil {
		in.take()
	}
	for {
		n, err := in.readSome(int(fd))
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			in.park()
			return false
		}
		in.n, in.err = max(n, 0), err
		return true
	}
}

func (in *input) readSome(fd int) (int, error) {
	if len(in.direct) == 0 {
		return unix.Read(fd, in.buf[in.w:])
	}
	tail := in.buf[in.w:min(in.w+directTail, len(in.buf))]
	pieces := [2][]byte{in.direct, tail}
	return readVector(fd, pieces[:])
}

// tryWrite writes as much of the current buffer as the socket takes at once; false means that it
// takes no more, and that the runtime should wait until it does. It never is when nobody may wait.
func (o *output) tryWrite(fd uintptr) bool {
	for !o.current.done() {
		n, err := o.writeSome(int(fd))
		switch err {
		case nil:
			o.took(n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return !o.patient
		default:
			o.err = err
			return true
		}
	}
	return true
}

func (o *output) writeSome(fd int) (int, error) {
	if c := &o.current; c.body == len(c.of.bodies) {
		return unix.Write(fd, c.of.small[c.at:])
	}
	var pieces [piecesMax][]byte
	return writeVector(fd, pieces[:o.current.pieces(&pieces)])
}
