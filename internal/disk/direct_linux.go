package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// setDirect asks for O_DIRECT and reports whether f has it now. The flag is set on the open file:
// in the call of open, a file system that refuses it leaves a created file behind.
func setDirect(f *os.File) bool {
	fd := f.Fd()
	var info unix.Statx_t
	err := unix.Statx(int(fd), "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &info)
	if err == nil && info.Mask&unix.STATX_DIOALIGN != 0 {
		// Known since Linux 6.1. An alignment of 0: the file system does not do it for this file.
		for _, align := range []uint32{info.Dio_mem_align, info.Dio_offset_align} {
			if align == 0 || BlockBytes%align != 0 {
				return false
			}
		}
	}
	flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
	if err != nil {
		return false
	}
	_, err = unix.FcntlInt(fd, unix.F_SETFL, flags|unix.O_DIRECT)
	return err == nil
}
