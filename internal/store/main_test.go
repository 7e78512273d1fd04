package store

import (
	"testing"

	"github.com/warrenmq/warren/internal/disk"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newDisk is a memory file system with the data directory.
func newDisk(t testing.TB) *disk.Memory {
	t.Helper()
	m := disk.NewMemory()
	must(t, m.MkdirAll(worldDir))
	return m
}

// open opens and starts a store, and closes it with the test.
func open(t testing.TB, options Options) *Store {
	t.Helper()
	s, err := Open(options)
	must(t, err)
	must(t, s.Start())
	t.Cleanup(func() { _ = s.Close() }) // an error is the business of the test
	return s
}

// gate makes every sync of a log file wait until it is opened, after saying that one has begun.
type gate struct {
	begun chan string
	open  chan struct{}
}

func newGate() *gate {
	return &gate{begun: make(chan string, 1000), open: make(chan struct{}, 1000)}
}

func (g *gate) fs(fsys disk.FS) disk.FS {
	return disk.Faulty(fsys, func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync {
			g.begun <- c.Name
			<-g.open
		}
		return disk.Fault{}
	})
}

func (g *gate) release(n int) {
	for range n {
		g.open <- struct{}{}
	}
}
