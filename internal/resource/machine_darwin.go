package resource

import "golang.org/x/sys/unix"

// machineMemory returns how much memory the machine has, 0 when it does not tell.
func machineMemory() uint64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return n
}
