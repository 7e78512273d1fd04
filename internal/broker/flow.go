package broker

import (
	"sync/atomic"
	"time"
)

// FlowState says whether something goes on, in RabbitMQ's words.
type FlowState string

// The states of connections and queues.
const (
	// FlowRunning: nothing holds it.
	FlowRunning FlowState = "running"
	// FlowHeld: it waits for something that will pass, or did a moment ago (see FlowRecent).
	FlowHeld FlowState = "flow"
	// FlowBlocking: a connection that an alarm will block as soon as it publishes.
	FlowBlocking FlowState = "blocking"
	// FlowBlocked: a connection that is not read because of an alarm.
	FlowBlocked FlowState = "blocked"
	// FlowIdle: a queue that nobody has used for a while; its memory was given back.
	FlowIdle FlowState = "idle"
	// FlowQuarantined: a queue whose messages on disk are damaged; it takes and gives none.
	FlowQuarantined FlowState = "quarantined"
)

// FlowRecent is how long a hold that has ended is still shown: short ones would never be seen.
const FlowRecent = 5 * time.Second

// Flow is a moment of something that may be held.
type Flow struct {
	State FlowState
	// Reason says what it waits for; empty when it is running.
	Reason string
	// Since is when it began to be so; zero if it always was.
	Since time.Time
}

// Wait is what a connection may wait for.
type Wait uint32

// What there is to wait for. The reasons are those that are shown.
const (
	noWait Wait = iota
	// WaitLog: the buffer of the log is full.
	WaitLog
	// WaitQueue: a queue is slower than those who publish to it.
	WaitQueue
	// WaitClient: the client leaves the answers to what it asked unread.
	WaitClient
)

// String returns the reason as it is shown.
func (w Wait) String() string {
	switch w {
	case WaitLog:
		return "log"
	case WaitQueue:
		return "queue"
	case WaitClient:
		return "client"
	}
	return ""
}

// Holder is told what a goroutine waits for: it calls Begin before a wait and End after, which do
// not wait themselves. When it waits for the log, its batch has run.
type Holder interface {
	Begin(w Wait)
	End()
}

// Hold is a Holder that tells others what the goroutine waits for; anybody may look.
// The zero value waits for nothing.
type Hold struct {
	wait  atomic.Uint32
	last  atomic.Uint32 // what was waited for last
	since atomic.Int64  // when that began, in nanoseconds since 1970
	ended atomic.Int64  // when it ended
}

// Begin says that a wait begins.
func (h *Hold) Begin(w Wait) {
	h.since.Store(time.Now().UnixNano())
	h.last.Store(uint32(w))
	h.wait.Store(uint32(w))
}

// End says that the wait is over.
func (h *Hold) End() {
	h.ended.Store(time.Now().UnixNano())
	h.wait.Store(uint32(noWait))
}

// Flow returns what is shown of the hold at now. What happens at this moment may be mixed with
// what was before.
func (h *Hold) Flow(now time.Time) Flow {
	last := Wait(h.last.Load())
	if last == noWait {
		return Flow{State: FlowRunning}
	}
	if Wait(h.wait.Load()) == noWait {
		ended := time.Unix(0, h.ended.Load())
		if now.Sub(ended) > FlowRecent {
			return Flow{State: FlowRunning, Since: ended}
		}
	}
	return Flow{State: FlowHeld, Reason: last.String(), Since: time.Unix(0, h.since.Load())}
}

// Flow returns what holds the queue: what SetFlow was told last.
func (q *Queue) Flow() Flow {
	if f := q.flow.Load(); f != nil {
		return *f
	}
	return Flow{State: FlowRunning}
}

// SetFlow says that from now on the queue is in a state, and why. It may be called with the
// queue locked.
func (q *Queue) SetFlow(state FlowState, reason string) {
	q.flow.Store(&Flow{State: state, Reason: reason, Since: time.Now()})
}
