package protocol

import (
	"net"
	"testing"
	"time"
)

func TestASuspendedListenerRefusesAndKeepsWhoIsThere(t *testing.T) {
	l := listenWith(t, Options{Door: &echoes{polite: true}})
	second, err := l.Add(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	there := dial(t, l)
	if !echoed(there) {
		t.Fatal("no answer")
	}
	addr := l.Addr()
	for range 2 {
		for range 2 { // the second time changes nothing
			if err := l.Suspend(); err != nil {
				t.Fatal(err)
			}
		}
		for _, to := range []net.Addr{addr, second} {
			if conn, err := net.Dial("tcp", to.String()); err == nil {
				_ = conn.Close()
				t.Error("a connection was taken")
			}
		}
		if _, err := l.Add(t.Context(), "127.0.0.1:0", nil); err == nil || !l.Suspended() {
			t.Error("an address was added while listening is suspended")
		}
		if !echoed(there) {
			t.Error("who is there gets no answer")
		}
		for range 2 {
			if err := l.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if l.Addr().String() != addr.String() || l.Suspended() {
			t.Errorf("resumed at %v, was at %v", l.Addr(), addr)
		}
		if !echoed(dial(t, l)) {
			t.Error("no answer after it was resumed")
		}
	}
	if err := l.Suspend(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(time.Minute); err != nil {
		t.Errorf("close while suspended: %v", err)
	}
	if err := l.Resume(t.Context()); err == nil {
		t.Error("a closed listener was resumed")
	}
}

// TestAnAddressThatIsTakenMeanwhile keeps the listener suspended, and is free again later.
func TestAnAddressThatIsTakenMeanwhile(t *testing.T) {
	var l *Listener
	var other net.Listener
	for other == nil { // an address is free for a moment, and others may take it, too
		l = listenWith(t, Options{Door: &echoes{polite: true}})
		second, err := l.Add(t.Context(), "127.0.0.1:0", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Suspend(); err != nil {
			t.Fatal(err)
		}
		other, _ = net.Listen("tcp", second.String())
	}
	if err := l.Resume(t.Context()); err == nil || !l.Suspended() {
		t.Errorf("resumed on an address of somebody else: %v", err)
	}
	_ = other.Close()
	if err := l.Resume(t.Context()); err != nil || !echoed(dial(t, l)) {
		t.Errorf("not resumed: %v", err)
	}
	if err := l.Close(time.Minute); err != nil {
		t.Error(err)
	}
}
