// Package control is the door for the operator on the same machine: a socket in the data
// directory that only the owner of the directory can open, so that it needs no password.
//
// Floor 6. A conversation is one request and one response, each a line of JSON; the verbs are
// in verbs.go. On Windows the socket is a named pipe whose name is derived from the directory.
package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Request asks for one verb.
type Request struct {
	// Verb is the name of a verb, such as "list_queues".
	Verb string `json:"verb"`
	// VHost is the vhost it is about; empty means "/".
	VHost string `json:"vhost,omitempty"`
	// Columns are the columns wanted of a list; empty means the verb's own choice.
	Columns []string `json:"columns,omitempty"`
	// Arguments are what else a verb takes, in its order.
	Arguments []string `json:"arguments,omitempty"`
}

// Response is the answer to a Request.
type Response struct {
	// Error says what went wrong; everything else is empty then.
	Error string `json:"error,omitempty"`
	// Columns and Rows are the answer as a table.
	Columns []string `json:"columns,omitempty"`
	Rows    [][]any  `json:"rows,omitempty"`
}

// requestMax is the longest request taken, in bytes; timeout is how long one side waits for
// the other.
const (
	requestMax = 64 << 10
	timeout    = 30 * time.Second
)

// acceptPause is the pause after an accept that failed.
const acceptPause = 100 * time.Millisecond

// Server answers on the socket of a data directory. Close it when done.
type Server struct {
	listener net.Listener
	log      *slog.Logger
	answer   func(Request) Response
	http     *httpServer // nil: HTTP is not spoken
	serving  sync.WaitGroup
	done     chan struct{} // closed by Close

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Listen opens the socket of the data directory dir. The directory must be locked by the
// caller: a socket left behind by a node that died is replaced. Verbs are answered by answer,
// which may be called concurrently; HTTP by the handler of web, which may be nil.
func Listen(
	dir string, log *slog.Logger, answer func(Request) Response, web *http.Server,
) (*Server, error) {
	l, err := listen(dir)
	if err != nil {
		return nil, fmt.Errorf("control: listen in %s: %w", dir, err)
	}
	return serve(l, log, answer, web), nil
}

func serve(
	l net.Listener, log *slog.Logger, answer func(Request) Response, web *http.Server,
) *Server {
	s := &Server{
		listener: l, log: log, answer: answer, done: make(chan struct{}),
		conns: make(map[net.Conn]struct{}),
	}
	if web != nil {
		s.http = newHTTPServer(web, l.Addr())
	}
	s.serving.Go(s.accept)
	return s
}

// accept is the loop that takes connections. A failure for want of file descriptors or memory
// is waited out: the operator needs the socket most when the node is in trouble.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err == nil {
			s.serving.Go(func() { s.serve(conn) })
			continue
		}
		select {
		case <-s.done:
			return
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.log.Error("control socket", "error", err)
		select {
		case <-s.done:
			return
		case <-time.After(acceptPause):
		}
	}
}

func (s *Server) serve(conn net.Conn) {
	if !s.enter(conn) {
		_ = conn.Close()
		return
	}
	begin := bufio.NewReader(conn)
	old, err := speaksJSON(begin)
	if err != nil {
		s.leave(conn)
		_ = conn.Close()
		return
	}
	if !old && s.http != nil {
		s.leave(conn)
		_ = conn.SetDeadline(time.Time{})
		s.http.take(&begun{conn, begin})
		return
	}
	defer conn.Close()
	defer s.leave(conn)
	var request Request
	in := json.NewDecoder(io.LimitReader(begin, requestMax))
	if err := in.Decode(&request); err != nil {
		s.log.Warn("control request", "error", err)
		return
	}
	out := bufio.NewWriter(conn)
	if err := json.NewEncoder(out).Encode(s.answer(request)); err == nil {
		_ = out.Flush()
	}
}

func (s *Server) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return false
	default:
	}
	s.conns[conn] = struct{}{}
	_ = conn.SetDeadline(time.Now().Add(timeout))
	return true
}

func (s *Server) leave(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// Close removes the socket. Answers under way are finished; a caller that asks nothing is cut.
func (s *Server) Close() error {
	close(s.done)
	err := s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		_ = conn.SetReadDeadline(time.Now())
	}
	s.mu.Unlock()
	if s.http != nil {
		s.http.shutdown()
	}
	s.serving.Wait()
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

// Call asks the node that runs on the data directory dir.
func Call(ctx context.Context, dir string, request Request) (Response, error) {
	conn, err := dial(ctx, dir)
	if err != nil {
		return Response{}, explain(dir, err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return Response{}, fmt.Errorf("control: ask: %w", err)
	}
	var response Response
	if err := json.NewDecoder(conn).Decode(&response); err != nil {
		return Response{}, fmt.Errorf("control: answer: %w", err)
	}
	if response.Error != "" {
		return Response{}, errors.New(response.Error)
	}
	return response, nil
}
