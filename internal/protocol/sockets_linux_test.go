package protocol

import (
	"context"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSocketsOfClientsHaveTheOptions(t *testing.T) {
	o := Sockets{Backlog: 7, SendBuffer: 40_000, ReceiveBuffer: 50_000, NoKeepAlive: true}
	l, err := listenConfig(o).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := o.queue(l); err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	socket, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = socket.Control(func(fd uintptr) {
		// Linux doubles what it is asked for, for its own use.
		for option, want := range map[int]int{
			unix.SO_SNDBUF: 80_000, unix.SO_RCVBUF: 100_000, unix.SO_KEEPALIVE: 0,
		} {
			got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, option)
			if err != nil || got != want {
				t.Errorf("option %d is %d, %v, want %d", option, got, err, want)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}
