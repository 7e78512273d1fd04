//go:build !linux && !darwin && !freebsd && !windows

package disk

import (
	"errors"
	"os"
)

func freeBytes(dir string) (uint64, error) {
	return 0, &os.PathError{Op: "statfs", Path: dir, Err: errors.ErrUnsupported}
}
