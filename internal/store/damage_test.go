package store

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// closedStore is a directory with some log files and definitions, closed cleanly.
func closedStore(t *testing.T) *disk.Memory {
	t.Helper()
	m := newDisk(t)
	options := worldOptions(m)
	options.FileBytesMax = 350
	s := open(t, options)
	must(t, s.Define(nil, []byte("a")))
	must(t, s.Define(nil, []byte("b")))
	for _, text := range []string{"one", "two", "three"} {
		id := s.Publish([]QueueID{1, 2}, []byte(strings.Repeat(text, 50)))
		must(t, s.Wait(id))
		must(t, s.Wait(s.Settle(2, []LSN{id})))
	}
	must(t, s.Close())
	return m
}

// change returns a copy of the file system with another content of one file.
func change(t *testing.T, m *disk.Memory, name string, edit func([]byte) []byte) *disk.Memory {
	t.Helper()
	m = m.Clone()
	f, err := m.Open(filepath.Join(worldDir, name), disk.Write)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	b := make([]byte, size)
	_, err = f.ReadAt(b, 0)
	must(t, err)
	b = edit(b)
	must(t, f.Truncate(0))
	_, err = f.WriteAt(b, 0)
	must(t, err)
	must(t, f.Close())
	return m
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	m := closedStore(t)
	want := recoverAll(t, worldOptions(m))
	names, err := m.List(worldDir)
	must(t, err)
	flips := 0
	for _, name := range names {
		size := 1
		for i := 0; i < size; i++ {
			damaged := change(t, m, name, func(b []byte) []byte {
				size = len(b)
				b[i] ^= 1 << (i % 8)
				return b
			})
			flips++
			got, err := tryRecover(worldOptions(damaged))
			damage := (*DamageError)(nil)
			switch {
			case errors.As(err, &damage):
				if damage.File != filepath.Join(worldDir, name) || damage.Offset > int64(i) {
					t.Errorf("%s, byte %d: %v", name, i, err)
				}
			case err == nil && slices.Equal(got, want):
				// The empty group at the end of a clean close: with it goes only the proof.
			default:
				t.Errorf("%s, byte %d: recovered %v, error %v", name, i, got, err)
			}
		}
	}
	t.Logf("%d bits flipped in %v", flips, names)
}

func TestMissingPartsAreNamed(t *testing.T) {
	m := closedStore(t)
	one, two, three := logName(1), logName(2), logName(3)
	var whole []byte
	change(t, m, one, func(b []byte) []byte { whole = slices.Clone(b); return b })
	remove := func(name string) *disk.Memory {
		c := m.Clone()
		must(t, c.Remove(filepath.Join(worldDir, name)))
		return c
	}
	keep := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	for name, c := range map[string]struct {
		m    *disk.Memory
		want string
	}{
		"older file cut in a record": {
			change(t, m, one, func(b []byte) []byte { return b[:len(b)-3] }),
			one + " is damaged at offset "},
		"older file cut between two": {
			change(t, m, one, keep(headerBytes)), one + " is damaged at offset 64"},
		"header of the newest damaged": {
			change(t, m, three, func(b []byte) []byte { b[9]++; return b }),
			three + " is damaged at offset 0"},
		"header of the newest cut away": {change(t, m, three, keep(40)), ""},
		"header of an older cut away": {
			change(t, m, two, keep(40)), two + " is damaged at offset 0"},
		"file in the middle missing": {remove(two), two + " is missing"},
		"definitions missing":        {remove(definitionsName), definitionsName + " is missing"},
		"file under another number": {
			change(t, m, two, func([]byte) []byte { return whole }),
			two + " was written as file 1"},
	} {
		_, err := tryRecover(worldOptions(c.m))
		switch {
		case c.want == "" && err != nil, c.want != "" && err == nil,
			err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestFileOfAnotherDirectoryIsRefused(t *testing.T) {
	m, other := closedStore(t), closedStore(t)
	var theirs []byte
	change(t, other, logName(3), func(b []byte) []byte { theirs = b; return b })
	m = change(t, m, logName(3), func([]byte) []byte { return theirs })
	_, err := tryRecover(worldOptions(m))
	want := logName(3) + " belongs to another data directory"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

func TestNewerFormatIsRefusedWithAdvice(t *testing.T) {
	for _, name := range []string{logName(2), definitionsName} {
		m := change(t, closedStore(t), name, func(b []byte) []byte {
			b[8]++
			h, rest := b[:60:60], b[headerBytes:]
			return append(appendHeaderSum(h, 0), rest...)
		})
		_, err := tryRecover(worldOptions(m))
		if err == nil || !strings.Contains(err.Error(), name+": format version 2 is newer") {
			t.Errorf("error %v", err)
		}
	}
}

func TestDamageFoundWhileRunningIsFinal(t *testing.T) {
	m := newDisk(t)
	options := worldOptions(m)
	s := open(t, options)
	must(t, s.Wait(s.Publish([]QueueID{1}, []byte(strings.Repeat("old", 100)))))
	f, err := m.Open(filepath.Join(worldDir, logName(1)), disk.Write)
	must(t, err)
	_, err = f.WriteAt([]byte("XXX"), 200)
	must(t, err)
	must(t, f.Close())
	for s.Err() == nil { // until the oldest file is copied forward
		if id := s.Publish([]QueueID{2}, make([]byte, 1000)); id != 0 {
			_ = s.Wait(s.Settle(2, []LSN{id})) // the error is what we wait for
		}
	}
	damage := (*DamageError)(nil)
	if err := s.Err(); !errors.As(err, &damage) || filepath.Base(damage.File) != logName(1) {
		t.Errorf("error %v", err)
	}
}
