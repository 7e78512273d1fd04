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

// listenConfig says how to listen. On Linux, connections inherit the keep-alive of the socket they
// came in by, which saves four system calls for each.
func listenConfig() *net.ListenConfig {
	return &net.ListenConfig{KeepAlive: -1, Control: keepAlive}
}

func keepAlive(_, _ string, socket syscall.RawConn) (err error) {
	controlErr := socket.Control(func(fd uintptr) {
		err = errors.Join(
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepAliveIdle),
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepAliveInterval),
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAliveCount))
	})
	return errors.Join(controlErr, err)
}
