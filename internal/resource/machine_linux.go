package resource

import "golang.org/x/sys/unix"

// machineMemory returns how much memory the machine has, 0 when it does not tell.
func machineMemory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}
