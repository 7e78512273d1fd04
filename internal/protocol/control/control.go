// Package control is the door for the operator on the same machine: a socket in the data
// directory that only the owner of the directory can open, so that it needs no password. HTTP is
// spoken there, the API's.
//
// Floor 6. On Windows the socket is a named pipe whose name is derived from the directory.
package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// closePatience is how long Close waits for answers that are being written.
const closePatience = 2 * time.Second

// Server answers on the socket of a data directory. Close it when done.
type Server struct {
	web    *http.Server
	served chan struct{} // closed when connections are taken no more

	mu    sync.Mutex
	fresh map[net.Conn]struct{} // those that have asked nothing yet
}

// Listen opens the socket of the data directory dir. The directory must be locked by the
// caller: a socket left behind by a node that died is replaced. Web answers, whose limits in time
// and size hold; it belongs to the Server from then on. A want of file descriptors is waited out:
// the operator needs the socket most when the node is in trouble.
func Listen(dir string, web *http.Server) (*Server, error) {
	l, err := listen(dir)
	if err != nil {
		return nil, fmt.Errorf("control: listen in %s: %w", dir, err)
	}
	return serve(l, web), nil
}

func serve(l net.Listener, web *http.Server) *Server {
	s := &Server{web: web, served: make(chan struct{}), fresh: make(map[net.Conn]struct{})}
	web.ConnState = s.watch
	go func() {
		defer close(s.served)
		_ = web.Serve(l) // it ends with Close
	}()
	return s
}

// watch keeps the connections that have asked nothing yet.
func (s *Server) watch(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.fresh[conn] = struct{}{}
		return
	}
	delete(s.fresh, conn)
}

// Close removes the socket. Answers under way are finished, for up to two seconds; a caller that
// asks nothing is cut.
func (s *Server) Close() error {
	s.mu.Lock()
	for conn := range s.fresh {
		_ = conn.Close()
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	err := s.web.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.web.Close()
	}
	<-s.served
	return err
}

// Dialer returns what opens connections to the node that runs on the data directory dir.
func Dialer(dir string) func(ctx context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx, dir)
		return conn, explain(dir, err)
	}
}

// explain says what it means that a socket cannot be opened.
func explain(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no node runs on %s", dir)
	}
	return fmt.Errorf("reach the node on %s: %w", dir, err)
}
