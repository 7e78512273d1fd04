package disk_test

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

const crashSeeds = 2000

// outcomes crashes m by many seeds and counts what is seen of each.
func outcomes(m *disk.Memory, see func(after *disk.Memory) string) map[string]int {
	seen := make(map[string]int)
	for seed := range uint64(crashSeeds) {
		seen[see(m.Crash(seed))]++
	}
	return seen
}

func memory(t *testing.T) *disk.Memory {
	t.Helper()
	m := disk.NewMemory()
	must(t, m.MkdirAll("/d"))
	return m
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", "synced")
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/file", disk.Write)
	write(t, f, "X", 6)
	seen := outcomes(m, func(after *disk.Memory) string { return content(t, after, "/d/file") })
	if len(seen) != 3 || seen["synced"] == 0 || seen["syncedX"] == 0 || seen["synced\x00"] == 0 {
		t.Fatalf("outcomes %v", seen)
	}
	must(t, f.Sync())
	seen = outcomes(m, func(after *disk.Memory) string { return content(t, after, "/d/file") })
	if len(seen) != 1 || seen["syncedX"] == 0 {
		t.Fatalf("outcomes after sync %v", seen)
	}
}

func TestCrashKeepsDropsAndTearsUnsyncedBlocks(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", strings.Repeat(".", 3*4096))
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/file", disk.Write)
	write(t, f, strings.Repeat("x", 3*4096), 0)
	letter := func(block string) string {
		switch strings.Count(block, "x") {
		case 0:
			return "old "
		case 4096:
			return "new "
		}
		return "torn "
	}
	seen := outcomes(m, func(after *disk.Memory) string {
		c := content(t, after, "/d/file")
		return letter(c[:4096]) + letter(c[4096:8192]) + letter(c[8192:])
	})
	if len(seen) != 27 {
		t.Fatalf("%d of 27 outcomes: %v", len(seen), seen)
	}
}

func TestCrashMayUndoTruncate(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", "abcdef")
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/file", disk.Write)
	must(t, f.Truncate(3))
	seen := outcomes(m, func(after *disk.Memory) string { return content(t, after, "/d/file") })
	if len(seen) != 2 || seen["abc"] == 0 || seen["abcdef"] == 0 {
		t.Fatalf("outcomes %v", seen)
	}
}

func TestCrashKeepsOrDropsUnsyncedNames(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/old", "old")
	create(t, m, "/d/gone", "gone")
	must(t, m.SyncDir("/d"))
	create(t, m, "/d/tmp", "new") // its content is synced, its name is not
	must(t, m.Rename("/d/tmp", "/d/old"))
	must(t, m.Remove("/d/gone"))
	see := func(after *disk.Memory) string {
		return strings.Join(list(t, after, "/d"), " ") + ": " + content(t, after, "/d/old")
	}
	seen := outcomes(m, see)
	want := []string{"gone old: new", "gone old: old", "old: new", "old: old",
		"gone old tmp: old", "old tmp: old"}
	for _, w := range want {
		if seen[w] == 0 {
			t.Errorf("never seen: %q", w)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("outcomes %v", seen)
	}
	must(t, m.SyncDir("/d"))
	if seen := outcomes(m, see); len(seen) != 1 || seen["old: new"] == 0 {
		t.Errorf("outcomes after sync %v", seen)
	}
}

func TestCrashIsRepeatableBySeed(t *testing.T) {
	m := memory(t)
	for _, name := range []string{"/d/a", "/d/b", "/d/c"} {
		f := open(t, m, name, disk.Create)
		write(t, f, strings.Repeat(name, 4000), 0)
	}
	for seed := range uint64(200) {
		a, b := m.Crash(seed), m.Crash(seed)
		names := list(t, a, "/d")
		if !slices.Equal(names, list(t, b, "/d")) {
			t.Fatalf("seed %d: names differ", seed)
		}
		for _, name := range names {
			if content(t, a, "/d/"+name) != content(t, b, "/d/"+name) {
				t.Fatalf("seed %d: content of %s differs", seed, name)
			}
		}
	}
}

func TestCrashLeavesTheOriginalAndDropsLocks(t *testing.T) {
	m := memory(t)
	f := open(t, m, "/d/file", disk.Create)
	write(t, f, "abc", 0)
	_, err := m.Lock("/d/lock")
	must(t, err)
	after := m.Crash(1)
	_, err = after.Lock("/d/lock")
	must(t, err)
	clone := m.Clone()
	write(t, f, "x", 0)
	if got := content(t, m, "/d/file"); got != "xbc" {
		t.Fatalf("original %q", got)
	}
	if got := content(t, clone, "/d/file"); got != "abc" {
		t.Fatalf("clone %q", got)
	}
}

func TestCloneKeepsTheUnsyncedUnsynced(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/old", "old")
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/old", disk.Write)
	write(t, f, "new", 0)
	create(t, m, "/d/tmp", "")
	clone := m.Clone()
	must(t, f.Sync())
	must(t, m.SyncDir("/d")) // neither reaches the clone
	if got := list(t, clone, "/d"); !slices.Equal(got, []string{"old", "tmp"}) {
		t.Fatalf("names %v", got)
	}
	seen := outcomes(clone, func(after *disk.Memory) string {
		return strings.Join(list(t, after, "/d"), " ") + ": " + content(t, after, "/d/old")
	})
	for _, want := range []string{"old: old", "old: new", "old tmp: old", "old tmp: new"} {
		if seen[want] == 0 {
			t.Errorf("never seen: %q", want)
		}
	}
}

func TestMemoryRefusesToMoveAnOpenFile(t *testing.T) {
	m := memory(t)
	f := open(t, m, "/d/open", disk.Create)
	create(t, m, "/d/closed", "")
	wantError(t, m.Remove("/d/open"), fs.ErrInvalid)
	wantError(t, m.Rename("/d/open", "/d/x"), fs.ErrInvalid)
	wantError(t, m.Rename("/d/closed", "/d/open"), fs.ErrInvalid)
	must(t, f.Close())
	must(t, m.Rename("/d/closed", "/d/open"))
	must(t, m.Remove("/d/open"))
}

func FuzzMemoryFileIsAByteSlice(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 5, 6})
	f.Fuzz(func(t *testing.T, script []byte) {
		m := memory(t)
		file := open(t, m, "/d/file", disk.Create)
		var model []byte
		for ; len(script) >= 3; script = script[3:] {
			at, n := int(script[0])*40, int(script[1])*40
			switch script[2] % 4 {
			case 0:
				must(t, file.Truncate(int64(at)))
				model = append(model, make([]byte, max(0, at-len(model)))...)[:at]
			case 1:
				must(t, file.Sync())
			default:
				write(t, file, strings.Repeat("x", n), int64(at))
				if n > 0 {
					model = append(model, make([]byte, max(0, at+n-len(model)))...)
					copy(model[at:], bytes.Repeat([]byte("x"), n))
				}
			}
		}
		if got := content(t, m, "/d/file"); got != string(model) {
			t.Fatalf("content %q, want %q", got, model)
		}
		if got := content(t, m.Clone(), "/d/file"); got != string(model) {
			t.Fatalf("clone %q, want %q", got, model)
		}
	})
}
