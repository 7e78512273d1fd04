package amqp091

import "golang.org/x/sys/unix"

// writeVector writes several pieces at once, and says how many bytes were taken.
func writeVector(fd int, pieces [][]byte) (int, error) { return unix.Writev(fd, pieces) }

// readVector reads into one piece after the other.
func readVector(fd int, pieces [][]byte) (int, error) { return unix.Readv(fd, pieces) }

// unsentBytes is how many bytes a socket holds that the other end has not acknowledged.
func unsentBytes(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}
