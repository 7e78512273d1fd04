package perf

import (
	"math"
	"testing"
)

func TestWindowSettlesInEveryOrder(t *testing.T) {
	w := newWindow(10)
	if n := w.reserve(100); n != 10 {
		t.Fatalf("reserve = %d, want 10", n)
	}
	w.mark(10, 1000)
	w.settle(3, false, true, 2000)
	w.settle(5, true, true, 3000)
	w.settle(7, false, false, 4000)
	if n := w.reserve(100); n != 6 {
		t.Errorf("reserve = %d, want 6", n)
	}
	w.settle(0, true, true, 5000) // all outstanding
	confirmed, nacked, open := w.counts()
	if confirmed != 9 || nacked != 1 || open != 0 {
		t.Errorf("confirmed %d, nacked %d, open %d; want 9, 1, 0", confirmed, nacked, open)
	}
	s := w.takeLatency(newHistogram()).summary()
	if s.Count != 10 || s.Min != 1 || math.Round(s.Max) != 4 {
		t.Errorf("latencies %+v; want 10 of 1 to 4 µs", s)
	}
}

func TestWindowIgnoresStrayConfirms(t *testing.T) {
	w := newWindow(10)
	w.mark(2, 1000)
	for _, tag := range []uint64{0, 3, 1 << 60} {
		w.settle(tag, false, true, 2000)
	}
	w.settle(1, false, true, 2000)
	w.settle(1, false, true, 2000)
	w.settle(2, false, true, 2000)
	w.settle(2, true, true, 2000)
	confirmed, _, open := w.counts()
	if confirmed != 2 || open != 0 || w.stray != 5 {
		t.Errorf("confirmed %d, open %d, stray %d; want 2, 0, 5", confirmed, open, w.stray)
	}
}

func TestLateConfirmHoldsUpOnlyARingOfMessages(t *testing.T) {
	w := newWindow(1)
	w.limit = 2
	sent := 0
	w.mark(1, 1000)
	for w.open < 2 && int(w.next-w.base) < ringMin {
		w.mark(w.reserve(1), 1000)
		sent++
		w.settle(w.next-1, false, true, 2000) // the first one stays unconfirmed
	}
	if sent != ringMin-1 {
		t.Errorf("%d messages were confirmed past the first, want %d", sent, ringMin-1)
	}
	w.settle(1, false, true, 2000)
	if n := w.reserve(100); n != 2 {
		t.Errorf("reserve = %d, want 2", n)
	}
}

func TestClosedWindowReservesNothing(t *testing.T) {
	w := newWindow(1)
	w.mark(1, 1000)
	reserved := make(chan int)
	go func() { reserved <- w.reserve(1) }()
	w.close()
	if n := <-reserved; n != 0 {
		t.Errorf("reserve = %d, want 0", n)
	}
}
