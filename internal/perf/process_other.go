//go:build !linux

package perf

import (
	"errors"
	"fmt"
	"time"
)

// NewMeter needs Linux.
func NewMeter([]int) (*Meter, error) {
	return nil, fmt.Errorf("perf: measure processes: %w", errors.ErrUnsupported)
}

// Read needs Linux.
func (m *Meter) Read() (Usage, error) { return Usage{}, errors.ErrUnsupported }

// OwnCPU needs Linux.
func OwnCPU() (time.Duration, error) { return 0, errors.ErrUnsupported }
