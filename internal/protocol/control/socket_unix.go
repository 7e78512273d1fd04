//go:build unix

package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// socketName is the socket's name in the data directory.
const socketName = "control.sock"

// socketPathMax is the longest path every system takes for a socket.
const socketPathMax = 100

// withSocket calls f with a path of the socket that is short enough for the system. A long
// one is reached through the descriptor of its directory where the system offers that.
func withSocket[T any](dir string, f func(path string) (T, error)) (T, error) {
	path := filepath.Join(dir, socketName)
	if len(path) <= socketPathMax || runtime.GOOS != "linux" {
		return f(path)
	}
	d, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer d.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketName))
}

func listen(dir string) (net.Listener, error) {
	if err := os.Remove(filepath.Join(dir, socketName)); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	l, err := withSocket(dir, func(path string) (*net.UnixListener, error) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return nil, err
		}
		return l, os.Chmod(path, 0o600)
	})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	return &listener{l, filepath.Join(dir, socketName)}, nil
}

// listener removes its socket by the path that stays valid.
type listener struct {
	*net.UnixListener
	path string
}

func (l *listener) Close() error {
	_ = os.Remove(l.path)
	return l.UnixListener.Close()
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	return withSocket(dir, func(path string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	})
}
