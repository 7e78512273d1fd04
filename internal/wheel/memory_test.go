package wheel

import "testing"

func TestMemoryOfABurstComesBack(t *testing.T) {
	var w Wheel[int]
	const burst = 2 * nodesKept
	for i := range burst {
		w.Add(5, i)
	}
	if due := w.Advance(5, nil); len(due) != burst {
		t.Fatalf("%d of %d due", len(due), burst)
	}
	if cap(w.nodes) != 0 {
		t.Errorf("memory for %d timers is kept", cap(w.nodes))
	}
	for i := range nodesKept / 2 {
		w.Add(10, i)
	}
	w.Advance(10, nil)
	if cap(w.nodes) == 0 {
		t.Error("no memory is kept for the next")
	}
}
