package disk_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/disk"
)

// fileModel is the slow and obvious twin of a file in memory: two byte slices, and all that any
// byte and the size may be after a power loss.
type fileModel struct {
	data, safe []byte
	bytes      map[int][]byte // by position: what unsynced writes put there
	sizes      []int
}

func (f *fileModel) resize(size int) {
	f.data = append(f.data, make([]byte, max(0, size-len(f.data)))...)[:size]
	f.sizes = append(f.sizes, size)
}

func (f *fileModel) write(b []byte, at int) {
	f.data = append(f.data, make([]byte, max(0, at+len(b)-len(f.data)))...)
	copy(f.data[at:], b)
	for i, c := range b {
		f.bytes[at+i] = append(f.bytes[at+i], c)
		f.sizes = append(f.sizes, at+i+1)
	}
}

func (f *fileModel) sync() {
	f.safe, f.sizes, f.bytes = slices.Clone(f.data), nil, make(map[int][]byte)
}

// allows fails if a power loss cannot have left this.
func (f *fileModel) allows(t *rapid.T, after []byte) {
	if len(after) != len(f.safe) && !slices.Contains(f.sizes, len(after)) {
		t.Fatalf("size %d after the crash, %d synced", len(after), len(f.safe))
	}
	for i, c := range after {
		old := byte(0)
		if i < len(f.safe) {
			old = f.safe[i]
		}
		zero := c == 0 && len(f.sizes) > 0 // cut and grown again
		if c != old && !zero && !slices.Contains(f.bytes[i], c) {
			t.Fatalf("byte %d of %d is %q, was %q, written %q", i, len(after), c, old, f.bytes[i])
		}
	}
}

func TestCrashInventsNothingAndStatesAreSeparate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := memory(t)
		file := open(t, m, "/d/file", disk.Create)
		must(t, m.SyncDir("/d"))
		model := &fileModel{bytes: make(map[int][]byte)}
		var clones []*disk.Memory
		var kept []string
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			at := rapid.IntRange(0, 3*disk.BlockBytes).Draw(rt, "at")
			switch rapid.IntRange(0, 7).Draw(rt, "step") {
			case 0:
				must(t, file.Truncate(int64(at)))
				model.resize(at)
			case 1, 2:
				must(t, file.Sync())
				model.sync()
			case 3:
				clones, kept = append(clones, m.Clone()), append(kept, string(model.data))
			default:
				n := rapid.IntRange(1, 2*disk.BlockBytes).Draw(rt, "length")
				b := bytes.Repeat([]byte{byte(i % 4)}, n) // also zeros
				write(t, file, string(b), int64(at))
				model.write(b, at)
			}
			if got := content(t, m, "/d/file"); got != string(model.data) {
				rt.Fatalf("content differs after step %d", i)
			}
			for seed := range uint64(3) {
				after := m.Crash(rapid.Uint64().Draw(rt, "seed") + seed)
				left := content(t, after, "/d/file")
				model.allows(rt, []byte(left))
				scribble(t, after)
			}
		}
		for i, clone := range clones {
			if content(t, clone, "/d/file") != kept[i] {
				rt.Fatalf("clone %d changed with the original", i)
			}
			scribble(t, clone)
		}
		if content(t, m, "/d/file") != string(model.data) {
			rt.Fatal("the original changed with a clone")
		}
	})
}

// scribble changes a file system that shares blocks with others.
func scribble(t *testing.T, m *disk.Memory) {
	f := open(t, m, "/d/file", disk.Write)
	write(t, f, strings.Repeat("#", 5000), 100)
	must(t, f.Sync())
	must(t, f.Truncate(200))
	must(t, f.Close())
}

func TestRecycledFileKeepsOldSectorsAmongNew(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", strings.Repeat("o", 2*disk.BlockBytes))
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/file", disk.Write|disk.Direct)
	write(t, f, string(filled(2*disk.BlockBytes, 'n')), 0)
	write(t, f, string(filled(disk.BlockBytes, 'm')), 0)
	holes, sizes := 0, make(map[int]int)
	seen := outcomes(m, func(after *disk.Memory) string {
		c := content(t, after, "/d/file")
		sizes[len(c)]++
		if strings.Contains(strings.Trim(c[disk.BlockBytes:], "o"), "o") {
			holes++
		}
		return string(slices.Compact([]byte(c[:disk.BlockBytes])[:1])) + c[disk.BlockBytes:][:1]
	})
	if len(sizes) != 1 {
		t.Errorf("sizes %v", sizes)
	}
	if holes == 0 {
		t.Error("an old sector was never seen between new ones")
	}
	for _, want := range []string{"oo", "no", "mo", "on", "nn", "mn"} {
		if seen[want] == 0 {
			t.Errorf("never seen: %q in %v", want, seen)
		}
	}
	must(t, f.Close())
}

func TestUnsyncedRenameOfRecycledFileLeavesEitherName(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/log-1", "one")
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/log-1", disk.Write)
	write(t, f, "two", 0)
	must(t, f.Sync())
	must(t, f.Close())
	must(t, m.Rename("/d/log-1", "/d/log-2"))
	seen := outcomes(m, func(after *disk.Memory) string {
		names := list(t, after, "/d")
		return strings.Join(names, " ") + ": " + content(t, after, "/d/"+names[0])
	})
	if len(seen) != 2 || seen["log-1: two"] == 0 || seen["log-2: two"] == 0 {
		t.Fatalf("outcomes %v", seen)
	}
}

func TestFlippedBitIsReadAndSurvivesACrash(t *testing.T) {
	m := memory(t)
	create(t, m, "/d/file", "abc")
	must(t, m.SyncDir("/d"))
	f := open(t, m, "/d/file", disk.Read)
	clone := m.Clone()
	must(t, m.FlipBit("/d/file", 8)) // 'b' becomes 'c'
	for _, got := range []string{content(t, m, "/d/file"), content(t, m.Crash(1), "/d/file")} {
		if got != "acc" {
			t.Errorf("content %q", got)
		}
	}
	if got := content(t, clone, "/d/file"); got != "abc" {
		t.Errorf("clone %q", got)
	}
	must(t, m.FlipBit("/d/file", 8))
	if got := content(t, m, "/d/file"); got != "abc" {
		t.Errorf("flipped back %q", got)
	}
	for _, bit := range []int64{-1, 24} {
		if m.FlipBit("/d/file", bit) == nil {
			t.Errorf("flipped bit %d of 24", bit)
		}
	}
	must(t, f.Close())
}
