package warren

import (
	"runtime"
	"sync"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/resource"
	"github.com/warrenmq/warren/internal/wheel"
)

// Amount is a number of bytes, or a part of the memory that the process may use. The zero value
// stands for a default.
type Amount struct {
	Bytes    uint64
	Relative float64 // 1 is all of the memory; Bytes is 0 then
}

const (
	// memoryHighWatermark is the part of the memory above which publishers are blocked.
	memoryHighWatermark = 0.6
	// diskFreeLimit is how much of the disk has to be free, RabbitMQ's 50 MB.
	diskFreeLimit = 50_000_000
)

// of returns how much that is when all is the memory there is.
func (a Amount) of(all uint64) uint64 {
	if a.Bytes != 0 {
		return a.Bytes
	}
	return uint64(a.Relative * float64(all))
}

// MemoryMax returns the number of bytes of memory above which publishers are blocked.
func (o Options) MemoryMax() uint64 {
	return o.withDefaults().MemoryHighWatermark.of(o.memory().Bytes)
}

// memory is what relative amounts are a part of.
func (o *Options) memory() resource.Limit {
	if o.MemoryTotal > 0 {
		return resource.Limit{Bytes: o.MemoryTotal, Source: "configuration"}
	}
	return resource.MemoryLimit()
}

// monitorOptions say how the node watches memory and disk.
func (o *Options) monitorOptions(timers *wheel.Timers) broker.MonitorOptions {
	limit := o.memory()
	w := broker.MonitorOptions{
		MemoryMax: o.MemoryHighWatermark.of(limit.Bytes), MemoryUsed: resource.MemoryUsed,
		Collect:  runtime.GC,
		DiskMin:  o.DiskFreeLimit.of(limit.Bytes),
		DiskFree: func() (uint64, error) { return disk.OS().Free(o.DataDir) },
		Timers:   timers, Logger: o.Logger,
	}
	o.Logger.Info("limits", "memory_high_watermark", w.MemoryMax, "memory_limit", limit.Bytes,
		"memory_limit_source", limit.Source, "disk_free_limit", w.DiskMin)
	return w
}

// storeAlarm brings what the store says of its room to the manager, who is there later.
type storeAlarm struct {
	mu      sync.Mutex // held while the manager is told, so that it hears what came last
	manager *broker.Manager
	full    bool
}

// set is store.Options.Full.
func (a *storeAlarm) set(full bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.full = full
	if a.manager != nil {
		a.manager.SetAlarm(broker.StoreAlarm, full)
	}
}

func (a *storeAlarm) watchedBy(m *broker.Manager) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.manager = m
	m.SetAlarm(broker.StoreAlarm, a.full)
}
