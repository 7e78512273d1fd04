package store

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	// FileBytesDefault is the default of Options.FileBytesMax.
	FileBytesDefault = 64 << 20
	// FileBytesLimit is the largest Options.FileBytesMax.
	FileBytesLimit = 1 << 30
	// LogFilesDefault is the default of Options.LogFilesMax.
	LogFilesDefault = 4
	// BufferBytesDefault is the default of Options.BufferBytesMax.
	BufferBytesDefault = 8 << 20
	// BufferBytesLimit is the largest Options.BufferBytesMax.
	BufferBytesLimit = 1 << 30

	// compactBytesDefault is the size below which a journal is not rewritten.
	compactBytesDefault = 1 << 20
	// moveBytesDefault is how much one reading of a file collects to be moved.
	moveBytesDefault = 8 << 20
	// fileShare: log files are at most one part in so many of the free space of a small disk.
	fileShare = 16
	// fileBytesMin: but not smaller than this.
	fileBytesMin = 1 << 20
)

// Options configures a Store. The zero value of a field means its default.
type Options struct {
	// Dir is the data directory. It is made if it does not exist. Required.
	Dir string
	// FS is the file system; default disk.OS().
	FS disk.FS
	// FileBytesMax is the size at which a new log file begins; a file may be larger by what one
	// write added. Larger files mean fewer messages moved to segments, and a longer start after
	// a crash. Default FileBytesDefault, or a part of the free space if that is little.
	FileBytesMax int64
	// LogFilesMax is how many log files there may be before the oldest is checkpointed. Default
	// LogFilesDefault.
	LogFilesMax int
	// BufferBytesMax is how much may wait for the disk, while as much again is being written.
	// When it is full, Publish waits: too small limits throughput, too large lets a slow disk
	// hide in memory. A larger message is taken when nothing else waits. Default
	// BufferBytesDefault, at most BufferBytesLimit.
	BufferBytesMax int
	// ReserveBytesMin is the least that is set aside for when the disk is full, as soon as there
	// is a message: what waits for the disk by then has to find room, or the settlements behind it
	// never do. Default: half of FileBytesMax, up to reserveBytes.
	ReserveBytesMin int64
	// Full is called with true when the disk has no room for another log file, and with false
	// when it has again: publishers should be held back meanwhile, because when the room that
	// was set aside is used up too, every call waits. It must not call the store. Optional.
	Full func(full bool)
	// Logger gets what an operator should know; default: nobody.
	Logger *slog.Logger

	// For tests; their defaults are compactBytesDefault and moveBytesDefault.
	compactBytesMin int64
	firstBytes      int64 // see nextLength
	moveBytesMax    int64
	// without leaves out one of the measures that make a crash harmless, to see that the tests
	// would notice.
	without measure
	// idle is called instead of waiting for another goroutine, when a test does their turns.
	idle func()
}

// measure is something that protects against crashes and damage and that tests can leave out. The
// syncs of files and directories are left out at the file system.
type measure uint8

const (
	nothing       measure = iota
	checksums             // records are not checked
	generations           // checksums do not depend on the file's number
	chains                // it is not checked that groups follow each other
	lengths               // it is not checked that a group is complete
	syncBeforeAck         // waiters are told before the sync
	orderOfEdits          // the manifest does not wait for the log
	goneSets              // the manifest is not told what was settled in segments
	emptiedSync           // files are let go of before their last settlement is synced
	readerPins            // files are let go of while they are read
	oneGroup              // a commit takes several groups
)

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = disk.OS()
	}
	if o.LogFilesMax == 0 {
		o.LogFilesMax = LogFilesDefault
	}
	if o.BufferBytesMax == 0 {
		o.BufferBytesMax = BufferBytesDefault
	}
	if o.Full == nil {
		o.Full = func(bool) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.compactBytesMin == 0 {
		o.compactBytesMin = compactBytesDefault
	}
	if o.moveBytesMax == 0 {
		o.moveBytesMax = moveBytesDefault
	}
	return o
}

// fileBytes is the size of log files on this disk.
func (o *Options) fileBytes() (int64, error) {
	if o.FileBytesMax != 0 {
		return blockAfter(o.FileBytesMax), nil
	}
	free, err := o.FS.Free(o.Dir)
	if err != nil {
		return 0, fmt.Errorf("store: free space of data directory: %w", err)
	}
	share := int64(min(free/fileShare, FileBytesDefault))
	return max(share/disk.BlockBytes*disk.BlockBytes, fileBytesMin), nil
}

// Validate returns an error that names the first field with an impossible value.
func (o Options) Validate() error {
	switch {
	case o.Dir == "":
		return errors.New("store: no data directory is set")
	case o.FileBytesMax < 0 || o.FileBytesMax > FileBytesLimit:
		return fmt.Errorf("store: FileBytesMax is %d, the limit is %d",
			o.FileBytesMax, FileBytesLimit)
	case o.LogFilesMax < 0:
		return fmt.Errorf("store: LogFilesMax is %d", o.LogFilesMax)
	case o.BufferBytesMax < 0 || o.BufferBytesMax > BufferBytesLimit:
		return fmt.Errorf("store: BufferBytesMax is %d, the limit is %d",
			o.BufferBytesMax, BufferBytesLimit)
	}
	return nil
}
