package wheel

import (
	"math"
	"sync"
	"time"
)

// Task is what a timer does when it is due.
type Task interface {
	// Due is called once for each time the task was set and not stopped. It is called on the
	// goroutine of the timers, which every other task waits for: it must not wait for anything
	// but short locks. It may set and stop timers.
	Due()
}

// TaskFunc makes a task of a function.
type TaskFunc func()

// Due calls f.
func (f TaskFunc) Due() { f() }

// Coarse is how much later than asked a timer set by AfterCoarse may be due.
const Coarse = slots * time.Millisecond

// never is the tick at which nothing wakes the timers.
const never = Tick(math.MaxUint64)

// Timers are the timers of a node, all behind one timer of the runtime. While none is due, nothing
// runs. They are safe for concurrent use. Close them when done.
type Timers struct {
	start time.Time // of tick 0

	mu      sync.Mutex
	wheel   Wheel[Task]
	timer   *time.Timer
	wake    Tick // when the runtime's timer comes
	running bool // tasks are under way; who runs them sets the timer
	due     []Task
	closed  bool
	stopped sync.Cond // running became false
}

// NewTimers returns timers of which none is set.
func NewTimers() *Timers {
	t := &Timers{start: time.Now(), wake: never}
	t.stopped.L = &t.mu
	return t
}

// Now returns the tick that has begun: milliseconds since NewTimers.
func (t *Timers) Now() Tick { return Tick(time.Since(t.start) / time.Millisecond) }

// deadline is the first tick at which d has passed.
func (t *Timers) deadline(d time.Duration) Tick {
	at := time.Since(t.start)
	if at += max(d, 0); at < 0 {
		at = math.MaxInt64 // in three hundred years
	}
	return Tick(at/time.Millisecond) + 1
}

// After sets a timer for task, due when d has passed, to the millisecond.
func (t *Timers) After(d time.Duration, task Task) Handle {
	return t.set(t.deadline(d), task)
}

// AfterCoarse is After for a task that may be up to Coarse late: many of them are due together,
// and wake the processor once.
func (t *Timers) AfterCoarse(d time.Duration, task Task) Handle {
	return t.set((t.deadline(d)+slots-1)&^(slots-1), task)
}

// set adds a timer. On timers that are closed it does nothing.
func (t *Timers) set(at Tick, task Task) Handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0
	}
	h := t.wheel.Add(at, task)
	if at < t.wake && !t.running {
		t.arm()
	}
	return h
}

// Stop takes a timer away. It reports whether it was there: false means that its task has run,
// runs at this moment, or will in the next.
func (t *Timers) Stop(h Handle) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wheel.Cancel(h)
}

// Len returns how many timers are set.
func (t *Timers) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wheel.Len()
}

// arm sets the runtime's timer to what comes first; mu is held.
func (t *Timers) arm() {
	next, ok := t.wheel.Next()
	if !ok {
		t.wake = never
		return
	}
	t.wake = next
	wait := t.start.Add(time.Duration(next) * time.Millisecond)
	if t.timer == nil {
		t.timer = time.AfterFunc(time.Until(wait), t.run)
		return
	}
	t.timer.Reset(time.Until(wait))
}

// run does what is due.
func (t *Timers) run() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.running {
		return
	}
	t.running = true
	for {
		t.due = t.wheel.Advance(t.Now(), t.due[:0])
		if len(t.due) == 0 || t.closed {
			break
		}
		t.mu.Unlock()
		for i, task := range t.due {
			task.Due()
			t.due[i] = nil
		}
		t.mu.Lock()
	}
	t.running = false
	t.stopped.Broadcast()
	if !t.closed {
		t.arm()
	}
}

// Close stops all timers and returns when no task is under way. It must not be called by a task.
func (t *Timers) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	for t.running {
		t.stopped.Wait()
	}
	t.wheel = Wheel[Task]{}
}
