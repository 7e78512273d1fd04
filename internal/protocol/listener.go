// Package protocol takes connections: it listens, limits how many there are, hands each to the
// door that speaks its protocol, and sees all of them out at the end.
//
// Floor 6. The doors themselves are the packages below this one.
package protocol

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Door speaks one protocol.
type Door interface {
	// Serve speaks with the client behind conn and closes conn before it returns.
	Serve(conn net.Conn)
	// Shutdown tells every client served at the moment that the node goes away. It does not
	// wait for them.
	Shutdown()
}

// Options says how a Listener takes connections.
type Options struct {
	// Door serves the connections. Required.
	Door Door
	// Logger takes a line for each trouble. Required.
	Logger *slog.Logger
	// ConnectionsMax is how many connections may be open at once; more are closed at once.
	// 0 means ConnectionsMaxDefault. It is never more than the file descriptors of the process
	// allow: some of those are kept for the node's files.
	ConnectionsMax int
	// Sockets are options of the sockets of clients.
	Sockets Sockets
}

// Sockets are options of sockets. The zero value of a field leaves it to the system.
type Sockets struct {
	Backlog                   int  // connections that wait to be taken
	SendBuffer, ReceiveBuffer int  // in bytes
	Delay                     bool // small writes wait for more (Nagle)
	NoKeepAlive               bool // silent clients are not probed
}

// ConnectionsMaxDefault is the number of connections a listener takes when nothing else is
// said. File descriptors usually run out earlier.
const ConnectionsMaxDefault = 1 << 20

const (
	// acceptPauseMax bounds the pause after an accept that failed for want of resources.
	acceptPauseMax = time.Second
	// descriptorsKept is how many file descriptors connections leave to the files of the node,
	// if that is not more than half of all.
	descriptorsKept = 256
)

// Listener is an open door, at one address or several. Close it when done.
type Listener struct {
	options Options
	done    chan struct{}
	serving sync.WaitGroup

	mu        sync.Mutex
	places    []place
	suspended bool
	conns     map[net.Conn]struct{} // below TLS, if there is any
}

// place is an address that is listened on.
type place struct {
	listener net.Listener
	secure   *tls.Config // nil: without TLS
}

// Listen opens a TCP address, such as "127.0.0.1:5672"; port 0 takes any free one. Clients are
// served from now on.
func Listen(ctx context.Context, address string, o Options) (*Listener, error) {
	if o.ConnectionsMax == 0 {
		o.ConnectionsMax = ConnectionsMaxDefault
	}
	if n := descriptorsMax(); n > 0 {
		o.ConnectionsMax = min(o.ConnectionsMax, max(n-descriptorsKept, n/2))
	}
	l := &Listener{
		options: o, done: make(chan struct{}), conns: make(map[net.Conn]struct{}),
	}
	if _, err := l.Add(ctx, address, nil); err != nil {
		return nil, err
	}
	return l, nil
}

// Add opens one more address of the same door and returns it, with the port that was chosen. With
// secure its clients speak TLS; the door gets a *tls.Conn that has its handshake before it.
func (l *Listener) Add(ctx context.Context, address string, secure *tls.Config) (net.Addr, error) {
	listener, err := listenConfig(l.options.Sockets).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("protocol: listen on %s: %w", address, err)
	}
	if err := l.options.Sockets.queue(listener); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("protocol: listen on %s: %w", address, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done:
		_ = listener.Close()
		return nil, fmt.Errorf("protocol: listen on %s: %w", address, net.ErrClosed)
	default:
	}
	if l.suspended {
		_ = listener.Close()
		return nil, fmt.Errorf("protocol: listen on %s: %w", address, errSuspended)
	}
	l.places = append(l.places, place{listener, secure})
	l.serving.Go(func() { l.accept(listener, secure) })
	return listener.Addr(), nil
}

// Addr returns the first address listened on, with the port that was chosen.
func (l *Listener) Addr() net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.places[0].listener.Addr()
}

// Addrs returns the addresses listened on without TLS.
func (l *Listener) Addrs() []net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	var plain []net.Addr
	for _, p := range l.places {
		if p.secure == nil {
			plain = append(plain, p.listener.Addr())
		}
	}
	return plain
}

// Connections returns how many connections are open.
func (l *Listener) Connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// ConnectionsMax returns how many connections may be open at once: less than Options said when the
// process may not have so many file descriptors.
func (l *Listener) ConnectionsMax() int { return l.options.ConnectionsMax }

// accept is the loop that takes connections. A failure for want of file descriptors or memory
// is waited out: it ends when other connections do. Those that stand notice nothing.
func (l *Listener) accept(listener net.Listener, secure *tls.Config) {
	var pause time.Duration
	var failed, again, refused seldom
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause = min(max(2*pause, 5*time.Millisecond), acceptPauseMax)
			failed.log(l.options.Logger, slog.LevelError, "accept", "error", err)
			select {
			case <-time.After(pause):
				continue
			case <-l.done:
				return
			}
		}
		if pause > 0 {
			pause = 0
			again.log(l.options.Logger, slog.LevelInfo, "accepting connections again")
		}
		if !l.enter(conn) {
			refused.log(l.options.Logger, slog.LevelWarn, "connection refused",
				"peer", conn.RemoteAddr(), "connections_max", l.options.ConnectionsMax)
			_ = conn.Close()
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok && l.options.Sockets.Delay {
			_ = tcp.SetNoDelay(false) // as good as it gets
		}
		l.serving.Go(func() {
			defer l.leave(conn)
			if secure != nil {
				l.options.Door.Serve(tls.Server(conn, secure))
				return
			}
			l.options.Door.Serve(conn)
		})
	}
}

// enter counts a connection in, unless there are too many.
func (l *Listener) enter(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.options.ConnectionsMax {
		return false
	}
	select {
	case <-l.done:
		return false
	default:
	}
	l.conns[conn] = struct{}{}
	return true
}

func (l *Listener) leave(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// Close stops listening, tells the clients, and returns when the last of them is gone: after
// patience at the latest their connections are cut.
func (l *Listener) Close(patience time.Duration) error {
	l.mu.Lock()
	close(l.done)
	err := l.closePlaces()
	l.mu.Unlock()
	l.options.Door.Shutdown()
	cut := time.AfterFunc(patience, l.cut)
	defer cut.Stop()
	l.serving.Wait()
	return err
}

func (l *Listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
}
