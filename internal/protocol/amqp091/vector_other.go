//go:build unix && !linux

package amqp091

import "golang.org/x/sys/unix"

// writeVector writes the first of several pieces, and says how many bytes were taken.
func writeVector(fd int, pieces [][]byte) (int, error) { return unix.Write(fd, pieces[0]) }

// readVector reads into the first of several pieces.
func readVector(fd int, pieces [][]byte) (int, error) { return unix.Read(fd, pieces[0]) }

// unsentBytes is how many bytes a socket holds that the other end has not acknowledged; this
// system does not say.
func unsentBytes(int) int { return 0 }
