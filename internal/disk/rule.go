package disk

import (
	"path/filepath"
	"sync"
	"sync/atomic"
)

// On returns a rule with this fault for all calls of op on names whose last part matches the
// pattern (of filepath.Match; "*" matches all). A rename matches by its old or its new name.
//
//	On(OpSync, "messages-*", Fault{Lost: true})   // every sync of these files is ignored
//	On(OpWrite, "*.seg", Fault{Err: syscall.ENOSPC, Bytes: 100})
//
// It panics if the pattern is malformed.
func On(op Op, pattern string, fault Fault) Rule {
	mustPattern(pattern)
	return func(c Call) Fault {
		if c.Op == op && c.matches(pattern) {
			return fault
		}
		return Fault{}
	}
}

func mustPattern(pattern string) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		panic("disk: " + err.Error() + ": " + pattern)
	}
}

func (c Call) matches(pattern string) bool {
	for _, name := range []string{c.Name, c.To} {
		if ok, _ := filepath.Match(pattern, filepath.Base(name)); ok && name != "" {
			return true
		}
	}
	return false
}

func (f Fault) isZero() bool {
	return f.Err == nil && f.Bytes == 0 && !f.Lost && !f.Dropped && f.Wait == nil
}

// Nth returns a rule with only the nth fault (from 1) of the rule.
//
//	Nth(3, On(OpSync, "*", Fault{Err: syscall.EIO}))
func Nth(n int, rule Rule) Rule {
	var count atomic.Int64
	return func(c Call) Fault {
		if fault := rule(c); !fault.isZero() && count.Add(1) == int64(n) {
			return fault
		}
		return Fault{}
	}
}

// From returns a rule with the nth fault (from 1) of the rule and all that follow.
func From(n int, rule Rule) Rule {
	var count atomic.Int64
	return func(c Call) Fault {
		if fault := rule(c); !fault.isZero() && count.Add(1) >= int64(n) {
			return fault
		}
		return Fault{}
	}
}

// FirstOf returns a rule with the first fault that one of the rules has for a call. All of them
// are asked, so that each may count what it sees.
func FirstOf(rules ...Rule) Rule {
	return func(c Call) (first Fault) {
		for _, rule := range rules {
			if fault := rule(c); first.isZero() {
				first = fault
			}
		}
		return first
	}
}

// LoseSyncDir returns a rule that loses the next SyncDir of a directory after a call of op
// (OpCreate, OpRename or OpRemove) on a name in it that matches the pattern: as if the line that
// makes this change of names safe were missing in the program. Later ones of it pass.
// It panics if the pattern is malformed.
func LoseSyncDir(op Op, pattern string) Rule {
	mustPattern(pattern)
	var mu sync.Mutex
	changed := make(map[string]bool)
	return func(c Call) Fault {
		mu.Lock()
		defer mu.Unlock()
		switch dir := filepath.Clean(c.Name); {
		case c.Op == op && c.matches(pattern):
			changed[filepath.Dir(dir)] = true
		case c.Op == OpSyncDir && changed[dir]:
			delete(changed, dir)
			return Fault{Lost: true}
		}
		return Fault{}
	}
}
