package disk

import (
	"errors"
	"syscall"
)

// IsFull reports whether the reason of an error is that the disk, or our quota of it, is full.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || isSystemFull(err)
}
