// Package resource tells how much memory the process may use, and how much it uses.
//
// Floor 0, on nothing. What is done about it is decided above: package broker raises alarms,
// the command line sets the limit of the garbage collector.
package resource

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// Limit is how much memory the process may use.
type Limit struct {
	Bytes uint64
	// Source is where that was found: "GOMEMLIMIT", "cgroup" or "machine".
	Source string
}

// MemoryLimit returns the least of GOMEMLIMIT, the limit of the process's control group and
// the memory of the machine. When none can be found it is that of a small machine.
func MemoryLimit() Limit {
	goLimit := uint64(math.MaxUint64)
	if os.Getenv("GOMEMLIMIT") != "" {
		goLimit = uint64(debug.SetMemoryLimit(-1)) // a negative number changes nothing
	}
	return least(goLimit, cgroupLimit(os.DirFS("/")), machineMemory())
}

// unknownMemory is taken for the memory of a machine that does not tell.
const unknownMemory = 1 << 30

func least(goLimit, cgroup, machine uint64) Limit {
	if machine == 0 {
		machine = unknownMemory
	}
	l := Limit{machine, "machine"}
	if cgroup < l.Bytes {
		l = Limit{cgroup, "cgroup"}
	}
	if goLimit < l.Bytes {
		l = Limit{goLimit, "GOMEMLIMIT"}
	}
	return l
}

// cgroupLimit returns the memory limit of the control groups that the process is in, of both
// versions, MaxUint64 when there is none.
func cgroupLimit(root fs.FS) uint64 {
	limit := uint64(math.MaxUint64)
	b, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return limit
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(fields) < 3 {
			continue
		}
		switch {
		case fields[0] == "0" && fields[1] == "":
			limit = min(limit, lineage(root, "sys/fs/cgroup", fields[2], "memory.max"))
		case strings.Contains(","+fields[1]+",", ",memory,"):
			limit = min(limit,
				lineage(root, "sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

// lineage returns the least limit of a group and those it is in. In a container the path may be
// that of the host, which is not there: then that of the root holds.
func lineage(root fs.FS, mount, group, file string) uint64 {
	limit := uint64(math.MaxUint64)
	for group = path.Join("/", group); ; group = path.Dir(group) {
		b, err := fs.ReadFile(root, path.Join(mount, group, file))
		if err == nil {
			n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
			if err == nil { // else it is "max"
				limit = min(limit, n)
			}
		}
		if group == "/" {
			return limit
		}
	}
}

// MemoryUsed returns how much memory the process needs: what the last garbage collection found
// alive, and what the runtime itself takes. What has become garbage since, or was free then, is
// not in it. It takes a microsecond.
func MemoryUsed() uint64 {
	samples := [...]metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/memory/classes/metadata/mspan/inuse:bytes"},
		{Name: "/memory/classes/metadata/other:bytes"},
		{Name: "/memory/classes/other:bytes"},
	}
	metrics.Read(samples[:])
	used := uint64(0)
	for i := range samples {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			used += samples[i].Value.Uint64()
		}
	}
	return used
}
