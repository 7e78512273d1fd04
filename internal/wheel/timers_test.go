package wheel_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/wheel"
)

// inBubble runs f with timers under a clock that moves when everybody waits.
func inBubble(t *testing.T, f func(t *testing.T, timers *wheel.Timers)) {
	synctest.Test(t, func(t *testing.T) {
		timers := wheel.NewTimers()
		defer timers.Close()
		f(t, timers)
	})
}

// after sets a timer and returns the channel on which the time of its coming is told.
func after(set func(time.Duration, wheel.Task) wheel.Handle, d time.Duration) <-chan time.Time {
	came := make(chan time.Time, 1)
	set(d, wheel.TaskFunc(func() { came <- time.Now() }))
	return came
}

func TestTimersComeInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, timers *wheel.Timers) {
		for _, d := range []time.Duration{
			-time.Second, 0, time.Millisecond, 255 * time.Millisecond, 257 * time.Millisecond,
			time.Minute, 5 * time.Hour, 60 * 24 * time.Hour,
		} {
			start := time.Now()
			late := (<-after(timers.After, d)).Sub(start) - max(d, 0)
			if late < 0 || late > time.Millisecond {
				t.Errorf("a timer of %v came %v late", d, late)
			}
		}
	})
}

func TestCoarseTimersComeTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, timers *wheel.Timers) {
		start := time.Now()
		var came []<-chan time.Time
		for i := range 100 {
			came = append(came, after(timers.AfterCoarse,
				time.Minute+time.Duration(i)*time.Millisecond))
		}
		moments := make(map[time.Time]bool)
		for i, c := range came {
			at := <-c
			moments[at] = true
			late := at.Sub(start) - time.Minute - time.Duration(i)*time.Millisecond
			if late < 0 || late > wheel.Coarse+time.Millisecond {
				t.Errorf("a coarse timer came %v late", late)
			}
		}
		if len(moments) > 2 {
			t.Errorf("the timers came at %d moments", len(moments))
		}
	})
}

func TestAnEarlierTimerComesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, timers *wheel.Timers) {
		start := time.Now()
		hour := after(timers.After, time.Hour)
		<-after(timers.After, time.Second)
		if waited := time.Since(start); waited > time.Second+time.Millisecond {
			t.Errorf("the earlier timer came after %v", waited)
		}
		<-hour
	})
}

func TestStoppedTimerDoesNotCome(t *testing.T) {
	inBubble(t, func(t *testing.T, timers *wheel.Timers) {
		h := timers.After(time.Second, wheel.TaskFunc(func() { t.Error("it came") }))
		if !timers.Stop(h) {
			t.Error("the timer was not there")
		}
		<-after(timers.After, time.Minute)
		if timers.Stop(h) || timers.Len() != 0 {
			t.Errorf("stopped twice; %d timers are left", timers.Len())
		}
	})
}

// TestTaskMaySetTimers: that is how something happens again and again.
func TestTaskMaySetTimers(t *testing.T) {
	inBubble(t, func(t *testing.T, timers *wheel.Timers) {
		start := time.Now()
		done := make(chan struct{})
		var again wheel.TaskFunc
		count := 0
		again = func() {
			if count++; count == 100 {
				close(done)
				return
			}
			timers.After(time.Second, again)
		}
		timers.After(time.Second, again)
		<-done
		if waited := time.Since(start); waited < 100*time.Second || waited > 101*time.Second {
			t.Errorf("a hundred seconds took %v", waited)
		}
	})
}

// TestCloseWaitsForTasks: after Close nothing of the timers runs, and nothing can be set.
func TestCloseWaitsForTasks(t *testing.T) {
	timers := wheel.NewTimers()
	began, end := make(chan struct{}), make(chan struct{})
	var ended atomic.Bool
	timers.After(0, wheel.TaskFunc(func() {
		close(began)
		<-end
		ended.Store(true)
	}))
	<-began
	go close(end)
	timers.Close()
	if !ended.Load() {
		t.Error("Close did not wait")
	}
	if h := timers.After(0, wheel.TaskFunc(func() { t.Error("it came") })); h != 0 {
		t.Error("a timer was set after Close")
	}
}

func TestTimersDoNotAllocate(t *testing.T) {
	timers := wheel.NewTimers()
	defer timers.Close()
	task := wheel.TaskFunc(func() {})
	timers.After(time.Hour, task)
	allocs := testing.AllocsPerRun(1000, func() {
		timers.Stop(timers.AfterCoarse(time.Minute, task))
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkTimersAfterStop(b *testing.B) {
	timers := wheel.NewTimers()
	defer timers.Close()
	task := wheel.TaskFunc(func() {})
	timers.After(time.Millisecond, task)
	for b.Loop() {
		timers.Stop(timers.After(time.Minute, task))
	}
}
