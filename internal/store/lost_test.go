//go:build !race

package store

import (
	"path/filepath"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// TestEverySyncIsNeeded removes one kind of sync at a time, with a disk that lies about it, and
// demands that a crash is found which shows it: else the sync, or the crash test, is no good.
// Calls are told apart by the two before.
func TestEverySyncIsNeeded(t *testing.T) {
	const histories = 60
	for _, kind := range syncKinds() {
		t.Run(kind.name, func(t *testing.T) {
			for seed := kind.seed; seed < kind.seed+histories; seed++ {
				var first, second disk.Call
				_, err := history(seed, crashSteps, func(c disk.Call) bool {
					lie := kind.is(first, second, c)
					first, second = second, c
					return lie
				})
				if err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("%d histories without this sync, and no crash showed it", histories)
		})
	}
}

type syncKind struct {
	name string
	seed uint64 // one that is known to show it soon
	is   func(first, second, c disk.Call) bool
}

func syncKinds() []syncKind {
	sync := func(c disk.Call, file func(string) bool) bool {
		return c.Op == disk.OpSync && file(filepath.Base(c.Name))
	}
	isLog := func(name string) bool { _, ok := parseLogName(name); return ok }
	isNew := func(name string) bool { return name == definitionsNewName }
	isDefinitions := func(name string) bool { return name == definitionsName }
	return []syncKind{
		{"messages after a write", 0, func(_, before, c disk.Call) bool {
			return sync(c, isLog) && before.Op == disk.OpWrite && before.Offset > 0
		}},
		{"header of a log file", 0, func(_, before, c disk.Call) bool {
			return sync(c, isLog) && before.Op == disk.OpWrite && before.Offset == 0
		}},
		{"log file found at start", 0, func(_, before, c disk.Call) bool {
			return sync(c, isLog) && before.Op != disk.OpWrite
		}},
		{"definitions after a write", 0, func(_, before, c disk.Call) bool {
			return sync(c, isDefinitions) && before.Op == disk.OpWrite
		}},
		{"definitions found at start", 0, func(_, before, c disk.Call) bool {
			return sync(c, isDefinitions) && before.Op != disk.OpWrite
		}},
		{"definitions rewritten", 0, func(_, _, c disk.Call) bool { return sync(c, isNew) }},
		{"directory after create", 0, func(first, before, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && sync(before, isLog) && first.Op == disk.OpWrite
		}},
		{"directory after rename", 3, func(_, before, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && before.Op == disk.OpRename
		}},
		{"directory after remove", 15, func(_, before, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && before.Op == disk.OpRemove
		}},
		{"directory found at start", 0, func(first, before, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && before.Op == disk.OpSync && first.Op != disk.OpWrite
		}},
	}
}
