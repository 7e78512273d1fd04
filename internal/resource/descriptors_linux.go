package resource

import (
	"os"

	"golang.org/x/sys/unix"
)

// Descriptors returns how many file descriptors the process has open, and may have; 0: it is not
// known. It takes about a microsecond for each.
func Descriptors() (open, limit int) {
	var most unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &most) == nil {
		limit = int(min(most.Cur, descriptorsMost))
	}
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, limit
	}
	defer folder.Close()
	names, err := folder.Readdirnames(0)
	if err != nil {
		return 0, limit
	}
	return len(names) - 1, limit // one is that of the folder
}

// descriptorsMost is what a limit that is none is shown as.
const descriptorsMost = 1 << 30
