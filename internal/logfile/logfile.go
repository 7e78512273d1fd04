// Package logfile writes a log to a file that is put aside when it is large or old, and keeps
// some of those.
//
// Floor 0, on the ground. The file that is written has always the same name; put aside, the newest
// is NAME.0, the one before it NAME.1, and so on:
//
//	file, err := logfile.Open(logfile.Options{Path: "warren.log", Size: 10 << 20, Count: 5})
//	logger := slog.New(slog.NewTextHandler(file, nil))
package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options say how a log is kept.
type Options struct {
	// Path is the file that is written. Its folder is made if missing.
	Path string
	// Size is how many bytes it may have; 0: any number. A line is never cut: what is written at
	// once is in one file, whatever its length.
	Size int64
	// Next returns when a file that began at a time is put aside; nil: never because of that.
	Next func(begin time.Time) time.Time
	// Count is how many older files are kept.
	Count int
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// File is a log. It is safe for concurrent use.
type File struct {
	o Options

	mu   sync.Mutex
	file *os.File // nil: closed
	size int64
	due  time.Time // when it is put aside; zero: never
}

// Open opens the log, and goes on with the file that is there. Only its owner reads it.
func Open(o Options) (*File, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &File{o: o}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o750); err != nil {
		return nil, fmt.Errorf("logfile: %w", err)
	}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// open takes the file that is there, or begins one.
func (f *File) open() error {
	begin := f.o.Now()
	if old, err := os.Stat(f.o.Path); err == nil && old.Size() > 0 {
		begin = old.ModTime()
	}
	file, err := os.OpenFile(f.o.Path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("logfile: %w", err)
	}
	f.file, f.size, f.due = file, 0, time.Time{}
	if info, err := file.Stat(); err == nil {
		f.size = info.Size()
	}
	if f.o.Next != nil {
		f.due = f.o.Next(begin)
	}
	return nil
}

// Write appends p, to a new file if its time has come.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return 0, fmt.Errorf("logfile: write %s: %w", f.o.Path, os.ErrClosed)
	}
	large := f.o.Size > 0 && f.size > 0 && f.size+int64(len(p)) > f.o.Size
	if large || !f.due.IsZero() && !f.o.Now().Before(f.due) {
		if err := f.putAside(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	return n, err
}

// putAside renames the file and begins a new one. What cannot be renamed is written on to: a log
// that grows is better than none.
func (f *File) putAside() error {
	if err := f.file.Close(); err != nil {
		return err
	}
	f.file = nil
	if f.o.Count == 0 {
		_ = os.Remove(f.o.Path)
	} else {
		for i := f.o.Count - 1; i > 0; i-- {
			_ = os.Rename(f.older(i-1), f.older(i))
		}
		_ = os.Rename(f.o.Path, f.older(0))
	}
	for i := f.o.Count; ; i++ { // left by a larger count
		if err := os.Remove(f.older(i)); err != nil {
			break
		}
	}
	if err := f.open(); err != nil {
		return err
	}
	if f.o.Next != nil {
		f.due = f.o.Next(f.o.Now())
	}
	return nil
}

func (f *File) older(i int) string { return fmt.Sprintf("%s.%d", f.o.Path, i) }

// Reopen opens the file by its name again: somebody else may have put it aside.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	old := f.file
	if err := f.open(); err != nil {
		f.file = old
		return err
	}
	return old.Close()
}

// Close ends the log; what is written later is an error.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
