package store

import (
	"fmt"
	"slices"
	"strings"
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

// recoverAll opens the store and describes what it recovers, a line for each thing.
func recoverAll(t testing.TB, options Options) []string {
	t.Helper()
	lines, err := tryRecover(options)
	must(t, err)
	return lines
}

func tryRecover(options Options) (lines []string, err error) {
	s, err := Open(options)
	if err != nil {
		return nil, err
	}
	defer s.Close() // nothing was written
	err = s.RecoverDefinitions(func(record []byte) error {
		lines = append(lines, "definition "+brief(record))
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.RecoverMessages(func(queues []QueueID, id LSN, message []byte) error {
		lines = append(lines, fmt.Sprintf("%v %s", queues, brief(message)))
		return nil
	})
	return lines, err
}

func brief(b []byte) string {
	if len(b) > 20 {
		return fmt.Sprintf("%s... %d", b[:10], len(b))
	}
	return string(b)
}

func wantLines(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("recovered\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
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
