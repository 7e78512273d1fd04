package broker

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/wheel"
)

// MonitorOptions say what a Monitor watches. All fields are required.
type MonitorOptions struct {
	// MemoryMax is the number of bytes above which the memory alarm is raised.
	MemoryMax uint64
	// MemoryUsed returns how much memory is in use. It may be behind until Collect is called.
	MemoryUsed func() uint64
	// Collect makes MemoryUsed exact: it collects garbage.
	Collect func()
	// DiskMin is the number of bytes below which the disk alarm is raised.
	DiskMin uint64
	// DiskFree returns how much of the disk is free.
	DiskFree func() (uint64, error)
	// Timers are those of the node; they are closed after the monitor.
	Timers *wheel.Timers
	// Logger takes a line when the disk cannot be asked.
	Logger *slog.Logger
}

const (
	// memoryInterval is the pause between looks at memory while somebody publishes. When nobody
	// does, nobody looks.
	memoryInterval = 250 * time.Millisecond
	// During a memory alarm nothing may allocate enough to bring about a collection of garbage,
	// so that looks do. They get rarer up to memoryIntervalMax as long as that frees nothing, and
	// take no more than one part in collectShare of the time.
	memoryIntervalMax = 4 * time.Second
	collectShare      = 20

	// The pause between looks at the disk is half the time in which diskFillRate bytes a second
	// would use up what is free above the limit.
	diskFillRate    = 500 << 20
	diskIntervalMin = 100 * time.Millisecond
	diskIntervalMax = 10 * time.Second
)

// Monitor raises and ends the memory alarm and the disk alarm of a manager. Close it when done.
type Monitor struct {
	m      *Manager
	o      MonitorOptions
	memory look
	disk   look
	// memoryMax and diskMin are those of o until somebody sets others.
	memoryMax, diskMin atomic.Uint64

	// Of the memory alarm that is on; they belong to the look at memory.
	pause time.Duration // before the next look
	used  uint64        // at the last look
	// failed: the disk could not be asked the last time. It belongs to the look at the disk.
	failed bool

	// mu guards what follows and the timers of the looks.
	mu      sync.Mutex
	closed  bool
	looking sync.WaitGroup
}

// look is something looked at again and again, each time on a goroutine of its own: it may wait
// for the disk.
type look struct {
	monitor *Monitor
	timer   wheel.Handle // 0: not set
	// once looks, and says when to do so again, 0 for when somebody publishes.
	once func() time.Duration
	busy sync.Mutex // one looks at a time
}

// Monitor looks at memory and disk before it returns, and from then on. There is one for a manager.
func (m *Manager) Monitor(o MonitorOptions) *Monitor {
	w := &Monitor{m: m, o: o}
	w.memoryMax.Store(o.MemoryMax)
	w.diskMin.Store(o.DiskMin)
	w.memory.monitor, w.memory.once = w, w.lookAtMemory
	w.disk.monitor, w.disk.once = w, w.lookAtDisk
	m.alarms.monitor.Store(w)
	for _, l := range []*look{&w.disk, &w.memory} {
		if next := l.once(); next > 0 {
			l.after(next)
		}
	}
	return w
}

// MemoryMax and DiskMin return the limits that hold now.
func (w *Monitor) MemoryMax() uint64 { return w.memoryMax.Load() }

// DiskMin is the other.
func (w *Monitor) DiskMin() uint64 { return w.diskMin.Load() }

// SetMemoryMax changes MonitorOptions.MemoryMax. The alarm is as it has to be on return.
func (w *Monitor) SetMemoryMax(most uint64) {
	w.memoryMax.Store(most)
	w.memory.now()
}

// SetDiskMin changes MonitorOptions.DiskMin. The alarm is as it has to be on return.
func (w *Monitor) SetDiskMin(least uint64) {
	w.diskMin.Store(least)
	w.disk.now()
}

// now looks at once, however long the pause was to be.
func (l *look) now() {
	w := l.monitor
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.o.Timers.Stop(l.timer)
	l.timer = 0
	w.looking.Add(1)
	w.mu.Unlock()
	defer w.looking.Done()
	l.look()
}

// look looks, one at a time, and sees to the next time.
func (l *look) look() {
	l.busy.Lock()
	next := l.once()
	l.busy.Unlock()
	if next > 0 {
		l.after(next)
	}
}

// Due begins to look.
func (l *look) Due() {
	w := l.monitor
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.timer = 0; w.closed {
		return
	}
	w.looking.Go(l.look)
}

// after looks again when d has passed.
func (l *look) after(d time.Duration) {
	w := l.monitor
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.timer == 0 && !w.closed {
		l.timer = w.o.Timers.AfterCoarse(d-wheel.Coarse, l)
	}
}

// lookAtMemory decides on the memory alarm. When it is not on, the next look waits until
// somebody publishes.
func (w *Monitor) lookAtMemory() time.Duration {
	collected := time.Duration(0)
	if w.m.Alarms()&MemoryAlarm != 0 {
		start := time.Now()
		w.o.Collect()
		collected = time.Since(start)
	}
	used := w.o.MemoryUsed()
	most := w.memoryMax.Load()
	w.m.SetAlarm(MemoryAlarm, used > most)
	if used <= most {
		w.pause, w.used = 0, 0
		w.m.alarms.on.Or(unwatched)
		return 0
	}
	w.pause = min(2*w.pause, memoryIntervalMax)
	if w.pause == 0 || used < w.used-w.used/100 {
		w.pause = memoryInterval
	}
	w.used = used
	return max(w.pause, collectShare*collected)
}

// lookAtDisk decides on the disk alarm.
func (w *Monitor) lookAtDisk() time.Duration {
	free, err := w.o.DiskFree()
	if err != nil {
		if !w.failed {
			w.o.Logger.Error("free disk space is not known", "error", err)
		}
		w.failed = true
		w.m.SetAlarm(DiskAlarm, false)
		return diskIntervalMax
	}
	w.failed = false
	least := w.diskMin.Load()
	w.m.SetAlarm(DiskAlarm, free < least)
	return diskInterval(free, least)
}

// diskInterval is how long the disk cannot get full.
func diskInterval(free, limit uint64) time.Duration {
	if free <= limit {
		return time.Second // it is full; the question is when there is room again
	}
	seconds := float64(free-limit) / diskFillRate / 2
	if seconds > diskIntervalMax.Seconds() {
		return diskIntervalMax
	}
	return max(diskIntervalMin, time.Duration(seconds*float64(time.Second)))
}

// Close ends the monitor; alarms stay as they are. It returns when nobody looks any more.
func (w *Monitor) Close() {
	w.mu.Lock()
	w.closed = true
	w.o.Timers.Stop(w.memory.timer)
	w.o.Timers.Stop(w.disk.timer)
	w.mu.Unlock()
	w.looking.Wait()
}
