package disk_test

import (
	"io"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// The file system of /proc refuses O_DIRECT.
func TestRefusedDirectFileIsBuffered(t *testing.T) {
	f := open(t, disk.OS(), "/proc/self/status", disk.Read|disk.Direct)
	defer f.Close()
	if f.Direct() {
		t.Error("a file of /proc is direct")
	}
	b := disk.Aligned(16 * disk.BlockBytes)
	n, err := f.ReadAt(b, 0)
	if err != io.EOF || !strings.HasPrefix(string(b[:n]), "Name:") {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if _, err := f.ReadAt(b[:100], 0); err == nil {
		t.Error("an unaligned read passed because the file is buffered")
	}
}
