package perf

import "time"

// Usage is what processes have used so far, and hold now.
type Usage struct {
	CPU      time.Duration // user and system time of all threads, ended ones included
	Resident uint64        // octets of memory now
	Peak     uint64        // the most octets so far, summed over processes
	Written  uint64        // octets that were to go to storage; 0 where that may not be read
}

// Meter measures processes of this machine from outside. It works on Linux; elsewhere its
// functions return errors.ErrUnsupported.
type Meter struct{ pids []int }
