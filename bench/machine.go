package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes where the measurement ran.
type machine struct {
	processor, memory, system, load string
}

func thisMachine() machine {
	return machine{
		processor: procField("/proc/cpuinfo", "model name"),
		memory:    procField("/proc/meminfo", "MemTotal"),
		system:    strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		load:      loadAverage(),
	}
}

func (m machine) String() string {
	return fmt.Sprintf("%d × %s, %s, %s %s, %s, %s", runtime.NumCPU(), m.processor, m.memory,
		runtime.GOOS, m.system, runtime.GOARCH, runtime.Version())
}

// loadAverage is the kernel's, for 1, 5 and 15 minutes.
func loadAverage() string {
	fields := strings.Fields(read("/proc/loadavg"))
	if len(fields) < 3 {
		return unknown
	}
	return strings.Join(fields[:3], " ")
}

const unknown = "unknown"

// procField reads the first "name : value" of a file of /proc.
func procField(path, name string) string {
	for line := range strings.Lines(read(path)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}
