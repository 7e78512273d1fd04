//go:build unix

package protocol

import "golang.org/x/sys/unix"

// descriptorsMax is how many files and sockets the process may have open, 0 when that is not
// known. The runtime has raised it as far as the system allows.
func descriptorsMax() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur, ConnectionsMaxDefault+descriptorsKept))
}
