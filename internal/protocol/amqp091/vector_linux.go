package amqp091

import "golang.org/x/sys/unix"

// writeVector writes several pieces at once, and says how many bytes were taken.
func writeVector(fd int, pieces [][]byte) (int, error) { return unix.Writev(fd, pieces) }

// readVector reads into one piece after the other.
func readVector(fd int, pieces [][]byte) (int, error) { return unix.Readv(fd, pieces) }
