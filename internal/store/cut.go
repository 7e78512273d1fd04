package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

// ErrCutting is the error of a Cut while there is another.
var ErrCutting = errors.New("store: a backup is being made already")

// ErrCutGivenUp is the error of reading a Cut whose files are needed for their room.
var ErrCutGivenUp = errors.New("store: the disk is full, and what the backup keeps is in the way")

// FormatVersion is the version of the files of a data directory, see docs/internals/log.md.
const FormatVersion = formatVersion

// Cut is the data directory as it was at one moment: what was on stable storage then, and nothing
// that came later. Its files can be read while the store goes on; Close it soon.
//
// It keeps no copy. The log is only appended to and segments do not change, so the files of that
// moment, up to the length of that moment, are it. Until Close none of them is used again or
// removed; one that the store does not need any more is out of the manifest, and is left over if
// the process ends before. Journals are not rewritten until they have been read to their end. So a
// Cut takes no memory, and on disk at most what the files of that moment take.
type Cut struct {
	store    *Store
	made     chan struct{} // closed when files are known, or err
	err      error
	files    []*CutFile
	pinned   []*file
	outgoing []*file // that the store needs no more
	ready    bool
}

// CutFile is a file of a Cut. It is an io.Reader of the bytes that belong to it. It holds nothing
// open between two calls.
type CutFile struct {
	// Name is that in the data directory, Size is in bytes.
	Name string
	Size int64

	cut     *Cut
	journal *journal // or nil
	at      int64
}

// Cut returns the data directory as it is on stable storage now: what was confirmed before the call
// is in it, unless its settlement is too. It waits for what the keeper is doing, and nobody waits
// for it: publishers go on. The error is ErrCutting while there is another, ErrClosed, or that of
// ctx.
func (s *Store) Cut(ctx context.Context) (*Cut, error) {
	c := &Cut{store: s, made: make(chan struct{})}
	s.mu.Lock()
	switch {
	case s.err != nil:
		defer s.mu.Unlock()
		return nil, s.err
	case s.phase != started:
		s.mu.Unlock()
		return nil, ErrClosed
	case s.keeper.cut != nil:
		s.mu.Unlock()
		return nil, ErrCutting
	}
	s.keeper.cut, s.keeper.wanted = c, true
	s.chores.Signal()
	alone := s.alone
	s.mu.Unlock()
	if alone {
		s.makeCut(c)
	}
	var err error
	select {
	case <-c.made:
		err = c.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.failed:
		err = s.Err()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// makeCut is a chore, so that the manifest on the disk and the lists of files say the same. It
// takes the tokens of the journals: nothing is being written to them, and what is published by the
// definitions that they have is in the log or comes later.
func (s *Store) makeCut(c *Cut) {
	s.definitions.token <- struct{}{}
	defer func() { <-s.definitions.token }()
	s.manifest.token <- struct{}{}
	defer func() { <-s.manifest.token }()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper.cut != c { // nobody waits for it any more
		return
	}
	c.addJournal(s.definitions)
	if !s.manifest.fresh {
		c.addJournal(s.manifest)
	}
	for _, x := range s.files.sorted() {
		switch {
		case x.segment && x.lost != "":
			c.add(x, x.readable)
		case x.segment:
			c.add(x, x.size)
		case x.synced > dataStart && slices.Contains(s.files.logs, x):
			c.add(x, blockAfter(x.synced))
		}
	}
	c.ready = true
	close(c.made)
}

func (c *Cut) addJournal(j *journal) {
	j.held.Store(true)
	c.files = append(c.files, &CutFile{Name: j.name, Size: j.bytes(), cut: c, journal: j})
}

// add pins a file; the store's mu is held.
func (c *Cut) add(x *file, size int64) {
	if x.missing {
		return // the manifest says so
	}
	x.cut = c
	c.pinned = append(c.pinned, x)
	c.files = append(c.files, &CutFile{Name: fileName(x.role, x.number), Size: size, cut: c})
}

// Files are those of the cut, in the order in which they should be read: journals first.
func (c *Cut) Files() []*CutFile { return c.files }

// Read reads on in the file. The error is io.EOF at its end, ErrClosed when the store is being
// closed, and ErrCutGivenUp when the disk is full and the store needs the room of files that only
// the cut keeps.
func (f *CutFile) Read(p []byte) (int, error) {
	if f.at == f.Size {
		if f.journal != nil {
			f.journal.held.Store(false)
		}
		return 0, io.EOF
	}
	s := f.cut.store
	if err := s.beginRead(f.cut); err != nil {
		return 0, err
	}
	defer s.running.Done()
	n := int(min(int64(len(p)), f.Size-f.at))
	handle, err := s.options.FS.Open(s.path(f.Name), disk.Read)
	if err != nil {
		return 0, fmt.Errorf("store: open %s: %w", f.Name, err)
	}
	defer handle.Close() // read only: nothing to lose
	switch n, err = handle.ReadAt(p[:n], f.at); {
	case n > 0:
		f.at += int64(n)
		return n, nil
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("store: %s ends at offset %d of %d", f.Name, f.at, f.Size)
	case err != nil:
		err = fmt.Errorf("store: read %s: %w", f.Name, err)
	}
	return 0, err
}

// beginRead has Close wait until running is told that the read is done.
func (s *Store) beginRead(c *Cut) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.phase != started || s.keeper.cut != c:
		return ErrClosed
	case s.keeper.full && len(c.outgoing) > 0:
		return ErrCutGivenUp
	}
	s.running.Add(1) // the goroutines are in it: it is not 0
	return nil
}

// Close gives the files back. The cut cannot be read any more. It may be called again.
func (c *Cut) Close() {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper.cut != c {
		return
	}
	s.keeper.cut = nil
	for _, x := range c.pinned {
		x.cut = nil
	}
	for _, f := range c.files {
		if f.journal != nil {
			f.journal.held.Store(false)
		}
	}
	s.keeper.outgoing = append(s.keeper.outgoing, c.outgoing...)
	s.keeper.wanted = true
	s.chores.Signal()
}

// endCut tells who waits for a cut that there will be none.
func (s *Store) endCut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.keeper.cut; c != nil && !c.ready {
		c.err, c.ready = ErrClosed, true
		close(c.made)
	}
}

// letOutgoingGo is a chore: it lets go of a file that a cut has kept.
func (s *Store) letOutgoingGo() error {
	s.doing("after a cut")
	s.mu.Lock()
	x := s.keeper.outgoing[0]
	s.keeper.outgoing = slices.Delete(s.keeper.outgoing, 0, 1)
	s.mu.Unlock()
	return s.letGo(x)
}
