// Package disk is the file seam: everything warren keeps goes through its FS interface.
//
// Floor 0: it touches the operating system and imports nothing of warren. Three implementations
// stand behind the same contract (one test suite runs on all of them):
//
//   - OS is the real file system.
//   - NewMemory is a file system in memory that knows what was synced and what was not, and hands
//     out the state a power loss would leave (Memory.Crash).
//   - Faulty wraps another FS and makes chosen calls fail: an error, a short write, a slow or a
//     lost sync, by rules (On, Nth, LoseSyncDir). Memory.FlipBit damages what is at rest.
//
// What a caller may rely on after a crash is what POSIX promises and no more:
//
//   - Bytes written to a file are safe once File.Sync has returned; until then each block may be
//     old, new or torn, in any combination, whatever the order of the writes.
//   - A name created, renamed or removed is safe once FS.SyncDir of its directory has returned,
//     until then each of these operations may or may not have happened. Syncing a file does not
//     make its name safe.
//   - A rename is atomic: the new name shows the old file or the new one.
//   - A failed Sync says nothing about which bytes are safe, and trying again proves nothing
//     either: the kernel may have dropped the pages. Treat it as the end of the file.
//
// Names are paths of the operating system (path/filepath).
package disk

import (
	"errors"
	"io"
)

// ErrLocked is what FS.Lock returns (wrapped) when another holder has the lock.
var ErrLocked = errors.New("locked by another process")

// Mode says how FS.Open opens a file.
type Mode uint8

const (
	// Read opens an existing file for reading.
	Read Mode = iota
	// Write opens an existing file for reading and writing.
	Write
	// Create makes a new file for reading and writing; it is an error if the name exists.
	Create

	// Direct is or-ed to one of the above. It asks the system to move the bytes between the
	// caller's memory and the device without a copy in the page cache (O_DIRECT of Linux). Where
	// the system or the file system refuses that, the file is buffered as any other, without an
	// error; File.Direct tells. Either way the contract of File for direct files holds.
	Direct Mode = 1 << 7
)

// kind is the mode without its flags.
func (m Mode) kind() Mode { return m &^ Direct }

// FS is a file system. All methods may be called concurrently. Errors satisfy errors.Is with
// fs.ErrNotExist and fs.ErrExist where these are the reason.
type FS interface {
	// Open opens the file of that name. The name of a created file is safe after SyncDir.
	Open(name string, mode Mode) (File, error)
	// Rename gives a file another name in the same directory, replacing a file that has it.
	// Neither file may be open: some systems refuse that.
	Rename(from, to string) error
	// Remove deletes the file of that name, which must not be open.
	Remove(name string) error
	// List returns the names (without directory) in dir, sorted.
	List(dir string) ([]string, error)
	// SyncDir makes the names in dir safe: what was created, renamed and removed before.
	SyncDir(dir string) error
	// MkdirAll makes dir and the parents it lacks; on return their names are safe. It is no
	// error if dir exists.
	MkdirAll(dir string) error
	// Lock takes the lock that the file of that name stands for, making the file if needed. It
	// does not wait: while another holder has it, in this process or another, the error is
	// ErrLocked. The lock ends with Close of the result, or with the process.
	Lock(name string) (io.Closer, error)
	// Free returns how many bytes the file system of dir has free for this process. It is a
	// hint: others may take them, and metadata needs some. The error is errors.ErrUnsupported
	// on systems that cannot tell.
	Free(dir string) (bytes uint64, err error)
}

// File is an open file. ReadAt and WriteAt may be called concurrently; the caller keeps writes
// to the same bytes apart.
//
// A file opened with Direct refuses to read or write (ErrUnaligned) unless the offset, the length
// and the address of the buffer are multiples of BlockBytes, and to be truncated to another size;
// Aligned makes such buffers. It refuses that even where it is buffered, so that a mistake shows
// on every system. A direct file and a buffered one of the same name must not be used at the same
// time for the same bytes: the page cache and the device may differ for a moment.
type File interface {
	io.ReaderAt // a short read is io.EOF
	io.WriterAt // writing past the end extends the file; the gap reads as zeros
	io.Closer   // does not sync
	// Sync returns when the bytes and the size of the file are on stable storage.
	Sync() error
	// Truncate sets the size; it is safe after Sync.
	Truncate(size int64) error
	// Size returns the size now.
	Size() (int64, error)
	// Direct reports whether the file truly bypasses the page cache.
	Direct() bool
}

// Allocator is a File whose file system can keep room for it.
type Allocator interface {
	// Allocate makes the file size bytes long, of zeros, and has the file system keep room for all
	// of them, without writing them. The error is errors.ErrUnsupported (wrapped) where it cannot.
	Allocate(size int64) error
}
