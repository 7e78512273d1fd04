package disk

import (
	"io"
	"io/fs"
	"slices"
)

// memoryFile is an open file of a Memory. The node is shared by all who have it open.
type memoryFile struct {
	m        *Memory
	n        *node
	name     string
	writable bool
	closed   bool
}

// enter locks the file system for a call on this file; the caller unlocks m.mu, error or not.
func (f *memoryFile) enter(op string, offset int64, write bool) error {
	f.m.mu.Lock()
	switch {
	case f.closed:
		return pathError(op, f.name, fs.ErrClosed)
	case offset < 0:
		return pathError(op, f.name, fs.ErrInvalid)
	case write && !f.writable:
		return pathError(op, f.name, fs.ErrPermission)
	}
	return nil
}

func (f *memoryFile) ReadAt(b []byte, offset int64) (int, error) {
	err := f.enter("read", offset, false)
	defer f.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if offset >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.data[offset:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(b []byte, offset int64) (int, error) {
	err := f.enter("write", offset, true)
	defer f.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if len(b) > 0 {
		f.change(dataChange{offset: offset, data: slices.Clone(b)})
	}
	return len(b), nil
}

func (f *memoryFile) Truncate(size int64) error {
	err := f.enter("truncate", size, true)
	defer f.m.mu.Unlock()
	if err != nil {
		return err
	}
	f.change(dataChange{offset: size})
	return nil
}

func (f *memoryFile) change(c dataChange) {
	f.n.data = c.apply(f.n.data)
	f.n.changes = append(f.n.changes, c)
}

func (f *memoryFile) Sync() error {
	err := f.enter("sync", 0, true)
	defer f.m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, c := range f.n.changes {
		f.n.safeData = c.apply(f.n.safeData)
	}
	f.n.changes = nil
	return nil
}

func (f *memoryFile) Size() (int64, error) {
	err := f.enter("size", 0, false)
	defer f.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return int64(len(f.n.data)), nil
}

func (f *memoryFile) Close() error {
	err := f.enter("close", 0, false)
	defer f.m.mu.Unlock()
	if err != nil {
		return err
	}
	f.closed = true
	f.n.open--
	return nil
}
