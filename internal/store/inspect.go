package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/warrenmq/warren/internal/disk"
)

// InspectOptions say what Inspect looks at.
type InspectOptions struct {
	FS      disk.FS // default disk.OS()
	Dir     string  // the data directory
	Records bool    // also every record of the log and of segments
	File    string  // with Records: only those of this numbered file, whatever it is
}

// rangesShown of a queue's numbers are printed.
const rangesShown = 8

// Inspect prints for a person what is in a data directory: its files, what is live in them, the
// queues, and what is damaged. It reads the directory as Open does, and then every file with
// messages once, so it takes as long as the disk needs for that. It takes no lock and changes
// nothing; while a node has the directory, the picture is moving and may look damaged. Damage is
// printed and is no error: an error says that there is nothing to read, or that w failed.
func Inspect(w io.Writer, o InspectOptions) error {
	options := Options{FS: o.FS, Dir: o.Dir}.withDefaults()
	i := &inspector{known: make(map[uint32]*walked)}
	options.Logger = slog.New(i)
	i.Store = newStore(options)
	names, err := options.FS.List(o.Dir)
	if err != nil {
		return fmt.Errorf("store: list data directory: %w", err)
	}
	if o.File != "" && !slices.Contains(names, o.File) {
		return fmt.Errorf("store: there is no %s in %s", o.File, o.Dir)
	}
	i.names = names
	if err := i.load(); err != nil {
		i.problem("%v", err)
	}
	i.walkAll()
	i.out = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	i.printFiles()
	i.printQueues()
	i.printRest()
	if err := i.out.Flush(); err != nil || !o.Records {
		return err
	}
	return i.printRecords(w, o.File)
}

// inspector is a store that is only read, and what was seen of it.
type inspector struct {
	*Store
	names    []string
	known    map[uint32]*walked // files that have a place in the index
	released uint32
	problems []string
	out      *tabwriter.Writer
}

func (i *inspector) problem(format string, args ...any) {
	p := strings.TrimPrefix(fmt.Sprintf(format, args...), "store: ")
	if !slices.Contains(i.problems, p) {
		i.problems = append(i.problems, p)
	}
}

// Enabled is for slog: what recovery calls an error is a problem found.
func (i *inspector) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

// Handle notes an error of recovery.
func (i *inspector) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += fmt.Sprintf(", %s: %v", a.Key, a.Value)
		return true
	})
	i.problem("%s", text)
	return nil
}

// WithAttrs is for slog; recovery does not call it.
func (i *inspector) WithAttrs([]slog.Attr) slog.Handler { return i }

// WithGroup is for slog; recovery does not call it.
func (i *inspector) WithGroup(string) slog.Handler { return i }

// load is that of the store, but goes on behind damaged definitions.
func (i *inspector) load() error {
	if len(i.names) == 0 {
		return errors.New("the directory is empty")
	}
	id, err := i.definitions.load(slices.Contains(i.names, definitionsName))
	if err != nil {
		i.problem("%v", err)
	}
	if i.definitions.fresh {
		return fmt.Errorf("there is no %s: the rest cannot be read", definitionsName)
	}
	i.id, i.seed = id, id.seed()
	state, err := i.loadManifest(i.names)
	if err != nil {
		return err
	}
	i.released = state.released
	logs := i.sortFiles(i.names, state)
	if err := i.loadSegments(i.names, state); err != nil {
		return err
	}
	if err := i.replayLogs(logs); err != nil {
		return err
	}
	if r := i.recovered; r.tornBytes > 0 {
		i.problem("%s has a torn end at offset %d, %d bytes: the last write before a crash",
			fileName(roleLog, r.torn.file()), r.torn.offset(), r.tornBytes)
	}
	return nil
}

// walkAll reads the files with messages through.
func (i *inspector) walkAll() {
	for _, j := range []*journal{i.definitions, i.manifest} {
		if j.cut > 0 {
			i.problem("%s has a torn end at offset %d, %d bytes: the last write before a crash",
				j.name, j.size, j.cut)
		}
	}
	for _, x := range i.files.sorted() {
		name := fileName(x.role, x.number)
		seen := &walked{}
		i.known[x.number] = seen
		if x.missing {
			i.problem("%s is missing", name)
			continue
		}
		for _, h := range x.holes {
			i.problem("%s is damaged at offset %d: no valid group before offset %d", name,
				h.from, h.to)
		}
		if err := i.walk(x, seen, func(int64, int64, *record) error { return nil }); err != nil {
			i.problem("%v", err)
		}
	}
}

// walked is what was seen in a file.
type walked struct {
	entries int // messages, counted once for each queue
}

// walk reads all records of a numbered file. Behind damage it goes on at the next group.
func (i *inspector) walk(
	x *file, seen *walked, each func(offset, size int64, r *record) error,
) error {
	sc, done, err := i.openFile(x)
	if err != nil {
		return err
	}
	defer done()
	size, err := sc.file.Size()
	if err != nil {
		return fmt.Errorf("store: size of %s: %w", sc.name, err)
	}
	sc.offset, sc.size = dataStart, min(size, x.size)
	if size < x.size && x.size < math.MaxInt64 {
		i.problem("%s ends at offset %d of %d", fileName(x.role, x.number), size, x.size)
	}
	var r record
	for {
		for _, h := range sc.holes {
			if sc.offset >= h.from && sc.offset < h.to {
				sc.offset = h.to
			}
		}
		offset := sc.offset
		err := sc.record(&r)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errBroken) || errors.Is(err, ErrDamaged):
			if more, err := i.resume(sc, offset, err); err != nil || !more {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if r.kind == kindPublish || r.kind == kindCopy {
			seen.entries += len(r.queues)
		}
		if err := each(offset, sc.offset-offset, &r); err != nil {
			return err
		}
	}
}

// resume goes to where the next record may be: behind padding, or behind damage.
func (i *inspector) resume(sc *scanner, offset int64, cause error) (bool, error) {
	sc.offset = offset
	if errors.Is(cause, errBroken) {
		if padded, err := sc.padded(); err != nil || padded && sc.offset > offset {
			return err == nil, err
		}
	}
	r := replayer{store: i.Store}
	found, err := r.findGroup(sc, blockAfter(offset+1))
	if err != nil {
		return false, err
	}
	behind := "nothing behind it can be read"
	if found {
		behind = fmt.Sprintf("the next group is at offset %d", sc.offset)
	}
	i.problem("%s is damaged at offset %d: %s", filepath.Base(sc.name), offset, behind)
	return found, nil
}

// queueIDs are the queues with something in them, by rising id.
func (i *inspector) queueIDs() []QueueID {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(i.queues)),
		func(id QueueID) bool { return empty(&i.queues[id].logged) })
}
