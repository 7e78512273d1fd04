package protocol

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echoes is a door that sends back what arrives. At shutdown it lets go of polite clients.
type echoes struct {
	polite bool

	mu    sync.Mutex
	conns []net.Conn
}

func (d *echoes) Serve(conn net.Conn) {
	d.mu.Lock()
	d.conns = append(d.conns, conn)
	d.mu.Unlock()
	_, _ = io.Copy(conn, conn)
	_ = conn.Close()
}

func (d *echoes) Shutdown() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range d.conns {
		if d.polite {
			_ = conn.SetReadDeadline(time.Now())
		}
	}
}

func listenWith(t *testing.T, o Options) *Listener {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	l, err := Listen(t.Context(), "127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dial connects and returns when the door has it.
func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// echoed reports whether the door answers.
func echoed(conn net.Conn) bool {
	if _, err := conn.Write([]byte("x")); err != nil {
		return false
	}
	n, _ := conn.Read(make([]byte, 1))
	return n == 1
}

func TestTheDoorServesWhoConnects(t *testing.T) {
	l := listenWith(t, Options{Door: &echoes{polite: true}})
	for range 3 {
		if !echoed(dial(t, l)) {
			t.Error("no answer")
		}
	}
	if n := l.Connections(); n != 3 {
		t.Errorf("%d connections are counted", n)
	}
	if err := l.Close(time.Minute); err != nil {
		t.Error(err)
	}
	if n := l.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("somebody listens after Close")
	}
}

func TestClientsThatStayAreCut(t *testing.T) {
	l := listenWith(t, Options{Door: &echoes{}})
	conn := dial(t, l)
	if !echoed(conn) {
		t.Fatal("no answer")
	}
	if err := l.Close(time.Millisecond); err != nil {
		t.Error(err)
	}
	if n, _ := conn.Read(make([]byte, 1)); n != 0 {
		t.Error("something came after the end")
	}
}

// TestALeavingConnectionMakesRoom reaches ConnectionsMax.
func TestALeavingConnectionMakesRoom(t *testing.T) {
	l := listenWith(t, Options{Door: &echoes{polite: true}, ConnectionsMax: 2})
	defer l.Close(time.Minute)
	first, second := dial(t, l), dial(t, l)
	if !echoed(first) || !echoed(second) {
		t.Error("refused below the limit")
	}
	if echoed(dial(t, l)) {
		t.Error("served above the limit")
	}
	_ = first.Close()
	deadline := time.Now().Add(20 * time.Second)
	for !echoed(dial(t, l)) {
		if time.Now().After(deadline) {
			t.Fatal("refused below the limit again")
		}
	}
	if !echoed(second) {
		t.Error("a bystander was cut")
	}
}

func TestAnAddressInUseIsAnError(t *testing.T) {
	l := listenWith(t, Options{Door: &echoes{polite: true}})
	defer l.Close(time.Minute)
	if _, err := Listen(t.Context(), l.Addr().String(), Options{}); err == nil {
		t.Error("two listen on one address")
	}
}

// failing is a listener whose first accepts fail.
type failing struct {
	net.Listener
	failures int // belongs to the goroutine that accepts
}

func (f *failing) Accept() (net.Conn, error) {
	if f.failures--; f.failures >= 0 {
		return nil, io.ErrNoProgress
	}
	return f.Listener.Accept()
}

func TestAFailedAcceptIsWaitedOut(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Listener{
		options: Options{
			Door: &echoes{polite: true}, ConnectionsMax: 1,
			Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		},
		places: []place{{listener: &failing{Listener: inner, failures: 3}}},
		done:   make(chan struct{}), conns: make(map[net.Conn]struct{}),
	}
	l.serving.Go(func() { l.accept(l.places[0].listener, nil) })
	if !echoed(dial(t, l)) {
		t.Error("no answer after failures")
	}
	if err := l.Close(time.Minute); err != nil {
		t.Error(err)
	}
}
