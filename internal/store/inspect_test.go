package store

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// inspected makes a directory with every kind of file: a backlog of queue 1 that was adopted, an
// old message of queue 2 that was moved, and a log with a group for each message of queue 3.
func inspected(t *testing.T) *disk.Memory {
	t.Helper()
	m := newDisk(t)
	s := open(t, worldOptions(m))
	must(t, s.Define(nil, []byte("one"), []byte("three")))
	big, old, fast := s.OpenQueue(1), s.OpenQueue(2), s.OpenQueue(3)
	wait := func(lsn LSN) { must(t, s.Wait(lsn)) }
	for range 20 {
		_, lsn := put(s, big, string(make([]byte, 10_000)))
		wait(lsn)
	}
	for k := range 48 {
		if k == 8 {
			_, lsn := put(s, old, "old")
			wait(lsn)
		}
		n, lsn := put(s, fast, string(make([]byte, 10_000)))
		wait(lsn)
		s.Settle(fast, one(n))
	}
	s.settleKeeper()
	must(t, s.Close())
	s = open(t, worldOptions(m)) // in a fresh file: which is left when depends on the goroutines
	fast = s.OpenQueue(3)
	for k := range 7 {
		n, lsn := put(s, fast, "last")
		wait(lsn)
		s.settleKeeper()
		if k == 3 {
			s.Settle(fast, one(n)) // goes with the next
		}
	}
	must(t, s.Close())
	return m
}

func inspect(t *testing.T, fsys disk.FS, o InspectOptions) string {
	t.Helper()
	var out bytes.Buffer
	o.FS, o.Dir = fsys, worldDir
	must(t, Inspect(&out, o))
	return out.String()
}

func wantLines(t *testing.T, out string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(out) {
			t.Errorf("no line has %q in\n%s", p, out)
		}
	}
}

// keptLine is the line of a log file that was adopted with three messages of queue 1 or more.
const keptLine = `^(messages-0000\d+.log) +log kept as segment +\d+ +\d+ +\d+ +[3-5] +\d+ +0 `

// kept is the name of the first such file.
func kept(t *testing.T, out string) string {
	t.Helper()
	match := regexp.MustCompile("(?m)" + keptLine).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("no log was adopted:\n%s", out)
	}
	return match[1]
}

func TestInspectShowsEveryFile(t *testing.T) {
	m := inspected(t)
	before := m.Clone()
	var changes []string
	fsys := disk.Faulty(m, func(c disk.Call) disk.Fault {
		switch c.Op {
		case disk.OpOpen, disk.OpRead, disk.OpList, disk.OpSize:
		default:
			changes = append(changes, fmt.Sprint(c))
		}
		return disk.Fault{}
	})
	out := inspect(t, fsys, InspectOptions{Records: true})
	wantLines(t, out,
		keptLine,
		`^segment-0000\d+.seg +segment +\d+ +\d+ +\d+ +[1-9]`,
		`^messages-0000\d+.log +log +\d+ +\d+ +\d+ +\d+ +\d+ +[1-9]`,
		`^messages-0000\d+.log +prepared or left over`,
		`^reserve.tmp +reserve`, `^definitions.log +definitions`, `^manifest.log +manifest`,
		`^1 +20 +\d+ +1-20$`, `^2 +1 +\d+ +1-1$`, `^3 +6 +\d+ +49-55$`,
		`^Definitions: 2 records, 8 bytes$`, `^Manifest: .* released up to number [1-9]`,
		`^Quarantined queues: 0$`, `^Damage and torn ends: 0$`,
		`^4096 group, length 10042, before it file \d+ offset \d+, of queues \[1\], 30 bytes$`,
		`^4126 publish, queue 1 number \d+, message 10000 bytes, 10012 bytes$`,
		`^\d+ copy, queue 2 number 1, message 3 bytes`, `^\d+ settle, queue 3 numbers 52-52`)
	if again := inspect(t, fsys, InspectOptions{Records: true}); again != out {
		t.Errorf("the second time:\n%s\nthe first:\n%s", again, out)
	}
	if len(changes) > 0 {
		t.Errorf("it did %v", changes)
	}
	names, err := m.List(worldDir)
	must(t, err)
	for _, name := range names {
		if !bytes.Equal(contentOf(t, m, name), contentOf(t, before, name)) {
			t.Errorf("%s changed", name)
		}
	}
	one := inspect(t, fsys, InspectOptions{Records: true, File: kept(t, out)})
	if n := strings.Count(one, "Records of"); n != 1 {
		t.Errorf("records of %d files", n)
	}
	for _, file := range []string{"none", manifestName} {
		o := InspectOptions{FS: fsys, Dir: worldDir, Records: true, File: file}
		if Inspect(new(bytes.Buffer), o) == nil {
			t.Errorf("records of %s", file)
		}
	}
	if Inspect(new(bytes.Buffer), InspectOptions{FS: fsys, Dir: "/none"}) == nil {
		t.Error("a directory that is not there was inspected")
	}
}

