package disk

import (
	"io/fs"
	"math"
	"syscall"
)

// memoryFile is an open file of a Memory. The node is shared by all who have it open.
type memoryFile struct {
	m        *Memory
	n        *node
	name     string
	writable bool
	direct   bool
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

// checkDirect is the contract of direct files.
func (f *memoryFile) checkDirect(op string, b []byte, offset int64) error {
	if !f.direct {
		return nil
	}
	return checkAligned(op, f.name, b, offset)
}

func (f *memoryFile) Direct() bool { return f.direct }

func (f *memoryFile) ReadAt(b []byte, offset int64) (int, error) {
	err := f.enter("read", offset, false)
	defer f.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if err := f.checkDirect("read", b, offset); err != nil {
		return 0, err
	}
	return f.n.data.readAt(b, offset)
}

func (f *memoryFile) WriteAt(b []byte, offset int64) (int, error) {
	err := f.enter("write", offset, true)
	defer f.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if err := f.checkDirect("write", b, offset); err != nil {
		return 0, err
	}
	n := f.fits(offset, len(b))
	f.n.changes = f.n.data.write(b[:n], offset, f.n.changes)
	if n < len(b) {
		return n, pathError("write", f.name, syscall.ENOSPC)
	}
	return n, nil
}

// fits returns how many of n bytes can be written at the offset before the disk is full.
func (f *memoryFile) fits(offset int64, n int) int {
	end := f.n.data.size + min(f.m.room(), math.MaxInt64-f.n.data.size) // of the largest file
	if offset+int64(n) <= end {
		return n
	}
	n = int(max(0, end-offset))
	if f.direct {
		n -= n % BlockBytes
	}
	return n
}

func (f *memoryFile) Truncate(size int64) error {
	err := f.enter("truncate", size, true)
	defer f.m.mu.Unlock()
	if err != nil {
		return err
	}
	if err := f.checkDirect("truncate", nil, size); err != nil {
		return err
	}
	if size-f.n.data.size > f.m.room() {
		return pathError("truncate", f.name, syscall.ENOSPC)
	}
	c := dataChange{resize: true, size: size}
	f.n.data.apply(c)
	f.n.changes = append(f.n.changes, c)
	return nil
}

func (f *memoryFile) Sync() error {
	err := f.enter("sync", 0, true)
	defer f.m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, c := range f.n.changes {
		f.n.safeData.apply(c)
	}
	f.n.changes = nil
	return nil
}

// dropUnsynced is what a failed sync does in the kernel: what was written can still be read, but
// nothing will bring it to the disk any more.
func (f *memoryFile) dropUnsynced() {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.n.doubtful = f.n.doubtful || len(f.n.changes) > 0
	f.n.changes = nil
}

func (f *memoryFile) Size() (int64, error) {
	err := f.enter("size", 0, false)
	defer f.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return f.n.data.size, nil
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
