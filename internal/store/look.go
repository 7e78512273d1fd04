package store

import (
	"fmt"
	"strings"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	// LockName is the file that is locked while a node has a data directory.
	LockName = lockName
	// RestoreMark is in a data directory that is being written by somebody else than its node. Open
	// refuses it.
	RestoreMark = "restore.unfinished"
)

// IsCopied reports whether a file of that name can be in a Cut.
func IsCopied(name string) bool {
	r, _, ok := parseFileName(name)
	return name == definitionsName || name == manifestName || ok && r != roleSpill
}

// IsOwn reports whether a file of that name in a data directory belongs to the store.
func IsOwn(name string) bool {
	switch _, _, ok := parseFileName(name); {
	case ok, IsCopied(strings.TrimSuffix(name, newSuffix)):
		return true
	}
	return name == lockName || name == reserveName || name == mergeRoomName || name == RestoreMark
}

// Survey is what is in a data directory that no node has.
type Survey struct {
	Definitions int // records
	Queues      int // with messages
	Messages    int // counted in each of their queues
	// Quarantined are the queues that are known not to be complete, or feared.
	Quarantined int
}

// Look reads a data directory as Open does, and says what it found. It takes no lock and changes
// nothing; no node may have the directory meanwhile.
func Look(fsys disk.FS, dir string) (Survey, error) {
	s := newStore(Options{FS: fsys, Dir: dir}.withDefaults())
	if err := s.load(); err != nil {
		return Survey{}, err
	}
	v := Survey{Definitions: len(s.definitions.recovered), Quarantined: len(s.damaged)}
	for _, q := range s.queues {
		if !empty(&q.logged) {
			v.Queues++
			v.Messages += s.Live(q)
		}
	}
	return v, nil
}

// checkMark refuses a directory in which a restore was interrupted.
func (s *Store) checkMark(there bool) error {
	if there {
		return fmt.Errorf("store: data directory %s was being restored, and that did not end: "+
			"restore it again, by force", s.options.Dir)
	}
	return nil
}
