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
		n, err := unix.Read(int(fd), in.buf[in.w:])
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

// tryWrite writes as much as the socket takes at once. It never waits.
func (o *output) tryWrite(fd uintptr) bool {
	for o.done < len(o.trying) {
		n, err := unix.Write(int(fd), o.trying[o.done:])
		switch err {
		case nil:
			o.done += n
		case syscall.EINTR:
		case syscall.EAGAIN:
			return true
		default:
			o.err = err
			return true
		}
	}
	return true
}
