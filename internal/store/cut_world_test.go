package store

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	// cutEvery: a step in so many is one of a cut.
	cutEvery = 8
	// cutPiece is the most that such a step reads.
	cutPiece = 24 << 10
	// cutHistories are made.
	cutHistories = 8
)

// copying is a cut being read, and what has to be in it.
type copying struct {
	*Cut
	copy        map[string][]byte
	next        int // file
	messages    state
	definitions map[byte]byte
}

// cutOn makes a cut, or reads on in the one there is; what has been read is opened.
func (w *world) cutOn() {
	if w.depth() > 0 || w.broken != "" {
		return
	}
	if w.cut == nil {
		w.cutNow()
		return
	}
	if w.chance(20) {
		w.endCut()
		return
	}
	for left := w.random.IntN(cutPiece); left > 0; {
		if w.cut.next == len(w.cut.Files()) {
			w.openCopy()
			w.endCut()
			return
		}
		f := w.cut.Files()[w.cut.next]
		p := make([]byte, 1+w.random.IntN(left))
		n, err := f.Read(p)
		w.cut.copy[f.Name] = append(w.cut.copy[f.Name], p[:n]...)
		left -= max(n, 1)
		switch {
		case errors.Is(err, io.EOF):
			w.cut.next++
		case errors.Is(err, ErrCutGivenUp) && w.store.keeper.full:
			w.endCut()
			return
		case err != nil:
			w.fail(fmt.Errorf("read %s: %w", f.Name, err))
			return
		}
	}
}

// cutNow makes a cut. It is what a crash would leave if the disk lost nothing that was synced, and
// kept nothing else.
func (w *world) cutNow() {
	c, err := w.store.Cut(w.t.Context())
	if err != nil {
		w.fail(fmt.Errorf("cut: %w", err))
		return
	}
	w.cut = &copying{Cut: c, copy: make(map[string][]byte), messages: maps.Clone(w.base),
		definitions: w.definedNow()}
	for _, o := range w.ops {
		if o.lsn <= w.store.synced {
			w.cut.messages.apply(o)
		}
	}
}

func (w *world) endCut() {
	w.cut.Close()
	w.cut = nil
}

// openCopy opens what was read of a cut in another directory.
func (w *world) openCopy() {
	w.mu.Lock()
	w.copied++
	if len(w.cut.outgoing) > 0 {
		w.behind++
	}
	w.mu.Unlock()
	mem := disk.NewMemory()
	err := mem.MkdirAll(worldDir)
	for name, content := range w.cut.copy {
		if err == nil {
			err = writeWhole(mem, filepath.Join(worldDir, name), content)
		}
	}
	if err == nil {
		err = w.checkCopy(mem)
	}
	if err != nil {
		w.fail(fmt.Errorf("copy of a cut: %w", err))
	}
}

func writeWhole(fsys disk.FS, name string, content []byte) error {
	handle, err := fsys.Open(name, disk.Create)
	if err != nil {
		return err
	}
	_, err = handle.WriteAt(content, 0)
	return errors.Join(err, handle.Close())
}

func (w *world) checkCopy(mem *disk.Memory) error {
	s, err := Open(worldOptions(mem))
	if err != nil {
		return err
	}
	if damaged := s.Quarantined(); len(damaged) > 0 {
		return fmt.Errorf("queues are quarantined: %v", damaged)
	}
	f := &world{campaign: w.campaign, store: s, definedBase: w.cut.definitions}
	if err := f.checkDefinitions(); err != nil {
		return err
	}
	got, err := f.recoverAll()
	if err != nil {
		return err
	}
	if got.sum() != w.cut.messages.sum() {
		return fmt.Errorf("%d messages, want %d: %s", len(got), len(w.cut.messages),
			difference(w.cut.messages, got))
	}
	if err := s.begin(); err != nil {
		return err
	}
	return s.Close()
}

// TestACutIsWhatWasSyncedAndNoMore reads cuts while the store goes on, in histories with crashes at
// their boundaries and disks that are full.
func TestACutIsWhatWasSyncedAndNoMore(t *testing.T) {
	c := newCampaign(1)
	c.cuts, c.t, c.faults = true, t, true
	c.run(t, func(seeds int) bool { return seeds < cutHistories })
	_, sum := c.rarest()
	t.Logf("%d cuts opened, the store had let go of files of %d; %d crashes", c.copied, c.behind,
		sum)
	if c.copied == 0 || c.behind == 0 {
		t.Error("no cut was opened, or no file kept for one: the histories are no good")
	}
}
