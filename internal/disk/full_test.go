package disk_test

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

func wantFree(t *testing.T, fsys disk.FS, want uint64) {
	t.Helper()
	if free, err := fsys.Free("/d"); err != nil || free != want {
		t.Fatalf("%d bytes free, %v, want %d", free, err, want)
	}
}

func TestMemoryFullTakesWhatFits(t *testing.T) {
	m := memory(t)
	m.SetCapacity(10)
	wantFree(t, m, 10)
	f := open(t, m, "/d/file", disk.Create)
	write(t, f, "hello", 0)
	n, err := f.WriteAt([]byte("wonderful"), 5)
	wantError(t, err, syscall.ENOSPC)
	if n != 5 || !disk.IsFull(err) {
		t.Fatalf("wrote %d: %v", n, err)
	}
	wantFree(t, m, 0)
	write(t, f, "HELLO", 0) // overwriting needs no room
	if n, err := f.WriteAt([]byte("x"), 12); n != 0 || !disk.IsFull(err) {
		t.Fatalf("wrote %d behind a gap: %v", n, err)
	}
	if err := f.Truncate(11); !disk.IsFull(err) {
		t.Fatalf("grew: %v", err)
	}
	if got := content(t, m, "/d/file"); got != "HELLOwonde" {
		t.Fatalf("content %q", got)
	}
	must(t, f.Truncate(4))
	wantFree(t, m, 6)
	m.SetCapacity(3)
	wantFree(t, m, 0)
	must(t, f.Close())
}

func TestMemoryFullTakesWholeBlocksOfADirectFile(t *testing.T) {
	m := memory(t)
	m.SetCapacity(2*disk.BlockBytes - 1)
	f := open(t, m, "/d/file", disk.Create|disk.Direct)
	n, err := f.WriteAt(disk.Aligned(3*disk.BlockBytes), 0)
	if n != disk.BlockBytes || !disk.IsFull(err) {
		t.Fatalf("wrote %d: %v", n, err)
	}
	must(t, f.Close())
}

func TestRemovedAndReplacedFilesGiveRoomBack(t *testing.T) {
	m := memory(t)
	m.SetCapacity(100)
	create(t, m, "/d/a", "aaaaa")
	create(t, m, "/d/b", "bbb")
	create(t, m, "/d/c", "c")
	wantFree(t, m, 91)
	must(t, m.Rename("/d/b", "/d/a"))
	wantFree(t, m, 96)
	must(t, m.Remove("/d/a"))
	wantFree(t, m, 99)
	wantFree(t, m.Clone(), 99)
	must(t, m.SyncDir("/d"))
	wantFree(t, m.Crash(1), 99)
}

func TestIsFullSeesThroughWrapping(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		if !disk.IsFull(fmt.Errorf("write: %w", err)) {
			t.Errorf("%v is not full", err)
		}
	}
	for _, err := range []error{nil, io.EOF, syscall.EIO, errors.New("full")} {
		if disk.IsFull(err) {
			t.Errorf("%v is full", err)
		}
	}
}
