package disk_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

func TestNthSyncOfMatchingFilesFails(t *testing.T) {
	rule := disk.On(disk.OpSync, "messages-*", disk.Fault{Err: syscall.EIO})
	fsys := disk.Faulty(memory(t), disk.Nth(2, rule))
	other := open(t, fsys, "/d/manifest.log", disk.Create)
	log := open(t, fsys, "/d/messages-1.log", disk.Create)
	must(t, log.Sync())
	must(t, other.Sync())
	wantError(t, log.Sync(), syscall.EIO)
	must(t, log.Sync())

	fsys = disk.Faulty(memory(t), disk.From(2, rule))
	log = open(t, fsys, "/d/messages-1.log", disk.Create)
	must(t, log.Sync())
	wantError(t, log.Sync(), syscall.EIO)
	wantError(t, log.Sync(), syscall.EIO)
}

func TestShortWriteOfADirectFileIsWholeBlocks(t *testing.T) {
	fault := disk.Fault{Err: syscall.ENOSPC, Bytes: disk.BlockBytes + 100}
	fsys := disk.Faulty(memory(t), disk.On(disk.OpWrite, "*", fault))
	f := open(t, fsys, "/d/file", disk.Create|disk.Direct)
	n, err := f.WriteAt(disk.Aligned(3*disk.BlockBytes), 0)
	if n != disk.BlockBytes || !disk.IsFull(err) {
		t.Fatalf("wrote %d: %v", n, err)
	}
}

func TestSlowSyncWaitsForTheTest(t *testing.T) {
	begun, finish := make(chan bool), make(chan bool)
	wait := func() { begun <- true; <-finish }
	fsys := disk.Faulty(memory(t), disk.On(disk.OpSync, "slow", disk.Fault{Wait: wait}))
	slow, fast := open(t, fsys, "/d/slow", disk.Create), open(t, fsys, "/d/fast", disk.Create)
	done := make(chan error, 1)
	go func() { done <- slow.Sync() }()
	<-begun
	must(t, fast.Sync()) // others go on
	select {
	case <-done:
		t.Fatal("the slow sync did not wait")
	default:
	}
	finish <- true
	must(t, <-done)
}

func TestDroppedChangesAreReadButNeverSafe(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", "old")
	must(t, m.SyncDir("/d"))
	fault := disk.Fault{Err: syscall.EIO, Dropped: true}
	fsys := disk.Faulty(m, disk.Nth(1, disk.On(disk.OpSync, "*", fault)))
	f := open(t, fsys, "/d/file", disk.Write)
	write(t, f, "new", 0)
	wantError(t, f.Sync(), syscall.EIO)
	must(t, f.Sync()) // succeeds, and proves nothing
	write(t, f, "X", 4)
	for _, after := range []*disk.Memory{m, m.Clone()} {
		if got := content(t, after, "/d/file"); got != "new\x00X" {
			t.Fatalf("read %q", got)
		}
		seen := outcomes(after, func(m *disk.Memory) string { return content(t, m, "/d/file") })
		if len(seen) != 3 || seen["old"] == 0 || seen["old\x00X"] == 0 || seen["old\x00\x00"] == 0 {
			t.Fatalf("outcomes %v", seen)
		}
	}
	write(t, f, "now", 0)
	must(t, f.Sync())
	if got := content(t, m.Crash(0), "/d/file"); got != "now\x00X" {
		t.Fatalf("after a good sync %q", got)
	}
}

func TestLoseSyncDirLosesTheOneAfterTheChange(t *testing.T) {
	for _, test := range []struct {
		op     disk.Op
		change func(disk.FS) error
		before string // names when the change is undone
	}{
		{disk.OpCreate, func(fsys disk.FS) error {
			f, err := fsys.Open("/d/x-2", disk.Create)
			if err == nil {
				err = f.Close()
			}
			return err
		}, "x-1"},
		{disk.OpRename, func(fsys disk.FS) error { return fsys.Rename("/d/x-1", "/d/x-9") }, "x-1"},
		{disk.OpRemove, func(fsys disk.FS) error { return fsys.Remove("/d/x-1") }, "x-1"},
	} {
		m := memory(t)
		create(t, m, "/d/x-1", "")
		must(t, m.SyncDir("/d"))
		fsys := disk.Faulty(m, disk.LoseSyncDir(test.op, "x-*"))
		must(t, fsys.SyncDir("/d"))
		must(t, test.change(fsys))
		now := strings.Join(list(t, m, "/d"), " ")
		must(t, fsys.SyncDir("/d")) // lost
		see := func(after *disk.Memory) string { return strings.Join(list(t, after, "/d"), " ") }
		if seen := outcomes(m, see); len(seen) != 2 || seen[test.before] == 0 || seen[now] == 0 {
			t.Errorf("%v: outcomes %v", test.op, seen)
		}
		must(t, fsys.SyncDir("/d"))
		if seen := outcomes(m, see); len(seen) != 1 || seen[now] == 0 {
			t.Errorf("%v: outcomes %v after another sync", test.op, seen)
		}
	}
}

func TestFirstOfTakesTheFirstFaultAndAsksAll(t *testing.T) {
	eio := disk.On(disk.OpSync, "*", disk.Fault{Err: syscall.EIO})
	full := disk.On(disk.OpSync, "*", disk.Fault{Err: syscall.ENOSPC})
	fsys := disk.Faulty(memory(t), disk.FirstOf(disk.Nth(1, eio), disk.From(2, full)))
	f := open(t, fsys, "/d/file", disk.Create)
	wantError(t, f.Sync(), syscall.EIO)
	wantError(t, f.Sync(), syscall.ENOSPC)
}

func TestOnRefusesAMalformedPattern(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	disk.On(disk.OpSync, "[", disk.Fault{})
}
