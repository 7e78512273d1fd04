package cli

import (
	"os"
	"runtime/debug"

	"github.com/warrenmq/warren"
)

const (
	// gcPercent trades memory for processor time: the live heap of a broker is small against what
	// passes through it.
	gcPercent = 200
	// collectAbove is the part of the memory high watermark from which the garbage collector
	// works as hard as it has to: what is alive is known before publishers have filled the
	// memory. With the default watermark it is three quarters of all.
	collectAbove = 1.25
	// collectAboveMin keeps a tiny watermark from making the collector work all the time.
	collectAboveMin = 128 << 20
)

// steerCollector sets what the environment does not.
func steerCollector(o warren.Options) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(collectorLimit(o.MemoryMax()))
	}
}

// collectorLimit is the soft memory limit that goes with a high watermark.
func collectorLimit(memoryMax uint64) int64 {
	limit := max(collectAbove*float64(memoryMax), collectAboveMin)
	return int64(min(limit, 1<<62))
}
