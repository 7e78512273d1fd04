package protocol

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestConnectionsInheritKeepAlive asks the accepted sockets themselves.
func TestConnectionsInheritKeepAlive(t *testing.T) {
	door := &echoes{polite: true}
	l := listenWith(t, Options{Door: door})
	defer l.Close(time.Minute)
	if !echoed(dial(t, l)) {
		t.Fatal("no answer")
	}
	door.mu.Lock()
	defer door.mu.Unlock()
	raw, err := door.conns[0].(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		for option, want := range map[[2]int]int{
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:   1,
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:  keepAliveIdle,
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}: keepAliveInterval,
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}:   keepAliveCount,
			{unix.IPPROTO_TCP, unix.TCP_NODELAY}:   1,
		} {
			if got, err := unix.GetsockoptInt(int(fd), option[0], option[1]); got != want {
				t.Errorf("option %v is %d, want %d (%v)", option, got, want, err)
			}
		}
	})
}
