package broker

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Alarm is a set of sources that say that the node runs out of something. While one is on,
// connections that publish are blocked; those that only consume go on, which is what helps.
type Alarm uint32

// The sources of alarms.
const (
	// MemoryAlarm: more memory is used than the high watermark allows.
	MemoryAlarm Alarm = 1 << iota
	// DiskAlarm: less of the disk is free than the limit says.
	DiskAlarm
	// StoreAlarm: the store finds no room for new files. Clients are told that it is the disk.
	StoreAlarm
)

// Resources names what the node is low on, in RabbitMQ's words and order.
func (a Alarm) Resources() []string {
	var names []string
	if a&(DiskAlarm|StoreAlarm) != 0 {
		names = append(names, "disk")
	}
	if a&MemoryAlarm != 0 {
		names = append(names, "memory")
	}
	return names
}

// Reason is what blocked clients are told, as RabbitMQ says it: "low on disk & memory".
func (a Alarm) Reason() string {
	if a == 0 {
		return ""
	}
	return "low on " + strings.Join(a.Resources(), " & ")
}

// unwatched is no alarm: nobody looks at memory until somebody publishes.
const unwatched = 1 << 31

// alarms are the alarms of a manager.
type alarms struct {
	// on is an Alarm, and unwatched: all that a message in comes to ask for, in one word.
	on      atomic.Uint32
	monitor atomic.Pointer[Monitor] // nil: nobody looks at all

	// mu is held while those who watch are told, so that they hear of changes in order.
	mu      sync.Mutex
	watches []func(Alarm)
}

// Alarms returns the sources that raise an alarm now.
func (m *Manager) Alarms() Alarm { return Alarm(m.alarms.on.Load() &^ unwatched) }

// Publishing is asked by doors at each message that begins to come in. It returns the alarms
// that are on, in which case the door blocks the connection. Mostly it costs a load.
func (m *Manager) Publishing() Alarm {
	on := m.alarms.on.Load()
	if on&unwatched != 0 {
		if m.alarms.on.And(^uint32(unwatched))&unwatched != 0 {
			m.alarms.monitor.Load().memory.after(memoryInterval)
		}
	}
	return Alarm(on &^ unwatched)
}

// SetAlarm raises or ends the alarm of a source. It returns when all who watch have been told;
// they must be told with nothing locked. What is so already changes nothing.
func (m *Manager) SetAlarm(source Alarm, on bool) {
	a := &m.alarms
	a.mu.Lock()
	defer a.mu.Unlock()
	before := m.Alarms()
	after := before | source
	if !on {
		after = before &^ source
	}
	if after == before {
		return
	}
	switch {
	case on:
		a.on.Or(uint32(source))
		m.log.Warn("alarm: connections that publish are blocked", "reason", after.Reason())
	case after == 0:
		a.on.And(^uint32(source))
		m.log.Info("alarm ended: connections may publish again", "reason", before.Reason())
	default:
		a.on.And(^uint32(source))
	}
	for _, tell := range a.watches {
		tell(after)
	}
}

// WatchAlarms calls tell after every change, with the alarms that are on from now on, one
// change after the other. tell must not set alarms.
func (m *Manager) WatchAlarms(tell func(Alarm)) {
	m.alarms.mu.Lock()
	defer m.alarms.mu.Unlock()
	m.alarms.watches = append(m.alarms.watches, tell)
}
