package control

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// echo answers with what it was asked.
func echo(r Request) Response {
	return Response{Columns: r.Columns, Rows: [][]any{{r.Verb, r.VHost}}}
}

func start(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Listen(dir, logger(t), echo, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARequestIsAnswered(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	defer s.Close()
	r, err := Call(t.Context(), dir, Request{Verb: "v", VHost: "h", Columns: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 1 || r.Rows[0][0] != "v" || r.Rows[0][1] != "h" || len(r.Columns) != 2 {
		t.Errorf("answered with %+v", r)
	}
}

func TestNobodyAnswersAfterClose(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // a second server takes over
		s := start(t, dir)
		if _, err := Call(t.Context(), dir, Request{Verb: "v"}); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_, err := Call(t.Context(), dir, Request{Verb: "v"})
		if err == nil || !strings.HasPrefix(err.Error(), "no node runs on "+dir) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// TestACallerWhoAsksNothingDoesNotHoldUpClose, nor does one who asks half.
func TestACallerWhoAsksNothingDoesNotHoldUpClose(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	for _, half := range []string{"", `{"verb": "sta`} {
		conn, err := dial(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(half)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestRequestsAreBounded reaches requestMax.
func TestRequestsAreBounded(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	defer s.Close()
	const around = len(`{"verb":""}`)
	_, err := Call(t.Context(), dir, Request{Verb: strings.Repeat("v", requestMax-around)})
	if err != nil {
		t.Errorf("the longest request: %v", err)
	}
	_, err = Call(t.Context(), dir, Request{Verb: strings.Repeat("v", requestMax+1)})
	if err == nil {
		t.Error("a request above the limit was answered")
	}
}

// exhausted is a listener that cannot accept for some time.
type exhausted struct {
	net.Listener
	failures atomic.Int64
}

var errTooManyFiles = errors.New("too many open files")

func (l *exhausted) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, errTooManyFiles
	}
	return l.Listener.Accept()
}

// pipes is a listener whose connections are made by the test.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return nil }

// TestTheSocketOutlivesAWantOfFiles: it works again when there are some.
func TestTheSocketOutlivesAWantOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		l := &exhausted{Listener: p}
		l.failures.Store(3)
		s := serve(l, logger(t), echo, nil)
		near, far := net.Pipe()
		defer near.Close()
		p.conns <- far
		if _, err := near.Write([]byte(`{"verb":"v"}` + "\n")); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 100)
		n, err := near.Read(answer)
		if err != nil || !bytes.Contains(answer[:n], []byte(`"v"`)) {
			t.Errorf("answered %q, %v", answer[:n], err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
