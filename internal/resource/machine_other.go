//go:build !linux && !darwin && !windows

package resource

// machineMemory returns how much memory the machine has: this one does not tell.
func machineMemory() uint64 { return 0 }
