package disk_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

func TestAllocateKeepsRoom(t *testing.T) {
	const size = 1 << 20
	dir := t.TempDir()
	f, err := disk.OS().Open(filepath.Join(dir, "room"), disk.Create|disk.Direct)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = f.(disk.Allocator).Allocate(size)
	if runtime.GOOS != "linux" {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("allocated: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	b := disk.Aligned(disk.BlockBytes)
	b[0] = 1
	if n, err := f.Size(); n != size || err != nil {
		t.Errorf("%d bytes, %v, want %d", n, err, size)
	}
	if _, err := f.ReadAt(b, size-disk.BlockBytes); err != nil || b[0] != 0 {
		t.Errorf("read %d, %v", b[0], err)
	}
}
