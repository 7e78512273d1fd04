package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestDefinitionsComeBackInOrder(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	must(t, s.Define(nil, []byte("a"), []byte("b")))
	must(t, s.Define(nil))
	must(t, s.Define(nil, []byte("c"), nil))
	must(t, s.Close())
	wantLines(t, recoverAll(t, options), "definition a", "definition b", "definition c",
		"definition ")
}

func TestDefinitionIsStableWhenDefineReturns(t *testing.T) {
	m := newDisk(t)
	s := open(t, worldOptions(m))
	for i := range 50 {
		must(t, s.Define(nil, fmt.Appendf(nil, "%d", i)))
		if lines := recoverAll(t, worldOptions(m.Crash(uint64(i)))); len(lines) != i+1 {
			t.Fatalf("recovered %v after %d definitions", lines, i+1)
		}
	}
}

func TestConcurrentDefinitionsShareTheSync(t *testing.T) {
	g := newGate()
	g.release(2)
	options := worldOptions(g.fs(newDisk(t)))
	s := open(t, options)
	<-g.begun
	<-g.begun
	var waits []func() error
	define := func(i int) { waits = append(waits, s.DefineLater(nil, fmt.Appendf(nil, "%02d", i))) }
	define(0)
	var all sync.WaitGroup
	all.Go(func() { must(t, waits[0]()) })
	<-g.begun // the first is being synced
	for i := 1; i < 20; i++ {
		define(i)
	}
	for _, wait := range waits[1:] {
		all.Go(func() { must(t, wait()) })
	}
	g.release(2)
	all.Wait()
	g.release(100)
	must(t, s.Close())
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprintf("definition %02d", i))
	}
	wantLines(t, recoverAll(t, options), want...)
}

func TestDefinitionsAreRewrittenWhenTheyHaveDoubled(t *testing.T) {
	options := Options{Dir: worldDir, FS: newDisk(t)} // the default limits
	s := open(t, options)
	snapshots := 0
	state := []byte(strings.Repeat("s", 600<<10))
	snapshot := func(emit func([]byte)) {
		snapshots++
		emit(state)
	}
	change := []byte(strings.Repeat("c", 100<<10))
	var snapshotAt []int
	for i := range 40 {
		before := snapshots
		must(t, s.Define(snapshot, change))
		if snapshots > before {
			snapshotAt = append(snapshotAt, i)
		}
	}
	// 11 of 100 KiB are more than 1 MiB. Then it begins with 600 KiB, and 6 more make it double.
	if !slices.Equal(snapshotAt, []int{11, 17, 23, 29, 35}) {
		t.Errorf("rewritten with definitions %v", snapshotAt)
	}
	if n := s.Stats().DefinitionsBytes; n > 2<<20 {
		t.Errorf("%d bytes", n)
	}
	must(t, s.Close())
	want := slices.Repeat([]string{"definition cccccccccc... 102400"}, 6)
	want[0] = "definition ssssssssss... 614400"
	wantLines(t, recoverAll(t, options), want...)
}

func TestDefinitionsAreNotRewrittenWithoutSnapshot(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	for range 100 {
		must(t, s.Define(nil, make([]byte, 100)))
	}
	must(t, s.Close())
	if n := len(recoverAll(t, options)); n != 100 {
		t.Errorf("%d definitions", n)
	}
}

func TestLargeSnapshotIsNotRewrittenAtEachStart(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	snapshots := 0
	snapshot := func(emit func([]byte)) { snapshots++; emit(make([]byte, 5000)) }
	must(t, s.Define(snapshot, make([]byte, 600)))
	must(t, s.Define(snapshot, []byte("x"))) // rewritten: 600 are more than the 512 of the test
	must(t, s.Close())
	s = open(t, options)
	must(t, s.Define(snapshot, []byte("y")))
	if snapshots != 1 {
		t.Errorf("%d snapshots, want 1", snapshots)
	}
}
