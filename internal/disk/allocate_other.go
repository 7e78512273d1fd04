//go:build !linux

package disk

import (
	"errors"
	"os"
)

// Allocate implements Allocator.
func (f osFile) Allocate(int64) error {
	return &os.PathError{Op: "allocate", Path: f.Name(), Err: errors.ErrUnsupported}
}
