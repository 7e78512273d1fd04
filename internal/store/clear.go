package store

import (
	"fmt"
	"path/filepath"

	"github.com/warrenmq/warren/internal/disk"
)

// Clear removes everything that a store keeps in a directory, and nothing else that is there. No
// store may be open on it. On return that is on stable storage. After a crash meanwhile some of it
// is there still, and may be no directory that Open takes: Clear it again.
func Clear(fs disk.FS, dir string) error {
	lock, err := fs.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return fmt.Errorf("store: clear %s: %w", dir, err)
	}
	defer lock.Close()
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("store: clear %s: %w", dir, err)
	}
	for _, name := range names {
		if !IsOwn(name) || name == lockName {
			continue
		}
		if err := fs.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("store: clear %s: %w", dir, err)
		}
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("store: clear %s: %w", dir, err)
	}
	return nil
}
