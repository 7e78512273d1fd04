package seldom

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAStormIsNotAllSaid(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	var l Log
	l.events = map[string]window{ // a pause that lasts as long as the test
		"storm": {ends: time.Now().Add(time.Hour)},
	}
	say := func(level slog.Level, event string) {
		l.Say(logger, level, event, func() []any { return []any{"n", 1} })
	}
	for range 3 * linesMax {
		say(slog.LevelInfo, "storm")
		say(slog.LevelDebug, "not wanted")
	}
	say(slog.LevelWarn, "other")
	if n := strings.Count(out.String(), "\n"); n != linesMax+1 {
		t.Errorf("%d lines, want %d", n, linesMax+1)
	}
	l.events["storm"] = window{said: linesMax, leftOut: l.events["storm"].leftOut} // it is over
	out.Reset()
	say(slog.LevelInfo, "storm")
	if !strings.Contains(out.String(), "lines_left_out=100") {
		t.Errorf("got %s", out.String())
	}
	if len(l.events) != 2 {
		t.Errorf("events %v", l.events)
	}
}

func TestEventsAreBounded(t *testing.T) {
	var l Log
	for i := range 2 * eventsMax {
		if ok, _ := l.admit(strings.Repeat("x", i), time.Time{}); !ok {
			t.Fatal("the first line of an event is left out")
		}
	}
	if len(l.events) != eventsMax {
		t.Errorf("%d events", len(l.events))
	}
}
