package cli

import (
	"errors"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

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

// errAmount is all that is said about an amount that cannot be read; the caller names it.
var errAmount = errors.New("not an amount")

// relative reads a part of the memory, such as 0.4.
func relative(value string) (warren.Amount, error) {
	part, err := strconv.ParseFloat(value, 64)
	if err != nil || !(part >= 0 && part <= relativeMax) {
		return warren.Amount{}, errAmount
	}
	if part == 0 {
		return warren.Amount{Bytes: 1}, nil // a zero amount is the default
	}
	return warren.Amount{Relative: part}, nil
}

// relativeMax is more memory than a limit is ever set to.
const relativeMax = 1000

// units are RabbitMQ's names of powers of 1024 and of 1000.
func units() map[string]uint64 {
	return map[string]uint64{
		"": 1, "b": 1,
		"k": 1 << 10, "kib": 1 << 10, "ki": 1 << 10, "kb": 1e3,
		"m": 1 << 20, "mib": 1 << 20, "mi": 1 << 20, "mb": 1e6,
		"g": 1 << 30, "gib": 1 << 30, "gi": 1 << 30, "gb": 1e9,
		"t": 1 << 40, "tib": 1 << 40, "ti": 1 << 40, "tb": 1e12,
		"p": 1 << 50, "pib": 1 << 50, "pi": 1 << 50, "pb": 1e15,
	}
}

// absolute reads a number of bytes with a unit, such as 50MB or 2GiB.
func absolute(value string) (warren.Amount, error) {
	end := strings.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(value)
	}
	n, err := strconv.ParseUint(value[:end], 10, 64)
	unit, known := units()[strings.ToLower(strings.TrimSpace(value[end:]))]
	if err != nil || !known || n > math.MaxInt64/unit {
		return warren.Amount{}, errAmount
	}
	return warren.Amount{Bytes: max(n*unit, 1)}, nil // a zero amount is the default
}
