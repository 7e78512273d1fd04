package config

import (
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
		if got := mustLoad(t, line).Settings().Options.MemoryHighWatermark; got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
		diskLine := strings.Replace(line, "vm_memory_high_watermark", "disk_free_limit", 1)
		if got := mustLoad(t, diskLine).Settings().Options.DiskFreeLimit; got != want {
			t.Errorf("%s: %+v, want %+v", diskLine, got, want)
		}
	}
}

func TestAmountsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "x", "-1", "NaN", "Inf", "1e300", "1e9999", "99999999999999999999", "5 apples",
		"9223372036854775807k", "GB",
	} {
		for _, key := range []string{"relative", "absolute"} {
			if c, err := load(t, "disk_free_limit."+key+" = "+text); err == nil {
				t.Errorf("%s %q: taken as %+v", key, text, c.Settings().Options.DiskFreeLimit)
			}
		}
	}
}
