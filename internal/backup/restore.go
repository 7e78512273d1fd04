package backup

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store"
)

// RestoreOptions say where a backup goes.
type RestoreOptions struct {
	FS  disk.FS // default disk.OS()
	Dir string  // the data directory to be; it is made if it is not there
	// Force replaces the files of a node in a directory that is not empty. Others are left alone.
	Force    bool
	Progress Progress // told twice of all bytes: first they are verified; optional
}

// mountName is in the root of some file systems.
const mountName = "lost+found"

// Restore makes a data directory of a backup. The backup is verified to its end before anything is
// written. On return everything is on stable storage and has been opened as a node does. A node
// refuses a directory in which Restore was interrupted. It refuses one with anything in it, unless
// forced to, and one on which a node runs.
func Restore(o RestoreOptions, from io.ReadSeeker) (*Contents, store.Survey, error) {
	if o.FS == nil {
		o.FS = disk.OS()
	}
	var s store.Survey
	c, err := Verify(from, o.Progress)
	if err != nil {
		return nil, s, err
	}
	if err := o.replace(c, from); err != nil {
		return nil, s, err
	}
	s, err = store.Look(o.FS, o.Dir)
	return c, s, err
}

// replace writes the files of a backup that is right, with the directory locked.
func (o *RestoreOptions) replace(c *Contents, from io.ReadSeeker) (err error) {
	if _, err = from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err = o.FS.MkdirAll(o.Dir); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	names, err := o.FS.List(o.Dir)
	if err != nil {
		return fmt.Errorf("list data directory: %w", err)
	}
	if err = o.checkEmpty(names); err != nil {
		return err
	}
	lock, err := o.FS.Lock(o.path(store.LockName))
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("a node runs on %s: %w", o.Dir, err)
	}
	if err != nil {
		return fmt.Errorf("lock data directory: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err = o.begin(names, c.Bytes()); err != nil {
		return err
	}
	if _, err = walk(from, o.Progress, o.write); err != nil {
		return fmt.Errorf("%w; %s is not complete, and a node will refuse it", err, o.Dir)
	}
	return o.end()
}

func (o *RestoreOptions) path(name string) string { return filepath.Join(o.Dir, name) }

// checkEmpty refuses a directory with something in it.
func (o *RestoreOptions) checkEmpty(names []string) error {
	if o.Force {
		return nil
	}
	for _, name := range names {
		if name != store.LockName && name != mountName {
			return fmt.Errorf("%s is not empty, there is %s; to replace what a node keeps there, "+
				"force it", o.Dir, name)
		}
	}
	return nil
}

// begin marks the directory, and takes away what a node has kept there.
func (o *RestoreOptions) begin(names []string, size int64) error {
	own := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !store.IsOwn(name) || name == store.LockName || name == store.RestoreMark
	})
	if err := o.checkRoom(own, size); err != nil {
		return err
	}
	if !slices.Contains(names, store.RestoreMark) {
		mark, err := o.FS.Open(o.path(store.RestoreMark), disk.Create)
		if err == nil {
			err = mark.Close()
		}
		if err != nil {
			return fmt.Errorf("mark data directory: %w", err)
		}
	}
	if err := o.FS.SyncDir(o.Dir); err != nil {
		return fmt.Errorf("sync data directory: %w", err)
	}
	for _, name := range own {
		if err := o.FS.Remove(o.path(name)); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}

// checkRoom refuses a backup for which there is no room once files are gone.
func (o *RestoreOptions) checkRoom(own []string, size int64) error {
	free, err := o.FS.Free(o.Dir)
	if err != nil {
		return nil // nobody knows
	}
	for _, name := range own {
		if handle, err := o.FS.Open(o.path(name), disk.Read); err == nil {
			if n, err := handle.Size(); err == nil {
				free += uint64(n)
			}
			_ = handle.Close() // read only: nothing to lose
		}
	}
	if free < uint64(size) {
		return fmt.Errorf("%d bytes are free for %s, and the backup has %d", free, o.Dir, size)
	}
	return nil
}

// write writes one file.
func (o *RestoreOptions) write(f File, r io.Reader) error {
	handle, err := o.FS.Open(o.path(f.Name), disk.Create)
	if err != nil {
		return fmt.Errorf("create %s: %w", f.Name, err)
	}
	_, err = io.CopyBuffer(io.NewOffsetWriter(handle, 0), r, make([]byte, copyBytes))
	if err == nil {
		err = handle.Sync()
	}
	if closeErr := handle.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name, err)
	}
	return nil
}

// end makes the names safe, and then takes the mark away.
func (o *RestoreOptions) end() error {
	if err := o.FS.SyncDir(o.Dir); err != nil {
		return fmt.Errorf("sync data directory: %w", err)
	}
	if err := o.FS.Remove(o.path(store.RestoreMark)); err != nil {
		return fmt.Errorf("remove %s: %w", store.RestoreMark, err)
	}
	if err := o.FS.SyncDir(o.Dir); err != nil {
		return fmt.Errorf("sync data directory: %w", err)
	}
	return nil
}
