package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes where the measurement ran.
type machine struct {
	Processor  string `json:"processor"`
	Memory     string `json:"memory"`
	System     string `json:"system"`
	FileSystem string `json:"file_system"`  // of the data directories
	Load       string `json:"load_average"` // at the start
}

func thisMachine(work string) machine {
	return machine{
		Processor:  procField("/proc/cpuinfo", "model name"),
		Memory:     procField("/proc/meminfo", "MemTotal"),
		System:     strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		Load:       loadAverage(),
		FileSystem: fileSystem(work),
	}
}

func (m machine) String() string {
	return fmt.Sprintf("%d × %s, %s, %s %s, %s, %s; data directories on %s", runtime.NumCPU(),
		m.Processor, m.Memory, runtime.GOOS, m.System, runtime.GOARCH, runtime.Version(),
		m.FileSystem)
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
