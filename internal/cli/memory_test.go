package cli

import (
	"math"
	"testing"
)

func TestTheCollectorsLimitFollowsTheWatermark(t *testing.T) {
	for watermark, want := range map[uint64]int64{
		0: collectAboveMin, 1 << 30: 5 << 28, math.MaxUint64: 1 << 62,
	} {
		if got := collectorLimit(watermark); got != want {
			t.Errorf("%d: %d, want %d", watermark, got, want)
		}
	}
}
