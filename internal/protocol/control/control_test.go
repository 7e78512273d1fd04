package control

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with what it was asked for.
func echo() *http.Server {
	return &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	})}
}

func start(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Listen(dir, echo())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask asks the node on a directory for a path.
func ask(t *testing.T, dir, path string) (string, error) {
	t.Helper()
	return askBy(t.Context(), Dialer(dir), path)
}

func askBy(
	ctx context.Context, dial func(context.Context) (net.Conn, error), path string,
) (string, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx)
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node"+path, nil)
	if err != nil {
		return "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestARequestIsAnswered(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	if got, err := ask(t, dir, "/v"); got != "/v" || err != nil {
		t.Errorf("answered with %q, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestNobodyAnswersAfterClose(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // a second server takes over
		if Exists(dir) {
			t.Error("there is a socket before there is a server")
		}
		s := start(t, dir)
		if _, err := ask(t, dir, "/v"); err != nil {
			t.Error(err)
		}
		if !Exists(dir) {
			t.Error("there is no socket")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_, err := ask(t, dir, "/v")
		if err == nil || !strings.Contains(err.Error(), "no node runs on "+dir) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// TestACallerWhoAsksNothingDoesNotHoldUpClose; one who asks half holds it up for closePatience.
func TestACallerWhoAsksNothingDoesNotHoldUpClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for half, most := range map[string]time.Duration{
			"": 0, "GET /v HTTP/1.1\r\nHo": closePatience,
		} {
			p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
			s := serve(p, echo())
			near, far := net.Pipe()
			p.conns <- far
			if _, err := near.Write([]byte(half)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			begin := time.Now()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > most {
				t.Errorf("with a caller who asked %q closing took %v", half, took)
			}
			_ = near.Close()
		}
	})
}

// exhausted is a listener that cannot accept for some time.
type exhausted struct {
	net.Listener
	failures atomic.Int64
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept", syscall.EMFILE)}
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

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return nowhere{} }

type nowhere struct{}

func (nowhere) Network() string { return "pipe" }
func (nowhere) String() string  { return "pipe" }

// TestTheSocketOutlivesAWantOfFiles: it works again when there are some.
func TestTheSocketOutlivesAWantOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		l := &exhausted{Listener: p}
		l.failures.Store(3)
		s := serve(l, echo())
		got, err := askBy(t.Context(), func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			select {
			case p.conns <- far:
				return near, nil
			case <-time.After(time.Hour):
				return nil, errors.New("nobody accepts any more")
			}
		}, "/v")
		if got != "/v" || err != nil {
			t.Errorf("answered %q, %v", got, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
