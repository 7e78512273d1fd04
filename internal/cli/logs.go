package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/config"
	"github.com/warrenmq/warren/internal/logfile"
)

// logs are where a node writes what happens: the console, a file, both or neither.
type logs struct {
	logger        *slog.Logger
	console, file slog.LevelVar // the least levels; they may change
	out           *logfile.File // nil: there is no file
}

// openLogs begins to log. Close them when done.
func openLogs(s *config.Settings, stdout, stderr io.Writer) (*logs, error) {
	l := &logs{}
	l.apply(s)
	var handlers tee
	if s.Log.Console.On {
		w := stderr
		if s.Log.Console.Stdout {
			w = stdout
		}
		handlers = append(handlers, newHandler(w, s.Log.Console.JSON, &l.console))
	}
	if s.Log.File.On {
		var err error
		if l.out, err = logfile.Open(fileOptions(s)); err != nil {
			return nil, err
		}
		handlers = append(handlers, newHandler(l.out, s.Log.File.JSON, &l.file))
	}
	l.logger = slog.New(handlers)
	return l, nil
}

// fileOptions are those of the file of a log.
func fileOptions(s *config.Settings) logfile.Options {
	o := logfile.Options{
		Path: s.Log.Path, Size: s.Log.Rotation.Size, Count: s.Log.Rotation.Count,
	}
	if !filepath.IsAbs(o.Path) {
		dir := s.Log.Dir
		if dir == "" {
			dir = filepath.Join(s.Options.DataDir, "log")
		}
		o.Path = filepath.Join(dir, o.Path)
	}
	if date := s.Log.Rotation.Date; date != (config.Date{}) {
		o.Next = func(begin time.Time) time.Time { return date.After(begin) }
	}
	return o
}

// logPlaces are where lines go to, in RabbitMQ's words where it is no file.
func logPlaces(s *config.Settings) (places []string) {
	if s.Log.File.On {
		places = absolute([]string{fileOptions(s).Path})
	}
	switch {
	case s.Log.Console.On && s.Log.Console.Stdout:
		places = append(places, "<stdout>")
	case s.Log.Console.On:
		places = append(places, "<stderr>")
	}
	return places
}

// absolute returns the paths as they are found from everywhere.
func absolute(paths []string) []string {
	list := make([]string, len(paths))
	for i, path := range paths {
		list[i] = path
		if abs, err := filepath.Abs(path); err == nil {
			list[i] = abs
		}
	}
	return list
}

// apply sets the levels.
func (l *logs) apply(s *config.Settings) {
	l.console.Set(s.Log.Console.Level)
	l.file.Set(s.Log.File.Level)
}

// setLevel sets one level for all places, until the configuration is read again.
func (l *logs) setLevel(name string) error {
	level, err := config.ParseLevel(name)
	if err == nil {
		l.console.Set(level)
		l.file.Set(level)
	}
	return err
}

// reopen has the file found by its name: a program that rotates logs may have renamed it.
func (l *logs) reopen() error {
	if l.out == nil {
		return nil
	}
	return l.out.Reopen()
}

// Close ends the log on the file.
func (l *logs) Close() error {
	if l.out == nil {
		return nil
	}
	return l.out.Close()
}

// newHandler writes lines to w, and never what an attribute's name says is a secret.
func newHandler(w io.Writer, json bool, level slog.Leveler) slog.Handler {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: hideSecret}
	if json {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

func hideSecret(_ []string, a slog.Attr) slog.Attr {
	switch strings.ToLower(a.Key) {
	case "password", "passphrase", "secret", "token", "authorization", "cookie":
		a.Value = slog.StringValue("********")
	}
	return a
}

// tee hands each line to all its handlers that want it.
type tee []slog.Handler

// Enabled reports whether one of them wants such lines.
func (t tee) Enabled(ctx context.Context, level slog.Level) bool {
	for _, h := range t {
		if h.Enabled(ctx, level) {
			return true
		}
	}
	return false
}

// Handle writes a line everywhere.
func (t tee) Handle(ctx context.Context, r slog.Record) error {
	var errs []error
	for _, h := range t {
		if h.Enabled(ctx, r.Level) {
			errs = append(errs, h.Handle(ctx, r.Clone()))
		}
	}
	return errors.Join(errs...)
}

// WithAttrs is as of each of them.
func (t tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := make(tee, len(t))
	for i, h := range t {
		with[i] = h.WithAttrs(attrs)
	}
	return with
}

// WithGroup is as of each of them.
func (t tee) WithGroup(name string) slog.Handler {
	with := make(tee, len(t))
	for i, h := range t {
		with[i] = h.WithGroup(name)
	}
	return with
}
