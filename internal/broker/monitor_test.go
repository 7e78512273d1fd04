package broker

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/wheel"
)

// machine is what a monitor watches in a test.
type machine struct {
	used, free       atomic.Uint64
	looks, collected atomic.Int64
	diskLooks        atomic.Int64
	broken           atomic.Bool
}

// watched runs f with a manager that is monitored, under a clock that moves when everybody waits:
// 1000 bytes of memory may be used and 1 GiB of disk must be free.
func watched(t *testing.T, f func(t *testing.T, m *Manager, on *machine)) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, disk.NewMemory())
		timers := wheel.NewTimers()
		defer timers.Close()
		on := &machine{}
		on.free.Store(1 << 40)
		monitor := h.Monitor(MonitorOptions{
			MemoryMax: 1000,
			MemoryUsed: func() uint64 {
				on.looks.Add(1)
				return on.used.Load()
			},
			Collect: func() { on.collected.Add(1) },
			DiskMin: 1 << 30,
			DiskFree: func() (uint64, error) {
				on.diskLooks.Add(1)
				if on.broken.Load() {
					return 0, errors.New("no such disk")
				}
				return on.free.Load(), nil
			},
			Timers: timers, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		defer monitor.Close()
		synctest.Wait()
		f(t, h.Manager, on)
	})
}

// pass lets time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestLimitsThatAreSetCountAtOnce(t *testing.T) {
	watched(t, func(t *testing.T, m *Manager, on *machine) {
		w := m.alarms.monitor.Load()
		on.used.Store(500)
		for _, c := range []struct {
			set  func(uint64)
			to   uint64
			want Alarm
		}{
			{w.SetMemoryMax, 400, MemoryAlarm},
			{w.SetMemoryMax, 600, 0},
			{w.SetDiskMin, 1 << 50, DiskAlarm},
			{w.SetDiskMin, 1 << 20, 0},
		} {
			c.set(c.to)
			pass(2 * wheel.Coarse)
			if got := m.Alarms(); got != c.want {
				t.Errorf("limit %d: alarms %v, want %v", c.to, got, c.want)
			}
		}
		if w.MemoryMax() != 600 || w.DiskMin() != 1<<20 {
			t.Errorf("the limits are %d and %d", w.MemoryMax(), w.DiskMin())
		}
	})
}

func TestMemoryIsWatchedWhileSomebodyPublishes(t *testing.T) {
	watched(t, func(t *testing.T, m *Manager, on *machine) {
		before := on.looks.Load()
		pass(time.Hour)
		if n := on.looks.Load() - before; n != 0 {
			t.Errorf("%d looks while nobody published", n)
		}
		on.used.Store(1001)
		const beats = 100
		for range beats {
			if m.Publishing() != 0 {
				break
			}
			pass(10 * time.Millisecond)
		}
		if m.Publishing() != MemoryAlarm {
			t.Fatal("no alarm after a second")
		}
	})
}

func TestTheMemoryAlarmEndsByItself(t *testing.T) {
	watched(t, func(t *testing.T, m *Manager, on *machine) {
		on.used.Store(5000)
		m.Publishing()
		pass(time.Second)
		if m.Alarms() != MemoryAlarm {
			t.Fatal("no alarm")
		}
		looks := on.looks.Load()
		pass(time.Hour)
		most := int64(time.Hour/memoryIntervalMax) * 11 / 10
		if n := on.looks.Load() - looks; n > most || on.collected.Load() < n {
			t.Errorf("%d looks in an hour without a change, %d collections", n, on.collected.Load())
		}
		on.used.Store(1000)
		pass(memoryIntervalMax + wheel.Coarse)
		if m.Alarms() != 0 {
			t.Error("the alarm is still on")
		}
	})
}

func TestTheDiskAlarmFollowsTheDisk(t *testing.T) {
	watched(t, func(t *testing.T, m *Manager, on *machine) {
		looks := on.diskLooks.Load()
		pass(time.Hour)
		if n := on.diskLooks.Load() - looks; n > int64(time.Hour/diskIntervalMax)*11/10 {
			t.Errorf("%d looks in an hour at a disk that is nearly empty", n)
		}
		for range 3 {
			on.free.Store(1<<30 - 1)
			pass(diskIntervalMax + wheel.Coarse)
			if m.Publishing() != DiskAlarm {
				t.Fatal("no alarm")
			}
			on.free.Store(1 << 30)
			pass(time.Second + wheel.Coarse)
			if m.Publishing() != 0 {
				t.Fatal("the alarm is still on")
			}
		}
		on.free.Store(0)
		pass(diskIntervalMax)
		on.broken.Store(true)
		pass(diskIntervalMax)
		if m.Alarms() != 0 {
			t.Error("an alarm about a disk that cannot be asked")
		}
	})
}

func TestTheDiskIsAskedBeforeItCanBeFull(t *testing.T) {
	for free, want := range map[uint64]time.Duration{
		0: time.Second, 1 << 30: time.Second, 1<<30 + 1: diskIntervalMin,
		1<<30 + diskFillRate: 500 * time.Millisecond, 1 << 40: diskIntervalMax,
	} {
		if got := diskInterval(free, 1<<30); got != want {
			t.Errorf("%d bytes free: look again after %v, want %v", free, got, want)
		}
	}
}
