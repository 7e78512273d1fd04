package disk

import (
	"io"
	"sync"
)

// Op names a call of FS or File, for a Rule.
type Op uint8

// The calls a Rule sees.
const (
	OpOpen   Op = iota // FS.Open of an existing file
	OpCreate           // FS.Open with Create
	OpRename
	OpRemove
	OpList
	OpSyncDir
	OpMkdir
	OpLock
	OpRead
	OpWrite
	OpSync
	OpTruncate
	OpSize
	OpFree
	opCount
)

var opNames = [opCount]string{"open", "create", "rename", "remove", "list", "syncdir", "mkdir",
	"lock", "read", "write", "sync", "truncate", "size", "free"}

// String returns the name in lower case: "write", "syncdir".
func (op Op) String() string {
	if op < opCount {
		return opNames[op]
	}
	return "unknown"
}

// Call is one call about to be made.
type Call struct {
	Op     Op
	Name   string // of the file or directory
	To     string // OpRename: the new name
	Offset int64  // OpRead, OpWrite; OpTruncate: the new size
	Length int    // OpRead, OpWrite: bytes asked for
	Count  int    // how many calls of this Op there were, this one included
}

// Fault is what happens to a call; the zero value lets it pass.
type Fault struct {
	// Err is returned instead of making the call.
	Err error
	// Bytes of a write reach the file before Err: a short write, or a disk that filled up. Of a
	// direct file only whole blocks do.
	Bytes int
	// Lost returns success without making the call: a disk that lies. Of a write, Bytes reach
	// the file. It is ignored for calls with a result (open, create, list, lock, read, size,
	// free).
	Lost bool
	// Dropped, with Err of a sync and files of a Memory, takes what the sync should have made
	// safe for lost: it can be read, but neither a later sync nor luck saves it. It is what
	// Linux does after an error of write-back.
	Dropped bool
	// Wait, if not nil, is called before anything else happens, without any lock held: a slow
	// disk, as slow as the test wants.
	Wait func()
}

// Rule decides about each call before it is made. It may be called concurrently, and it must not
// call the FS it is a rule of. It sees every boundary between two calls, so a test can also use
// it to take a Memory.Crash at each.
type Rule func(Call) Fault

// Faulty returns fs with faults by rule. Close never fails.
func Faulty(fs FS, rule Rule) FS {
	return &faultyFS{fs: fs, rule: rule}
}

type faultyFS struct {
	fs   FS
	rule Rule

	mu     sync.Mutex
	counts [opCount]int
}

// ask counts the call and asks the rule, outside the lock.
func (f *faultyFS) ask(c Call) Fault {
	f.mu.Lock()
	f.counts[c.Op]++
	c.Count = f.counts[c.Op]
	f.mu.Unlock()
	fault := f.rule(c)
	if fault.Wait != nil {
		fault.Wait()
	}
	return fault
}

// do makes a call that has no result but an error.
func (f *faultyFS) do(c Call, call func() error) error {
	fault := f.ask(c)
	if fault.Err != nil || fault.Lost {
		return fault.Err
	}
	return call()
}

func (f *faultyFS) Open(name string, mode Mode) (File, error) {
	op := OpOpen
	if mode.kind() == Create {
		op = OpCreate
	}
	if fault := f.ask(Call{Op: op, Name: name}); fault.Err != nil {
		return nil, fault.Err
	}
	file, err := f.fs.Open(name, mode)
	if err != nil {
		return nil, err
	}
	return &faultyFile{fs: f, file: file, name: name, aligned: mode&Direct != 0}, nil
}

func (f *faultyFS) Rename(from, to string) error {
	return f.do(Call{Op: OpRename, Name: from, To: to},
		func() error { return f.fs.Rename(from, to) })
}

func (f *faultyFS) Remove(name string) error {
	return f.do(Call{Op: OpRemove, Name: name}, func() error { return f.fs.Remove(name) })
}

func (f *faultyFS) List(dir string) ([]string, error) {
	if fault := f.ask(Call{Op: OpList, Name: dir}); fault.Err != nil {
		return nil, fault.Err
	}
	return f.fs.List(dir)
}

func (f *faultyFS) SyncDir(dir string) error {
	return f.do(Call{Op: OpSyncDir, Name: dir}, func() error { return f.fs.SyncDir(dir) })
}

func (f *faultyFS) MkdirAll(dir string) error {
	return f.do(Call{Op: OpMkdir, Name: dir}, func() error { return f.fs.MkdirAll(dir) })
}

func (f *faultyFS) Lock(name string) (io.Closer, error) {
	if fault := f.ask(Call{Op: OpLock, Name: name}); fault.Err != nil {
		return nil, fault.Err
	}
	return f.fs.Lock(name)
}

func (f *faultyFS) Free(dir string) (uint64, error) {
	if fault := f.ask(Call{Op: OpFree, Name: dir}); fault.Err != nil {
		return 0, fault.Err
	}
	return f.fs.Free(dir)
}

type faultyFile struct {
	fs      *faultyFS
	file    File
	name    string
	aligned bool // it was opened with Direct
}

func (f *faultyFile) ReadAt(b []byte, offset int64) (int, error) {
	fault := f.fs.ask(Call{Op: OpRead, Name: f.name, Offset: offset, Length: len(b)})
	if fault.Err != nil {
		return 0, fault.Err
	}
	return f.file.ReadAt(b, offset)
}

func (f *faultyFile) WriteAt(b []byte, offset int64) (int, error) {
	fault := f.fs.ask(Call{Op: OpWrite, Name: f.name, Offset: offset, Length: len(b)})
	if fault.Err == nil && !fault.Lost {
		return f.file.WriteAt(b, offset)
	}
	n := 0
	if fault.Bytes > 0 {
		part := b[:min(fault.Bytes, len(b))]
		if f.aligned {
			part = part[:len(part)/BlockBytes*BlockBytes]
		}
		var err error
		if n, err = f.file.WriteAt(part, offset); err != nil {
			return n, err
		}
	}
	if fault.Err == nil {
		n = len(b)
	}
	return n, fault.Err
}

func (f *faultyFile) Sync() error {
	fault := f.fs.ask(Call{Op: OpSync, Name: f.name})
	if fault.Err != nil && fault.Dropped {
		f.dropUnsynced()
	}
	if fault.Err != nil || fault.Lost {
		return fault.Err
	}
	return f.file.Sync()
}

func (f *faultyFile) dropUnsynced() {
	if file, ok := f.file.(interface{ dropUnsynced() }); ok {
		file.dropUnsynced()
	}
}

func (f *faultyFile) Truncate(size int64) error {
	return f.fs.do(Call{Op: OpTruncate, Name: f.name, Offset: size},
		func() error { return f.file.Truncate(size) })
}

func (f *faultyFile) Size() (int64, error) {
	if fault := f.fs.ask(Call{Op: OpSize, Name: f.name}); fault.Err != nil {
		return 0, fault.Err
	}
	return f.file.Size()
}

func (f *faultyFile) Direct() bool { return f.file.Direct() }

func (f *faultyFile) Close() error { return f.file.Close() }
