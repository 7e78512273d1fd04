package disk_test

import (
	"bytes"
	"io"
	"math"
	"path/filepath"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// filled is an aligned buffer of n bytes, all c.
func filled(n int, c byte) []byte {
	b := disk.Aligned(n)
	for i := range b {
		b[i] = c
	}
	return b
}

func TestAlignedBuffersAreWholeBlocks(t *testing.T) {
	for _, n := range []int{0, 1, 511, 4095, 4096, 4097, 8192, 10000, 65536, 1<<20 + 1} {
		b := disk.Aligned(n)
		if len(b) < n || len(b) >= n+disk.BlockBytes || len(b)%disk.BlockBytes != 0 {
			t.Errorf("%d bytes for %d", len(b), n)
		}
		if cap(b) != len(b) {
			t.Errorf("capacity %d of %d bytes", cap(b), len(b))
		}
	}
}

func TestDirectFileKeepsWhatIsWritten(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		name := filepath.Join(dir, "file")
		f := open(t, fsys, name, disk.Create|disk.Direct)
		t.Logf("direct: %v", f.Direct()) // whether it is depends on the file system
		must(t, f.Truncate(4*disk.BlockBytes))
		write(t, f, string(filled(2*disk.BlockBytes, 'a')), disk.BlockBytes)
		must(t, f.Sync())
		must(t, f.Close())

		f = open(t, fsys, name, disk.Write|disk.Direct)
		write(t, f, string(filled(disk.BlockBytes, 'b')), 2*disk.BlockBytes)
		must(t, f.Close())

		f = open(t, fsys, name, disk.Read|disk.Direct)
		b := disk.Aligned(6 * disk.BlockBytes)
		n, err := f.ReadAt(b, 0)
		if n != 4*disk.BlockBytes || err != io.EOF {
			t.Fatalf("read %d bytes: %v", n, err)
		}
		for i, want := range []byte{0, 'a', 'b', 0} {
			block := b[i*disk.BlockBytes:][:disk.BlockBytes]
			if !bytes.Equal(block, filled(disk.BlockBytes, want)) {
				t.Errorf("block %d begins with %q, want %q", i, block[:8], want)
			}
		}
		must(t, f.Close())
		if got := content(t, fsys, name); len(got) != 4*disk.BlockBytes {
			t.Errorf("%d bytes through the page cache", len(got))
		}
	})
}

func TestDirectFileRefusesWhatIsNotAligned(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		f := open(t, fsys, filepath.Join(dir, "file"), disk.Create|disk.Direct)
		defer f.Close()
		b := disk.Aligned(3 * disk.BlockBytes)
		calls := map[string]func([]byte, int64) (int, error){"read": f.ReadAt, "write": f.WriteAt}
		for name, call := range calls {
			for _, c := range []struct {
				what   string
				b      []byte
				offset int64
			}{
				{"offset", b, 512},
				{"length", b[:512], 0},
				{"address", b[512:][:disk.BlockBytes], 0},
			} {
				n, err := call(c.b, c.offset)
				if n != 0 {
					t.Errorf("%s with a bad %s moved %d bytes", name, c.what, n)
				}
				wantError(t, err, disk.ErrUnaligned)
			}
		}
		wantError(t, f.Truncate(512), disk.ErrUnaligned)
		if size, err := f.Size(); size != 0 || err != nil {
			t.Errorf("size %d, %v", size, err)
		}
	})
}

func TestDirectFileReadsUpToAnEndWithinABlock(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		name := filepath.Join(dir, "file")
		create(t, fsys, name, "abc")
		f := open(t, fsys, name, disk.Read|disk.Direct)
		defer f.Close()
		b := disk.Aligned(2 * disk.BlockBytes)
		if n, err := f.ReadAt(b, 0); n != 3 || err != io.EOF || string(b[:n]) != "abc" {
			t.Fatalf("read %d, %v: %q", n, err, b[:n])
		}
		if n, err := f.ReadAt(b, disk.BlockBytes); n != 0 || err != io.EOF {
			t.Fatalf("read after the end %d, %v", n, err)
		}
	})
}

func TestOnlyFilesOpenedSoAreDirect(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		f := open(t, fsys, filepath.Join(dir, "file"), disk.Create)
		defer f.Close()
		if f.Direct() {
			t.Error("direct though nobody asked for it")
		}
		write(t, f, "abc", 1)
	})
}

func TestFreeAnswersForADirectory(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		bytes, err := fsys.Free(dir)
		must(t, err)
		if bytes == 0 || bytes > math.MaxInt64 {
			t.Errorf("%d bytes free", bytes)
		}
		if _, err := fsys.Free(filepath.Join(dir, "none")); err == nil {
			t.Error("free bytes of a directory that is not there")
		}
	})
}
