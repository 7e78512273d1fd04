package disk

import (
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Data is nobody's business but the broker's: bodies and password hashes are in these files.
const (
	filePermission = 0o600
	dirPermission  = 0o700
)

// OS returns the real file system. File.Sync is fdatasync on Linux, F_FULLFSYNC on macOS and
// FlushFileBuffers on Windows.
func OS() FS { return osFS{} }

type osFS struct{}

func (osFS) Open(name string, mode Mode) (File, error) {
	f, err := os.OpenFile(name, openFlags(mode), filePermission)
	if err != nil {
		return nil, err
	}
	if mode&Direct == 0 {
		return osFile{f}, nil
	}
	return directFile{osFile{f}, setDirect(f)}, nil
}

func openFlags(mode Mode) int {
	switch mode.kind() {
	case Create:
		return os.O_RDWR | os.O_CREATE | os.O_EXCL
	case Write:
		return os.O_RDWR
	default:
		return os.O_RDONLY
	}
}

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }

func (osFS) Remove(name string) error { return os.Remove(name) }

func (osFS) List(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	slices.Sort(names)
	return names, err
}

func (osFS) SyncDir(dir string) error { return syncDir(dir) }

// MkdirAll syncs the parent of each directory it makes: os.MkdirAll alone leaves a tree that a
// power loss takes away together with the synced files in it.
func (fs osFS) MkdirAll(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := fs.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, dirPermission); err != nil && !os.IsExist(err) {
		return err
	}
	if info, err := os.Stat(dir); err != nil {
		return err
	} else if !info.IsDir() {
		return &os.PathError{Op: "mkdir", Path: dir, Err: os.ErrExist}
	}
	return syncDir(parent)
}

func (osFS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, filePermission)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		_ = f.Close() // the reason is err
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return f, nil // closing the only descriptor ends the lock
}

func (osFS) Free(dir string) (uint64, error) { return freeBytes(dir) }

type osFile struct{ *os.File }

func (osFile) Direct() bool { return false }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// directFile is a file opened with Direct. It keeps the contract of such files itself: where the
// alignment is wrong, some file systems buffer in silence.
type directFile struct {
	osFile
	direct bool
}

func (f directFile) Direct() bool { return f.direct }

func (f directFile) ReadAt(b []byte, offset int64) (int, error) {
	if err := checkAligned("read", f.Name(), b, offset); err != nil {
		return 0, err
	}
	n, err := f.osFile.ReadAt(b, offset)
	if err != nil && n%BlockBytes != 0 {
		// The file ends within a block. After the short read os.File asks for the rest, and an
		// unaligned offset is refused by some file systems before they see the end.
		err = io.EOF
	}
	return n, err
}

func (f directFile) WriteAt(b []byte, offset int64) (int, error) {
	if err := checkAligned("write", f.Name(), b, offset); err != nil {
		return 0, err
	}
	return f.osFile.WriteAt(b, offset)
}

func (f directFile) Truncate(size int64) error {
	if err := checkAligned("truncate", f.Name(), nil, size); err != nil {
		return err
	}
	return f.osFile.Truncate(size)
}
