package disk

import (
	"errors"
	"unsafe"
)

// BlockBytes is the unit of direct files, and what the crash model takes as a block of the page
// cache. Devices of 512-byte and of 4 KiB sectors both accept it.
const BlockBytes = 4096

// ErrUnaligned is returned (wrapped) by a direct file for an offset, a length, a size or an
// address that is not a multiple of BlockBytes.
var ErrUnaligned = errors.New("not aligned to blocks of 4096 bytes")

// Aligned returns a zeroed buffer of at least n bytes for direct files: its address, length and
// capacity are multiples of BlockBytes. It does not grow (append would move it to another
// address): make a larger one and copy. Any part of it that begins and ends at a multiple of
// BlockBytes is aligned as well.
func Aligned(n int) []byte {
	n = (n + BlockBytes - 1) / BlockBytes * BlockBytes
	if b := make([]byte, n); isAligned(b) { // true of what the allocator takes whole pages for
		return b
	}
	b := make([]byte, n+BlockBytes-1)
	start := -int(addressOf(b)) & (BlockBytes - 1)
	return b[start : start+n : start+n]
}

// isAligned reports whether b may be a buffer of a direct file.
func isAligned(b []byte) bool {
	return len(b)%BlockBytes == 0 && (len(b) == 0 || addressOf(b)%BlockBytes == 0)
}

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// checkAligned is the contract of direct files.
func checkAligned(op, name string, b []byte, offset int64) error {
	if offset%BlockBytes != 0 || !isAligned(b) {
		return pathError(op, name, ErrUnaligned)
	}
	return nil
}
