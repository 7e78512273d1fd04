//go:build linux || darwin || freebsd

package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

func freeBytes(dir string) (uint64, error) {
	var info unix.Statfs_t
	for {
		err := unix.Statfs(dir, &info)
		if err == nil {
			// Bavail is signed on some systems, and negative when only root has blocks left.
			return uint64(max(0, int64(info.Bavail))) * uint64(info.Bsize), nil
		}
		if err != unix.EINTR {
			return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
		}
	}
}
