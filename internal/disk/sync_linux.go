//go:build !nosync

package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData writes the bytes of f, and of its metadata only what is needed to read them back (the
// size), so that overwriting costs no commit of the file system's journal.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}
