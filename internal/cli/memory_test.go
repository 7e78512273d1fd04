package cli

import (
	"math"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
)

func TestAmountsAreReadAsRabbitMQDoes(t *testing.T) {
	for line, want := range map[string]warren.Amount{
		"vm_memory_high_watermark.relative = 0.4":   {Relative: 0.4},
		"vm_memory_high_watermark.relative = 0":     {Bytes: 1},
		"vm_memory_high_watermark.absolute = 0":     {Bytes: 1},
		"vm_memory_high_watermark.absolute = 2GB":   {Bytes: 2e9},
		"vm_memory_high_watermark.absolute = 2GiB":  {Bytes: 2 << 30},
		"vm_memory_high_watermark.absolute = 2g":    {Bytes: 2 << 30},
		"vm_memory_high_watermark.absolute = 1024":  {Bytes: 1024},
		"vm_memory_high_watermark.absolute = 50 kB": {Bytes: 50_000},
	} {
		c, err := parseConfig("test", strings.NewReader(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := c.options(warren.Options{}).MemoryHighWatermark; got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
		diskLine := strings.Replace(line, "vm_memory_high_watermark", "disk_free_limit", 1)
		c, err = parseConfig("test", strings.NewReader(diskLine))
		if err != nil || c.options(warren.Options{}).DiskFreeLimit != want {
			t.Errorf("%s: %+v, %v", diskLine, c, err)
		}
	}
}

func TestAmountsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, value := range []string{
		"", "x", "-1", "NaN", "Inf", "1e300", "1e9999", "99999999999999999999", "5 apples",
		"9223372036854775807k", "GB",
	} {
		for _, key := range []string{"relative", "absolute"} {
			line := "disk_free_limit." + key + " = " + value
			if c, err := parseConfig("test", strings.NewReader(line)); err == nil {
				t.Errorf("%s: taken as %+v", line, c.disk)
			}
		}
	}
}

func TestTheCollectorsLimitFollowsTheWatermark(t *testing.T) {
	for watermark, want := range map[uint64]int64{
		0: collectAboveMin, 1 << 30: 5 << 28, math.MaxUint64: 1 << 62,
	} {
		if got := collectorLimit(watermark); got != want {
			t.Errorf("%d: %d, want %d", watermark, got, want)
		}
	}
}