// flipped returns a copy with another bit at an offset of a file, from its end if negative.
func flipped(t *testing.T, m *disk.Memory, name string, offset int) *disk.Memory {
	return change(t, m, name, func(b []byte) []byte {
		if offset < 0 {
			offset += len(bytes.TrimRight(b, "\x00"))
		}
		b[offset] ^= 1
		return b
	})
}

func TestInspectTellsDamage(t *testing.T) {
	m := inspected(t)
	segments := namesOf(t, m, roleSegment)
	segment := segments[len(segments)-1]
	out := inspect(t, m, InspectOptions{Records: true})
	kept, last, at := kept(t, out), "", 0
	end := 0 // the last group, which a clean end writes; at is the one before, with a message
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Records of "); ok {
			last = name
		}
		if offset, _, ok := strings.Cut(line, " group, "); ok {
			n, err := strconv.Atoi(offset)
			must(t, err)
			at, end = end, n
		}
	}
	for name, c := range map[string]struct {
		disk  *disk.Memory
		lines []string
	}{
		"torn end": {change(t, m, last, func(b []byte) []byte {
			clear(b[at+40:])
			return b
		}), []string{
			fmt.Sprintf(`^%s has a torn end at offset %d, `, last, at),
			`^Quarantined queues: 0$`}},
		"log": {flipped(t, m, last, at+40), []string{
			fmt.Sprintf(`^%s is damaged at offset %d: no valid group`, last, at),
			`^Quarantined queues: 1$`, `^queue 3: ` + last}},
		"log kept": {flipped(t, m, kept, 16384+50), []string{
			`^` + kept + ` is damaged at offset 16\d+: the next group is at offset 28672`,
			`^28702 publish, queue 1 number`}},
		"segment": {flipped(t, m, segment, dataStart+10), []string{
			`^` + segment + ` is damaged at offset 4096: nothing behind it can be read`}},
		"no segment": {without(t, m, segment), []string{
			`^` + segment + ` is missing`, `^queue \d: ` + segment + ` is missing`}},
		"definitions": {flipped(t, m, definitionsName, -1), []string{
			`^definitions.log has a torn end at offset \d+`, `^1 +20 +`}},
		"definitions' header": {flipped(t, m, definitionsName, 20), []string{
			`definitions.log is damaged at offset 0`, `^` + kept + ` +prepared`}},
		"manifest": {flipped(t, m, manifestName, headerBytes+40), []string{
			`manifest.log is damaged at offset \d+`, `^` + kept + ` +prepared`}},
		"no definitions": {without(t, m, definitionsName), []string{
			`^there is no definitions.log`}},
		"nothing": {newDisk(t), []string{`^the directory is empty`}},
	} {
		t.Run(name, func(t *testing.T) {
			wantLines(t, inspect(t, c.disk, InspectOptions{Records: true}), c.lines...)
		})
	}
}
