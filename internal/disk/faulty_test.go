package disk_test

import (
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

func TestRuleFailsTheCallItNames(t *testing.T) {
	m := memory(t)
	fsys := disk.Faulty(m, func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && c.Name == "/d/file" && c.Count == 2 {
			return disk.Fault{Err: syscall.EIO}
		}
		return disk.Fault{}
	})
	f := open(t, fsys, "/d/file", disk.Create)
	must(t, f.Sync())
	wantError(t, f.Sync(), syscall.EIO)
	must(t, f.Sync())
	must(t, f.Close())
}

func TestShortWriteLeavesTheFirstBytes(t *testing.T) {
	m := memory(t)
	fsys := disk.Faulty(m, func(c disk.Call) disk.Fault {
		if c.Op == disk.OpWrite && c.Offset+int64(c.Length) > 8 {
			return disk.Fault{Err: syscall.ENOSPC, Bytes: int(8 - c.Offset)}
		}
		return disk.Fault{}
	})
	f := open(t, fsys, "/d/file", disk.Create)
	write(t, f, "hello", 0)
	n, err := f.WriteAt([]byte("world"), 5)
	wantError(t, err, syscall.ENOSPC)
	if n != 3 {
		t.Fatalf("%d bytes reported, want 3", n)
	}
	if got := content(t, m, "/d/file"); got != "hellowor" {
		t.Fatalf("content %q", got)
	}
	must(t, f.Close())
}

func TestLostSyncReportsSuccess(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", "")
	must(t, m.SyncDir("/d"))
	fsys := disk.Faulty(m, func(c disk.Call) disk.Fault {
		return disk.Fault{Lost: c.Op == disk.OpSync}
	})
	f := open(t, fsys, "/d/file", disk.Write)
	write(t, f, "x", 0)
	must(t, f.Sync())
	seen := outcomes(m, func(after *disk.Memory) string { return content(t, after, "/d/file") })
	if seen[""] == 0 || seen["x"] == 0 {
		t.Fatalf("outcomes %v", seen)
	}
}

func TestRuleSeesEveryCall(t *testing.T) {
	m := memory(t)
	seen := make(map[disk.Op]int)
	fault := disk.Fault{}
	fsys := disk.Faulty(m, func(c disk.Call) disk.Fault {
		seen[c.Op] = c.Count
		return fault
	})
	file := open(t, fsys, "/d/file", disk.Create)
	write(t, file, "x", 0)
	calls := map[disk.Op]func() error{
		disk.OpOpen: func() error {
			f, err := fsys.Open("/d/file", disk.Read)
			if err == nil {
				err = f.Close()
			}
			return err
		},
		disk.OpCreate: func() error {
			f, err := fsys.Open("/d/new", disk.Create)
			if err == nil {
				err = f.Close()
			}
			return err
		},
		disk.OpRename:   func() error { return fsys.Rename("/d/new", "/d/newer") },
		disk.OpRemove:   func() error { return fsys.Remove("/d/newer") },
		disk.OpList:     func() error { _, err := fsys.List("/d"); return err },
		disk.OpSyncDir:  func() error { return fsys.SyncDir("/d") },
		disk.OpMkdir:    func() error { return fsys.MkdirAll("/d/e") },
		disk.OpLock:     func() error { _, err := fsys.Lock("/d/lock"); return err },
		disk.OpWrite:    func() error { _, err := file.WriteAt([]byte("x"), 0); return err },
		disk.OpRead:     func() error { _, err := file.ReadAt(make([]byte, 1), 0); return err },
		disk.OpSync:     func() error { return file.Sync() },
		disk.OpTruncate: func() error { return file.Truncate(1) },
		disk.OpFree:     func() error { _, err := fsys.Free("/d"); return err },
		disk.OpSize:     func() error { _, err := file.Size(); return err },
	}
	for op := disk.OpOpen; op <= disk.OpFree; op++ {
		fault = disk.Fault{Err: syscall.EIO}
		wantError(t, calls[op](), syscall.EIO)
		before := seen[op]
		fault = disk.Fault{}
		if err := calls[op](); err != nil {
			t.Errorf("%v: %v", op, err)
		}
		if seen[op] != before+1 {
			t.Errorf("%v: count %d after %d", op, seen[op], before)
		}
	}
}
