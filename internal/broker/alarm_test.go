package broker

import (
	"slices"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/disk"
)

func TestAlarmsAreNamedAsRabbitMQDoes(t *testing.T) {
	for a, want := range map[Alarm]string{
		0: "", MemoryAlarm: "low on memory", DiskAlarm: "low on disk", StoreAlarm: "low on disk",
		DiskAlarm | StoreAlarm: "low on disk", MemoryAlarm | DiskAlarm: "low on disk & memory",
	} {
		if got := a.Reason(); got != want {
			t.Errorf("%b is %q, want %q", a, got, want)
		}
	}
}

func TestWatchersHearOfEachChange(t *testing.T) {
	m := open(t, disk.NewMemory())
	var heard []Alarm
	m.WatchAlarms(func(a Alarm) { heard = append(heard, a) })
	m.SetAlarm(MemoryAlarm, false) // is so already
	m.SetAlarm(MemoryAlarm, true)
	m.SetAlarm(MemoryAlarm, true)
	m.SetAlarm(StoreAlarm, true)
	m.SetAlarm(MemoryAlarm, false)
	m.SetAlarm(StoreAlarm, false)
	want := []Alarm{MemoryAlarm, MemoryAlarm | StoreAlarm, StoreAlarm, 0}
	if !slices.Equal(heard, want) || m.Alarms() != 0 {
		t.Errorf("heard %v, want %v; on: %v", heard, want, m.Alarms())
	}
}

func TestAHoldIsShownAndForgotten(t *testing.T) {
	var h Hold
	if f := h.Flow(time.Now()); f != (Flow{State: FlowRunning}) {
		t.Errorf("at first: %+v", f)
	}
	h.Begin(WaitLog)
	began := time.Now()
	if f := h.Flow(began.Add(time.Hour)); f.State != FlowHeld || f.Reason != "log" ||
		f.Since.After(began) {
		t.Errorf("while it waits: %+v", f)
	}
	h.End()
	if f := h.Flow(time.Now()); f.State != FlowHeld || f.Reason != "log" {
		t.Errorf("just after: %+v", f)
	}
	f := h.Flow(time.Now().Add(FlowRecent + time.Second))
	if f.State != FlowRunning || f.Reason != "" || f.Since.IsZero() {
		t.Errorf("later: %+v", f)
	}
}

func TestAQueueTellsWhatHoldsIt(t *testing.T) {
	q := open(t, disk.NewMemory()).guest().declare("q", false)
	if f := q.Flow(); f.State != FlowRunning {
		t.Errorf("at first: %+v", f)
	}
	q.SetFlow(FlowQuarantined, "damaged")
	if f := q.Flow(); f.State != FlowQuarantined || f.Reason != "damaged" || f.Since.IsZero() {
		t.Errorf("%+v", f)
	}
}
