package disk_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// contract runs one test on every implementation of FS, in an empty directory.
func contract(t *testing.T, test func(t *testing.T, fsys disk.FS, dir string)) {
	pass := func(disk.Call) disk.Fault { return disk.Fault{} }
	systems := map[string]func() disk.FS{
		"OS":     disk.OS,
		"Memory": func() disk.FS { return disk.NewMemory() },
		"Faulty": func() disk.FS { return disk.Faulty(disk.NewMemory(), pass) },
	}
	for name, system := range systems {
		t.Run(name, func(t *testing.T) {
			fsys, dir := system(), filepath.Join(t.TempDir(), "a", "b")
			must(t, fsys.MkdirAll(dir))
			test(t, fsys, dir)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func open(t *testing.T, fsys disk.FS, name string, mode disk.Mode) disk.File {
	t.Helper()
	f, err := fsys.Open(name, mode)
	must(t, err)
	return f
}

// create makes a closed file with these bytes.
func create(t *testing.T, fsys disk.FS, name, content string) {
	t.Helper()
	f := open(t, fsys, name, disk.Create)
	write(t, f, content, 0)
	must(t, f.Sync())
	must(t, f.Close())
}

func write(t *testing.T, f disk.File, content string, offset int64) {
	t.Helper()
	if n, err := f.WriteAt([]byte(content), offset); err != nil || n != len(content) {
		t.Fatalf("wrote %d bytes of %d: %v", n, len(content), err)
	}
}

func content(t *testing.T, fsys disk.FS, name string) string {
	t.Helper()
	f := open(t, fsys, name, disk.Read)
	size, err := f.Size()
	must(t, err)
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); int64(n) != size || err != nil && err != io.EOF {
		t.Fatalf("read %d bytes of %d: %v", n, size, err)
	}
	must(t, f.Close())
	return string(b)
}

func list(t *testing.T, fsys disk.FS, dir string) []string {
	t.Helper()
	names, err := fsys.List(dir)
	must(t, err)
	return names
}

func TestFileKeepsWhatIsWritten(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		name := filepath.Join(dir, "file")
		f := open(t, fsys, name, disk.Create)
		write(t, f, "hello", 0)
		write(t, f, "world", 7)
		must(t, f.Sync())
		must(t, f.Close())
		if got := content(t, fsys, name); got != "hello\x00\x00world" {
			t.Fatalf("content %q", got)
		}
		f = open(t, fsys, name, disk.Write)
		write(t, f, "J", 0)
		must(t, f.Truncate(3))
		must(t, f.Truncate(5))
		must(t, f.Close())
		if got := content(t, fsys, name); got != "Jel\x00\x00" {
			t.Fatalf("content after truncate %q", got)
		}
	})
}

func TestShortReadIsEOF(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		name := filepath.Join(dir, "file")
		create(t, fsys, name, "abc")
		f := open(t, fsys, name, disk.Read)
		defer f.Close()
		b := make([]byte, 3)
		if n, err := f.ReadAt(b, 1); n != 2 || err != io.EOF || !bytes.Equal(b[:n], []byte("bc")) {
			t.Fatalf("read %d, %v: %q", n, err, b[:n])
		}
		if n, err := f.ReadAt(b, 9); n != 0 || err != io.EOF {
			t.Fatalf("read after the end %d, %v", n, err)
		}
	})
}

func TestOpenRefusesByMode(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		name := filepath.Join(dir, "file")
		_, err := fsys.Open(name, disk.Read)
		wantError(t, err, fs.ErrNotExist)
		_, err = fsys.Open(name, disk.Write)
		wantError(t, err, fs.ErrNotExist)
		_, err = fsys.Open(filepath.Join(dir, "none", "file"), disk.Create)
		wantError(t, err, fs.ErrNotExist)
		create(t, fsys, name, "abc")
		_, err = fsys.Open(name, disk.Create)
		wantError(t, err, fs.ErrExist)
		f := open(t, fsys, name, disk.Read)
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Fatal("wrote to a file opened for reading")
		}
		must(t, f.Close())
		_, err = f.ReadAt(make([]byte, 1), 0)
		wantError(t, err, fs.ErrClosed)
	})
}

func TestNamesFollowRenameAndRemove(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
		create(t, fsys, a, "A")
		create(t, fsys, b, "B")
		create(t, fsys, c, "C")
		must(t, fsys.Rename(c, b))
		must(t, fsys.SyncDir(dir))
		if got := content(t, fsys, b); got != "C" {
			t.Fatalf("content of b %q", got)
		}
		if got := list(t, fsys, dir); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("names %v", got)
		}
		must(t, fsys.Remove(a))
		wantError(t, fsys.Remove(a), fs.ErrNotExist)
		wantError(t, fsys.Rename(a, b), fs.ErrNotExist)
		if got := list(t, fsys, dir); !slices.Equal(got, []string{"b"}) {
			t.Fatalf("names %v", got)
		}
		_, err := fsys.List(filepath.Join(dir, "none"))
		wantError(t, err, fs.ErrNotExist)
		wantError(t, fsys.SyncDir(filepath.Join(dir, "none")), fs.ErrNotExist)
	})
}

func TestMkdirAllAcceptsADirectoryAndRefusesAFile(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		must(t, fsys.MkdirAll(dir))
		name := filepath.Join(dir, "file")
		create(t, fsys, name, "abc")
		if err := fsys.MkdirAll(name); err == nil {
			t.Fatal("made a directory where a file is")
		}
		if err := fsys.MkdirAll(filepath.Join(name, "x")); err == nil {
			t.Fatal("made a directory below a file")
		}
	})
}

func TestLockHasOneHolder(t *testing.T) {
	contract(t, func(t *testing.T, fsys disk.FS, dir string) {
		name := filepath.Join(dir, "lock")
		first, err := fsys.Lock(name)
		must(t, err)
		_, err = fsys.Lock(name)
		wantError(t, err, disk.ErrLocked)
		must(t, first.Close())
		second, err := fsys.Lock(name)
		must(t, err)
		must(t, second.Close())
	})
}
