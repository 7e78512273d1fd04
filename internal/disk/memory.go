package disk

import (
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"sync"
)

// Memory is a file system in memory which remembers what a power loss could take: beside its
// contents it keeps what was synced and, in order, what changed since.
//
// It is stricter than most systems: it refuses to rename or remove an open file, and a file's
// name is safe only after SyncDir, though many systems make it safe with the first Sync.
type Memory struct {
	mu    sync.Mutex
	root  *node
	locks map[string]struct{}

	capacity int64 // bytes; 0: no limit
}

// NewMemory returns an empty file system. MkdirAll makes the first directory.
func NewMemory() *Memory {
	return &Memory{root: newDir(), locks: make(map[string]struct{})}
}

// node is a directory or a file, with its safe state beside the one seen now. The safe state is
// always the one that results from leaving out all pending changes.
type node struct {
	// Of a directory; nil for a file.
	entries map[string]*node
	safe    map[string]*node
	renames []entryChange

	// Of a file.
	data     content
	safeData content
	changes  []dataChange
	doubtful bool // a failed sync dropped changes: data is more than safeData and changes
	open     int
}

// entryChange is a name made (to), removed (from) or changed (both) and not yet synced.
type entryChange struct {
	from, to string
	node     *node
}

func newDir() *node {
	return &node{entries: make(map[string]*node), safe: make(map[string]*node)}
}

// sizes is the sum of the sizes of the files below a directory, or the size of a file.
func (n *node) sizes() (sum int64) {
	for _, child := range n.entries {
		sum += child.sizes()
	}
	return sum + n.data.size
}

func (n *node) isDir() bool { return n.entries != nil }

func (n *node) closedFile() bool { return !n.isDir() && n.open == 0 }

func (c entryChange) apply(entries map[string]*node) {
	if c.to != "" {
		entries[c.to] = c.node
	}
	if c.from != "" {
		delete(entries, c.from)
	}
}

// lookup returns the node of a name, or nil.
func (m *Memory) lookup(name string) *node {
	n := m.root
	for _, part := range splitPath(name) {
		if n == nil || !n.isDir() {
			return nil
		}
		n = n.entries[part]
	}
	return n
}

func splitPath(name string) []string {
	name = filepath.ToSlash(filepath.Clean(name))
	var parts []string
	for start, i := 0, 0; i <= len(name); i++ {
		if i == len(name) || name[i] == '/' {
			if part := name[start:i]; part != "" && part != "." {
				parts = append(parts, part)
			}
			start = i + 1
		}
	}
	return parts
}

// parent returns the directory of a name and the last part of it.
func (m *Memory) parent(op, name string) (*node, string, error) {
	dir := m.lookup(filepath.Dir(name))
	if dir == nil || !dir.isDir() {
		return nil, "", pathError(op, name, fs.ErrNotExist)
	}
	return dir, filepath.Base(name), nil
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open implements FS.
func (m *Memory) Open(name string, mode Mode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent("open", name)
	if err != nil {
		return nil, err
	}
	n := dir.entries[base]
	switch kind := mode.kind(); {
	case kind == Create && n != nil:
		return nil, pathError("open", name, fs.ErrExist)
	case kind == Create:
		n = &node{}
		dir.change(entryChange{to: base, node: n})
	case n == nil:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n.isDir():
		return nil, pathError("open", name, fs.ErrInvalid)
	}
	n.open++
	return &memoryFile{m: m, n: n, name: name,
		writable: mode.kind() != Read, direct: mode&Direct != 0}, nil
}

func (n *node) change(c entryChange) {
	c.apply(n.entries)
	n.renames = append(n.renames, c)
}

// Rename implements FS.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, oldBase, err := m.parent("rename", from)
	if err != nil {
		return err
	}
	toDir, newBase, err := m.parent("rename", to)
	if err != nil {
		return err
	}
	n, replaced := dir.entries[oldBase], toDir.entries[newBase]
	switch {
	case n == nil:
		return pathError("rename", from, fs.ErrNotExist)
	case dir != toDir, !n.closedFile(), replaced != nil && !replaced.closedFile():
		return pathError("rename", from, fs.ErrInvalid)
	case n != replaced:
		dir.change(entryChange{from: oldBase, to: newBase, node: n})
	}
	return nil
}

// Remove implements FS.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent("remove", name)
	if err != nil {
		return err
	}
	n := dir.entries[base]
	switch {
	case n == nil:
		return pathError("remove", name, fs.ErrNotExist)
	case !n.closedFile():
		return pathError("remove", name, fs.ErrInvalid)
	}
	dir.change(entryChange{from: base})
	return nil
}

// List implements FS.
func (m *Memory) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.lookup(dir)
	if n == nil || !n.isDir() {
		return nil, pathError("list", dir, fs.ErrNotExist)
	}
	return sortedNames(n.entries), nil
}

func sortedNames(entries map[string]*node) []string {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SyncDir implements FS.
func (m *Memory) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.lookup(dir)
	if n == nil || !n.isDir() {
		return pathError("sync", dir, fs.ErrNotExist)
	}
	for _, c := range n.renames {
		c.apply(n.safe)
	}
	n.renames = nil
	return nil
}

// MkdirAll implements FS.
func (m *Memory) MkdirAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.root
	for _, part := range splitPath(dir) {
		child := n.entries[part]
		switch {
		case child == nil:
			child = newDir()
			n.entries[part], n.safe[part] = child, child
		case !child.isDir():
			return pathError("mkdir", dir, fs.ErrExist)
		}
		n = child
	}
	return nil
}

// Lock implements FS. It makes no file: the lock's file holds nothing that could be lost.
func (m *Memory) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, _, err := m.parent("lock", name); err != nil {
		return nil, err
	}
	name = filepath.Clean(name)
	if _, held := m.locks[name]; held {
		return nil, pathError("lock", name, ErrLocked)
	}
	m.locks[name] = struct{}{}
	return &memoryLock{m: m, name: name}, nil
}

// SetCapacity limits the sum of the sizes of all files to so many bytes, from now on; 0 takes the
// limit away, and with it Free answers the largest number. A write that does not fit writes what
// fits (whole blocks, if the file is direct) and returns syscall.ENOSPC, as does Truncate, without
// effect. What is there already stays, even beyond the limit. Crash and Clone keep the limit.
func (m *Memory) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// Free implements FS. It answers what SetCapacity left.
func (m *Memory) Free(dir string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.lookup(dir); n == nil || !n.isDir() {
		return 0, pathError("statfs", dir, fs.ErrNotExist)
	}
	return uint64(m.room()), nil
}

// room is by how many bytes the files may grow.
func (m *Memory) room() int64 {
	if m.capacity == 0 {
		return math.MaxInt64
	}
	return max(0, m.capacity-m.root.sizes())
}

// FlipBit changes bit number bit of the file of that name, counted from the lowest bit of its first
// byte, as it is read now and as it is after a crash: damage at rest. The file may be open.
func (m *Memory) FlipBit(name string, bit int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.lookup(name)
	switch {
	case n == nil:
		return pathError("flip", name, fs.ErrNotExist)
	case n.isDir(), bit < 0, bit/8 >= max(n.data.size, n.safeData.size):
		return pathError("flip", name, fs.ErrInvalid)
	}
	n.data.flip(bit)
	n.safeData.flip(bit)
	return nil
}

type memoryLock struct {
	m    *Memory
	name string
	once sync.Once
}

func (l *memoryLock) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		delete(l.m.locks, l.name)
	})
	return nil
}
