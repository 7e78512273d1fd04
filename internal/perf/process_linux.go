package perf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// NewMeter returns a meter of some processes and of those that descend from them now.
func NewMeter(pids []int) (*Meter, error) {
	children, err := childrenOf()
	if err != nil {
		return nil, err
	}
	m := &Meter{}
	seen := make(map[int]bool)
	for todo := append([]int(nil), pids...); len(todo) > 0; todo = todo[1:] {
		if pid := todo[0]; !seen[pid] {
			seen[pid] = true
			m.pids = append(m.pids, pid)
			todo = append(todo, children[pid]...)
		}
	}
	for _, pid := range pids {
		if _, err := cpuTime(pid); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// childrenOf maps each process of the machine to its children.
func childrenOf() (map[int][]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		// pid (name) state ppid ...: the name may hold anything, even parentheses.
		end := bytes.LastIndexByte(stat, ')')
		fields := bytes.Fields(stat[max(end, 0):])
		if len(fields) < 3 {
			continue
		}
		parent, _ := strconv.Atoi(string(fields[2]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		children[parent] = append(children[parent], pid)
	}
	return children, nil
}

// Read measures now. A process that has ended counts nothing: its time is lost with it.
func (m *Meter) Read() (Usage, error) {
	var u Usage
	for _, pid := range m.pids {
		cpu, err := cpuTime(pid)
		if err != nil {
			if pid == m.pids[0] {
				return Usage{}, err
			}
			continue
		}
		u.CPU += cpu
		resident, peak, err := memory(pid)
		if err != nil {
			return Usage{}, err
		}
		u.Resident += resident
		u.Peak += peak
		u.Written += written(pid)
	}
	return u, nil
}

// OwnCPU returns the CPU time that this process has used.
func OwnCPU() (time.Duration, error) { return clockTime(unix.CLOCK_PROCESS_CPUTIME_ID) }

// cpuTime reads the CPU clock of a process: in nanoseconds where /proc/PID/stat has hundredths
// of a second, and with the threads that have ended, which /proc/PID/task has not.
func cpuTime(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED; clock_getcpuclockid(3) computes the same
	d, err := clockTime(int32(^pid<<3 | sched))
	if err != nil {
		return 0, fmt.Errorf("perf: read the CPU time of process %d: %w", pid, err)
	}
	return d, nil
}

func clockTime(id int32) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// memory reads VmRSS and VmHWM of a process.
func memory(pid int) (resident, peak uint64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("perf: read the memory of process %d: %w", pid, err)
	}
	return statusField(status, "VmRSS:"), statusField(status, "VmHWM:"), nil
}

// written reads write_bytes of a process: what it caused to be sent to the storage layer, by
// direct writes or by making pages of the cache dirty. Sockets and pipes are not in it. The
// kernel shows it to the owner of the process only.
func written(pid int) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0
	}
	_, line, _ := bytes.Cut(text, []byte("\nwrite_bytes: "))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	n, _ := strconv.ParseUint(string(line), 10, 64)
	return n
}

// statusField reads a line of the form "VmRSS:   1234 kB".
func statusField(status []byte, name string) uint64 {
	_, line, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return 0
	}
	line, _, _ = bytes.Cut(line, []byte("kB"))
	kib, _ := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 64)
	return kib << 10
}
