// Package seldom bounds what events that may come many times a second say to the log.
//
// Floor 0. Doors use it for what clients bring about: a storm of them must neither fill a disk nor
// take the time of those who behave.
package seldom

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// linesMax is how many lines of one event are said in each pause.
	linesMax = 50
	// pause is how long that is.
	pause = 10 * time.Second
	// eventsMax is how many events are told apart; their names are constants of the program.
	eventsMax = 256
)

// Log says each event so often that it can be read, and with the first line after that how many
// were left out. The zero value is ready. It is safe for concurrent use.
type Log struct {
	mu     sync.Mutex
	events map[string]window
}

// window is the pause that an event is in.
type window struct {
	ends          time.Time
	said, leftOut int
}

// Say logs an event, whose name is always the same text, unless it was said too often. args are
// asked for only if it is.
func (l *Log) Say(to *slog.Logger, level slog.Level, event string, args func() []any) {
	ctx := context.Background()
	if !to.Enabled(ctx, level) {
		return
	}
	ok, leftOut := l.admit(event, time.Now())
	if !ok {
		return
	}
	list := args()
	if leftOut > 0 {
		list = append(list, "lines_left_out", leftOut)
	}
	to.Log(ctx, level, event, list...)
}

// admit reports whether an event is said, and how many were left out before it.
func (l *Log) admit(event string, now time.Time) (ok bool, leftOut int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, known := l.events[event]
	if !known && len(l.events) >= eventsMax {
		return true, 0
	}
	if !now.Before(w.ends) {
		w.ends, w.said = now.Add(pause), 0
	}
	if ok = w.said < linesMax; ok {
		leftOut, w.leftOut = w.leftOut, 0
		w.said++
	} else {
		w.leftOut++
	}
	if l.events == nil {
		l.events = make(map[string]window)
	}
	l.events[event] = w
	return ok, leftOut
}
