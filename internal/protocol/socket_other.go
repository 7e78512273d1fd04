//go:build !unix

package protocol

// descriptorsMax is how many files and sockets the process may have open, 0 when that is not
// known.
func descriptorsMax() int { return 0 }
