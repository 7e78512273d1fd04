package store

import (
	"fmt"

	"github.com/warrenmq/warren/internal/disk"
)

// repair makes what Open found safe. If only the process died, its last writes are in the cache
// of the kernel and were read from there; a power loss could still take them, after we have built
// on them. So everything that is not known to be synced is synced, and what nobody needs removed.
func (s *Store) repair() error {
	if err := s.definitions.begin(); err != nil {
		return err
	}
	if !s.manifest.fresh {
		if err := s.manifest.begin(); err != nil {
			return err
		}
	}
	if number := s.recovered.lastFile; number > 0 {
		if err := s.syncLast(number); err != nil {
			return err
		}
	}
	if err := s.options.FS.SyncDir(s.options.Dir); err != nil {
		return fmt.Errorf("store: sync data directory: %w", err)
	}
	e := edit{damaged: s.recovered.damaged}
	if len(e.damaged) > 0 {
		s.known = max(s.recovered.known, s.recovered.lastGroup)
		e.known = s.known
	}
	if err := s.write(&e, 0); err != nil {
		return err
	}
	for _, name := range s.recovered.leftover {
		if err := s.options.FS.Remove(s.path(name)); err != nil {
			return fmt.Errorf("store: remove %s: %w", name, err)
		}
	}
	return nil
}

// syncLast syncs the last log file.
func (s *Store) syncLast(number uint32) error {
	name := fileName(roleLog, number)
	handle, err := s.options.FS.Open(s.path(name), disk.Write)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", name, err)
	}
	err = handle.Sync()
	if closeErr := handle.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("store: sync %s: %w", name, err)
	}
	return nil
}
