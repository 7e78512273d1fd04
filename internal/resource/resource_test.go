package resource

import (
	"math"
	"runtime"
	"testing"
	"testing/fstest"
)

func TestTheLeastLimitOfControlGroupsHolds(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		fs   fstest.MapFS
		want uint64
	}{
		"no proc": {nil, math.MaxUint64},
		"version 2": {fstest.MapFS{
			"proc/self/cgroup":               file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max":   file("300\n"),
			"sys/fs/cgroup/a/memory.max":     file("200\n"),
			"sys/fs/cgroup/other/memory.max": file("1\n"),
		}, 200},
		"version 2, no limit": {fstest.MapFS{
			"proc/self/cgroup":           file("0::/a\n"),
			"sys/fs/cgroup/a/memory.max": file("max\n"),
		}, math.MaxUint64},
		"version 2 in a container": {fstest.MapFS{
			"proc/self/cgroup":         file("0::/docker/1234\n"),
			"sys/fs/cgroup/memory.max": file("500\n"),
		}, 500},
		"version 1": {fstest.MapFS{
			"proc/self/cgroup": file("9:name=systemd:/\n5:hugetlb,memory:/a\n0::/\n"),
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": file("700\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   file("9223372036854771712\n"),
		}, 700},
		"nonsense": {fstest.MapFS{
			"proc/self/cgroup":           file("0::\nx\n0::/../../etc\n"),
			"sys/fs/cgroup/memory.max":   file("-1\n"),
			"sys/fs/cgroup/x/memory.max": file("5\n"),
		}, math.MaxUint64},
	} {
		if got := cgroupLimit(c.fs); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestTheLeastLimitHolds(t *testing.T) {
	const none = math.MaxUint64
	for _, c := range []struct {
		goLimit, cgroup, machine uint64
		want                     Limit
	}{
		{none, none, 8, Limit{8, "machine"}},
		{none, 4, 8, Limit{4, "cgroup"}},
		{2, 4, 8, Limit{2, "GOMEMLIMIT"}},
		{none, 9, 8, Limit{8, "machine"}},
		{none, none, 0, Limit{unknownMemory, "machine"}},
	} {
		if got := least(c.goLimit, c.cgroup, c.machine); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func TestThisMachineHasMemory(t *testing.T) {
	if l := MemoryLimit(); l.Bytes < 1<<26 {
		t.Errorf("%+v", l)
	}
}

// TestMemoryUsedFollowsWhatIsAlive: it grows with what is kept, and falls when that is dropped.
func TestMemoryUsedFollowsWhatIsAlive(t *testing.T) {
	const size = 64 << 20
	runtime.GC()
	before := MemoryUsed()
	kept := make([]byte, size)
	runtime.GC()
	with := MemoryUsed()
	runtime.KeepAlive(kept)
	if with < before+size || with > before+size+size/2 {
		t.Errorf("%d bytes before, %d with %d more", before, with, size)
	}
	runtime.GC()
	if after := MemoryUsed(); after > before+size/2 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
}
