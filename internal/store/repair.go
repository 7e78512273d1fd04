package store

import (
	"fmt"

	"github.com/warrenmq/warren/internal/disk"
)

// repair makes what Open found safe. If only the process died, its last writes are in the cache
// of the kernel and were read from there; a power loss could still take them, after we have built
// on them. So everything that is not known to be synced is synced, and what is torn is cut off.
func (s *Store) repair() error {
	if err := s.journal.begin(); err != nil {
		return err
	}
	r := &s.recovered
	if r.torn > r.number {
		if err := s.removeTorn(); err != nil {
			return err
		}
	}
	if r.number > 0 {
		if err := s.syncLast(); err != nil {
			return err
		}
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: sync data directory: %w", err)
	}
	return nil
}

func (s *Store) removeTorn() error {
	name := logName(s.recovered.torn)
	if err := s.options.FS.Remove(s.path(name)); err != nil {
		return fmt.Errorf("store: remove %s: %w", name, err)
	}
	s.options.Logger.Warn("log file without header removed: a crash came while it was made",
		"file", name, "bytes", s.recovered.cut)
	return nil
}

// syncLast cuts and syncs the last log file.
func (s *Store) syncLast() error {
	r, name := &s.recovered, logName(s.recovered.number)
	file, err := s.options.FS.Open(s.path(name), disk.Write)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", name, err)
	}
	if r.torn == r.number {
		if err = file.Truncate(r.offset); err == nil {
			s.options.Logger.Warn("torn write of a crash cut off the log",
				"file", name, "offset", r.offset, "bytes", r.cut)
		}
	}
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("store: cut and sync %s: %w", name, err)
	}
	return nil
}
