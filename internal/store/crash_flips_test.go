package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	// flipTail: half of the flips are in so many bytes at the end of what was written.
	flipTail = 6 << 10
	// flipWay marks a branch that is a flipped bit.
	flipWay = 1000
)

// flip changes single bits of the disk after a clean end. Each must be found, or be of no concern.
func (w *world) flip() error {
	n := w.flips
	if w.depth() > 0 && w.place.sample.IntN(8) > 0 && w.place.repeat == nil {
		n = 0
	}
	for way := range n {
		b := branch{w.place.boundary, flipWay + way}
		if !w.follows(b) {
			continue
		}
		f := w.fork(b)
		f.mem = w.mem.Crash(f.random.Uint64())
		what, err := f.flipBit()
		if err == nil && what != "" {
			w.mu.Lock()
			w.bits++
			w.mu.Unlock()
			err = f.startDamaged()
		}
		if err != nil {
			return fmt.Errorf("flip %s of %s: %w", f.place.pathName(), what, err)
		}
	}
	return nil
}

// flipBit changes a bit of a byte that is not zero, and says which.
func (w *world) flipBit() (string, error) {
	names, err := w.mem.List(worldDir)
	if err != nil {
		return "", err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == lockName })
	name := filepath.Join(worldDir, names[w.random.IntN(len(names))])
	content, err := bytesOf(w.mem, name)
	if err != nil {
		return "", err
	}
	end := len(bytes.TrimRight(content, "\x00"))
	if end == 0 {
		return "", nil
	}
	from := 0
	if w.chance(2) {
		from = max(0, end-flipTail)
	}
	at := from + w.random.IntN(end-from)
	for content[at] == 0 { // zeros are mostly padding
		at++
	}
	bit := int64(at)*8 + w.random.Int64N(8)
	return fmt.Sprintf("%s, bit %d", filepath.Base(name), bit), w.mem.FlipBit(name, bit)
}

func bytesOf(fsys disk.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name, disk.Read)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(file, 0, size))
}

// startDamaged opens the store on a damaged disk. Either it refuses, saying so, or every queue that
// is not complete is named or says so when it is loaded, and no message is other than it was.
func (w *world) startDamaged() error {
	options := worldOptions(w.mem)
	options.without, options.idle = w.without, w.idle
	s, err := Open(options)
	if errors.Is(err, ErrDamaged) {
		return nil
	}
	if err != nil {
		return err
	}
	w.store = s
	w.confirmed = len(w.defined)
	err = w.checkDefinitions()
	if err == nil {
		err = w.checkDamaged(s)
	}
	return errors.Join(err, s.Close())
}

func (w *world) checkDamaged(s *Store) error {
	want, damaged := w.now(), s.Quarantined()
	got := make(state)
	err := s.RecoverMessages(func(id QueueID, extents []Extent) error {
		q := s.OpenQueue(id)
		messages, _, err := s.Load(q, 1, extents[len(extents)-1].Last, 1<<30, nil)
		if errors.Is(err, ErrDamaged) {
			damaged[id] = err.Error()
		} else if err != nil {
			return err
		}
		for _, m := range messages {
			sum := sumOf(m.Message)
			if !w.published[sum] {
				return fmt.Errorf("queue %d has at %d what nobody published", id, m.Number)
			}
			got[at{id, m.Number}] = sum
		}
		return nil
	})
	if err != nil || damaged[AllQueues] != "" {
		return err
	}
	for _, st := range []state{want, got} {
		for k := range st {
			if damaged[k.queue] == "" && want[k] != got[k] {
				return fmt.Errorf("queue %d is damaged at %d and does not say so",
					k.queue, k.number)
			}
		}
	}
	return nil
}
