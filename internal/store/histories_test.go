//go:build !race

package store

// crashHistories is the number of histories of one test run.
const (
	crashHistories = 6
	crashEach      = 12
)
