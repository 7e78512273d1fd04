//go:build !unix

package amqp091

// canTry says that a socket can be read and written without waiting on this system.
const canTry = false

func (in *input) tryRead(uintptr) bool { return true }

func (o *output) tryWrite(uintptr) bool { return true }

func unsentBytes(int) int { return 0 }
