//go:build !race

package store

// crashHistories is the number of histories of one test run.
const (
	crashHistories = 7
	crashEach      = 5
)
