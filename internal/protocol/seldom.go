package protocol

import (
	"context"
	"log/slog"
	"time"
)

// seldomPause is the time between two lines of a seldom.
const seldomPause = 10 * time.Second

// seldom logs a trouble that may come back many times a second: the first time at once, then
// with how many lines were left out. The zero value is ready; it belongs to one goroutine.
type seldom struct {
	next    time.Time
	leftOut int
}

func (s *seldom) log(to *slog.Logger, level slog.Level, message string, args ...any) {
	now := time.Now()
	if now.Before(s.next) {
		s.leftOut++
		return
	}
	if s.leftOut > 0 {
		args = append(args, "lines_left_out", s.leftOut)
	}
	to.Log(context.Background(), level, message, args...)
	s.next, s.leftOut = now.Add(seldomPause), 0
}
