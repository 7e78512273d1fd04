//go:build race

package store

// crashHistories is small: a history runs on one goroutine, in which there is no race to find, and
// the detector makes it ten times slower.
const (
	crashHistories = 1
	crashEach      = 3
)
