package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// put publishes one message to one queue and returns its number.
func put(s *Store, q *Queue, message string) (uint64, LSN) {
	var n [1]uint64
	lsn := s.Publish([]*Queue{q}, n[:], []byte(message))
	return n[0], lsn
}

// one is the range of one number.
func one(n uint64) []Range { return []Range{{n, n}} }

// loadAll reads a whole queue, so many bytes at a time.
func loadAll(s *Store, q *Queue, maxBytes int) ([]Stored, error) {
	const to = 1 << 40
	var all []Stored
	for next := uint64(1); next <= to; {
		var err error
		if all, next, err = s.Load(q, next, to, maxBytes, all); err != nil {
			return all, err
		}
	}
	return all, nil
}

// texts are the messages of a queue, in short.
func texts(t testing.TB, s *Store, q *Queue) []string {
	t.Helper()
	all, err := loadAll(s, q, 1<<20)
	must(t, err)
	var out []string
	for _, m := range all {
		out = append(out, short(m.Message))
	}
	return out
}

func short(b []byte) string {
	if len(b) > 20 {
		return fmt.Sprintf("%s... %d", b[:10], len(b))
	}
	return string(b)
}

func wantTexts(t testing.TB, s *Store, q *Queue, want ...string) {
	t.Helper()
	if got := texts(t, s, q); !slices.Equal(got, want) {
		t.Errorf("queue %d: %q, want %q", q.ID(), got, want)
	}
}

// survivors opens a directory as the next process does, and returns what there is: a line for
// each definition and message, one for each queue in quarantine.
func survivors(options Options) (lines []string, err error) {
	s, err := Open(options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.RecoverDefinitions(func(r []byte) error {
		lines = append(lines, "definition "+short(r))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var queues []QueueID
	err = s.RecoverMessages(func(id QueueID, _ []Extent) error {
		queues = append(queues, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(slices.Values(queues)) {
		all, err := loadAll(s, s.OpenQueue(id), 1<<20)
		for _, m := range all {
			lines = append(lines, fmt.Sprintf("%d/%d %s", id, m.Number, short(m.Message)))
		}
		switch {
		case errors.Is(err, ErrDamaged):
			lines = append(lines, fmt.Sprintf("%d damaged", id))
		case err != nil:
			return nil, err
		}
	}
	for id := range s.Quarantined() {
		lines = append(lines, fmt.Sprintf("%d quarantined", id))
	}
	return lines, nil
}

// mustSurvive is survivors without an error.
func mustSurvive(t testing.TB, options Options) []string {
	t.Helper()
	lines, err := survivors(options)
	must(t, err)
	return lines
}

// content is what a file of the data directory holds.
func contentOf(t testing.TB, m disk.FS, name string) []byte {
	t.Helper()
	f, err := m.Open(filepath.Join(worldDir, name), disk.Read)
	must(t, err)
	defer f.Close() // read only
	size, err := f.Size()
	must(t, err)
	b := make([]byte, size)
	if size > 0 {
		_, err = f.ReadAt(b, 0)
		must(t, err)
	}
	return b
}

// change returns a copy of the file system with another content of one file.
func change(t testing.TB, m *disk.Memory, name string, edit func([]byte) []byte) *disk.Memory {
	t.Helper()
	b := edit(contentOf(t, m, name))
	m = m.Clone()
	f, err := m.Open(filepath.Join(worldDir, name), disk.Write)
	must(t, err)
	must(t, f.Truncate(0))
	_, err = f.WriteAt(b, 0)
	must(t, err)
	must(t, f.Close())
	return m
}

// without returns a copy of the file system that lacks a file.
func without(t testing.TB, m *disk.Memory, name string) *disk.Memory {
	t.Helper()
	m = m.Clone()
	must(t, m.Remove(filepath.Join(worldDir, name)))
	return m
}

// namesOf lists the files of one role.
func namesOf(t testing.TB, m disk.FS, r role) (names []string) {
	t.Helper()
	all, err := m.List(worldDir)
	must(t, err)
	for _, name := range all {
		if strings.HasPrefix(name, r.prefix()) {
			names = append(names, name)
		}
	}
	return names
}

// diskBytes is the size of everything in the data directory, and the number of files.
func diskBytes(t testing.TB, m disk.FS) (bytes int64, files int) {
	t.Helper()
	names, err := m.List(worldDir)
	must(t, err)
	for _, name := range names {
		f, err := m.Open(filepath.Join(worldDir, name), disk.Read)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since
		}
		must(t, err)
		size, err := f.Size()
		must(t, err)
		must(t, f.Close())
		bytes += size
		files++
	}
	return bytes, files
}

// settleKeeper wakes the keeper until it has nothing to do.
func (s *Store) settleKeeper() {
	for range 1 << 20 {
		chore := s.nextChore()
		s.mu.Lock()
		idle := chore == nil && !s.keeper.wanted && s.keeper.doing == "" || s.err != nil
		s.keeper.wanted = s.keeper.wanted || !idle
		s.chores.Signal()
		s.mu.Unlock()
		if idle {
			return
		}
		runtime.Gosched()
	}
}

// roleOf is the role of the file of that path; roles if it has none.
func roleOf(path string) role {
	if r, _, ok := parseFileName(filepath.Base(path)); ok {
		return r
	}
	return roles
}
