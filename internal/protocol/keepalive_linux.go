package protocol

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// A client that is silent for keepAliveIdle seconds is probed every keepAliveInterval seconds, and
// is gone when keepAliveCount probes have no answer: those of the Go runtime.
const (
	keepAliveIdle     = 15
	keepAliveInterval = 15
	keepAliveCount    = 9
)

// listenConfig says how to listen. On Linux, connections inherit the options of the socket they
// came in by, which saves four system calls for each.
func listenConfig(o Sockets) *net.ListenConfig {
	return &net.ListenConfig{KeepAlive: -1, Control: o.control}
}

// control sets the options of a socket that is about to listen.
func (o Sockets) control(_, _ string, socket syscall.RawConn) (err error) {
	controlErr := socket.Control(func(fd uintptr) {
		set := func(level, option, to int) {
			err = errors.Join(err, unix.SetsockoptInt(int(fd), level, option, to))
		}
		if !o.NoKeepAlive {
			set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
			set(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepAliveIdle)
			set(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepAliveInterval)
			set(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAliveCount)
		}
		if o.SendBuffer > 0 {
			set(unix.SOL_SOCKET, unix.SO_SNDBUF, o.SendBuffer)
		}
		if o.ReceiveBuffer > 0 {
			set(unix.SOL_SOCKET, unix.SO_RCVBUF, o.ReceiveBuffer)
		}
	})
	return errors.Join(controlErr, err)
}

// queue sets how many connections wait: a second call of listen changes that.
func (o Sockets) queue(l net.Listener) (err error) {
	tcp, ok := l.(*net.TCPListener)
	if !ok || o.Backlog == 0 {
		return nil
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	controlErr := socket.Control(func(fd uintptr) { err = unix.Listen(int(fd), o.Backlog) })
	return errors.Join(controlErr, err)
}
