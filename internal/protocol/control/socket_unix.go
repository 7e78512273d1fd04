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

// Exists reports whether a socket is in dir: a node runs on it, or ended without a chance to tidy.
func Exists(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, socketName))
	return err == nil && info.Mode().Type() == os.ModeSocket
}

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
	private, err := privateDir(dir)
	if err != nil {
		return nil, err
	}
	if private != dir {
		defer os.RemoveAll(private)
	}
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	l, err := withSocket(private, bind)
	if err != nil {
		return nil, err
	}
	if private != dir {
		if err := os.Rename(filepath.Join(private, socketName), path); err != nil {
			_ = l.Close()
			return nil, err
		}
	}
	return &listener{l, path}, nil
}

// privateDir returns a directory that only its owner can look into: dir, or one in it. A socket
// can be connected to from the moment it is made, and has its own permissions only later.
func privateDir(dir string) (string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return dir, nil
	}
	return os.MkdirTemp(dir, ".control-")
}

func bind(path string) (*net.UnixListener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
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
