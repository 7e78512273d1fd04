package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// TestEverySyncIsNeeded removes one kind of sync at a time, with a disk that lies about it, and
// demands that a crash is found which shows it: else the sync, or the crash test, is no good.
func TestEverySyncIsNeeded(t *testing.T) {
	isLog := func(c disk.Call) bool { return strings.HasSuffix(c.Name, logSuffix) && !isDefinitions(c) }
	kinds := map[string]func(last, c disk.Call) bool{
		"messages after a write": func(last, c disk.Call) bool {
			return c.Op == disk.OpSync && isLog(c) && last.Op == disk.OpWrite && last.Offset > 0
		},
		"header of a log file": func(last, c disk.Call) bool {
			return c.Op == disk.OpSync && isLog(c) && last.Op == disk.OpWrite && last.Offset == 0
		},
		"log file found at start": func(last, c disk.Call) bool {
			return c.Op == disk.OpSync && isLog(c) && last.Op != disk.OpWrite
		},
		"definitions after a write": func(last, c disk.Call) bool {
			return c.Op == disk.OpSync && isDefinitions(c) && last.Op == disk.OpWrite
		},
		"definitions found at start": func(last, c disk.Call) bool {
			return c.Op == disk.OpSync && isDefinitions(c) && last.Op != disk.OpWrite
		},
		"definitions rewritten": func(_, c disk.Call) bool {
			return c.Op == disk.OpSync && filepath.Base(c.Name) == definitionsNewName
		},
		"directory after create": func(last, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && last.Op == disk.OpSync
		},
		"directory after rename": func(last, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && last.Op == disk.OpRename
		},
		"directory after remove": func(last, c disk.Call) bool {
			return c.Op == disk.OpSyncDir && last.Op == disk.OpRemove
		},
	}
	for name, lost := range kinds {
		t.Run(name, func(t *testing.T) {
			const histories = 60
			for seed := range uint64(histories) {
				var last disk.Call
				_, err := history(seed, crashSteps, func(c disk.Call) bool {
					lie := lost(last, c)
					last = c
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

func isDefinitions(c disk.Call) bool { return filepath.Base(c.Name) == definitionsName }
