package store

import (
	"context"
	"errors"
	"io"
	"testing"
)

func TestOneCutAtATime(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	c, err := s.Cut(t.Context())
	must(t, err)
	if _, err := s.Cut(t.Context()); !errors.Is(err, ErrCutting) {
		t.Errorf("a second cut: %v", err)
	}
	c.Close()
	c.Close()
	second, err := s.Cut(t.Context())
	must(t, err)
	if _, err := io.ReadAll(c.Files()[0]); !errors.Is(err, ErrClosed) {
		t.Errorf("read of a cut that was closed: %v", err)
	}
	must(t, s.Close())
	if _, err := io.ReadAll(second.Files()[0]); !errors.Is(err, ErrClosed) {
		t.Errorf("read of a cut of a store that was closed: %v", err)
	}
	second.Close()
	if _, err := s.Cut(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a cut of a store that was closed: %v", err)
	}
}

func TestACutIsNotWaitedForAfterItsContext(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.definitions.token <- struct{}{} // the keeper cannot make it
	if _, err := s.Cut(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the cut: %v", err)
	}
	<-s.definitions.token
	c, err := s.Cut(t.Context())
	must(t, err)
	c.Close()
}

// TestAJournalIsNotRewrittenUnderACut: it grows instead, and only until it has been read.
func TestAJournalIsNotRewrittenUnderACut(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	define := func() {
		for range 20 {
			must(t, s.Define(func(emit func([]byte)) { emit(make([]byte, 10)) }, make([]byte, 100)))
		}
	}
	define()
	c, err := s.Cut(t.Context())
	must(t, err)
	defer c.Close()
	f := c.Files()[0]
	if f.Name != definitionsName {
		t.Fatalf("%s is first", f.Name)
	}
	before := s.definitions.count
	define()
	if s.definitions.count != before {
		t.Error("it was rewritten before it was read")
	}
	b, err := io.ReadAll(f)
	must(t, err)
	if int64(len(b)) != f.Size {
		t.Errorf("%d bytes were read of %d", len(b), f.Size)
	}
	define()
	if s.definitions.count == before {
		t.Error("it was not rewritten after it was read")
	}
}

func TestACutIsGivenUpWhenTheDiskIsFullAndItKeepsAFile(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	q := s.OpenQueue(1)
	_, lsn := put(s, q, "one")
	must(t, s.Wait(lsn))
	c, err := s.Cut(t.Context())
	must(t, err)
	defer c.Close()
	full := func(full bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.keeper.full = full
	}
	b := make([]byte, 1)
	full(true)
	if _, err := c.Files()[0].Read(b); err != nil {
		t.Errorf("a cut that keeps nothing from being removed: %v", err)
	}
	s.mu.Lock()
	c.outgoing = []*file{{number: 1000, missing: true}}
	s.mu.Unlock()
	if _, err := c.Files()[0].Read(b); !errors.Is(err, ErrCutGivenUp) {
		t.Errorf("the read: %v", err)
	}
	full(false)
	s.mu.Lock()
	c.outgoing = nil
	s.mu.Unlock()
}
