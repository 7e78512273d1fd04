package backup

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store"
)

func TestARestoredDirectoryIsOpenedAsAnyOther(t *testing.T) {
	b, fsys := small(t), disk.NewMemory()
	var told [2]int64
	c, survey, err := Restore(RestoreOptions{FS: fsys, Dir: "/copy", Progress: func(n, of int64) {
		told = [2]int64{n, of}
	}}, bytes.NewReader(b))
	must(t, err)
	if c.Node != "warren@test" || c.Warren != "1.2.3" || c.Created.IsZero() ||
		c.Data != store.FormatVersion {
		t.Errorf("the contents are %+v", c)
	}
	if want := (store.Survey{Definitions: 1, Queues: 1, Messages: 2}); survey != want {
		t.Errorf("found %+v, want %+v", survey, want)
	}
	if told != [2]int64{c.Bytes(), c.Bytes()} || c.Bytes() == 0 {
		t.Errorf("last told %d of %d", told, c.Bytes())
	}
	s := open(t, store.Options{Dir: "/copy", FS: fsys.Crash(1)}) // it is on stable storage
	got, err := numbers(s, 7)
	if err != nil || len(got) != 2 || got[0] != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

// flipEvery: so far from one flipped bit, or cut, to the next, and all in the first and last bytes.
const (
	flipEvery = 29
	flipEdge  = 600
	tarBlock  = 512
	tarEnd    = 2 * tarBlock
)

// TestADamagedBackupIsRefusedBeforeAnythingIsWritten flips bits, and cuts. The zeros at the end of
// an archive may be missing: everything is there.
func TestADamagedBackupIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	b := small(t)
	harmless := 0
	try := func(what string, at int, damaged []byte, want error) {
		fsys := disk.NewMemory()
		_, err := Verify(bytes.NewReader(damaged), nil)
		if err == nil && want == ErrDamaged { // padding between the files of an archive
			harmless++
			_, s, err := Restore(RestoreOptions{FS: fsys, Dir: "/copy"}, bytes.NewReader(damaged))
			if err != nil || s.Messages != 2 {
				t.Errorf("%s at %d: verified, but restored %+v, %v", what, at, s, err)
			}
			return
		}
		if err == nil || want == ErrIncomplete && !errors.Is(err, want) {
			t.Errorf("%s at %d: %v", what, at, err)
		}
		_, _, err = Restore(RestoreOptions{FS: fsys, Dir: "/copy"}, bytes.NewReader(damaged))
		if names, _ := fsys.List("/copy"); err == nil || len(names) > 0 {
			t.Fatalf("%s at %d: it wrote %v, %v", what, at, names, err)
		}
	}
	step := func(at int) int {
		if at < flipEdge || at > len(b)-2*tarEnd {
			return 1
		}
		return flipEvery
	}
	for at := 0; at < len(b); at += step(at) {
		damaged := bytes.Clone(b)
		damaged[at] ^= 1 << (at % 8)
		try("a bit flipped", at, damaged, ErrDamaged)
	}
	for at := 1; at < len(b); at += step(at) {
		if b[at] != 0 || at < len(b)-tarEnd-tarBlock {
			try("cut", at, b[:at], ErrIncomplete)
		}
	}
	try("more", len(b), append(bytes.Clone(b), 0), nil)
	try("nothing", 0, nil, ErrIncomplete)
	try("something else", 0, bytes.Repeat([]byte("no backup"), 1000), nil)
	t.Logf("%d bytes, %d of them padding", len(b), harmless)
	if harmless > 2*tarEnd {
		t.Errorf("%d flipped bits did not matter", harmless)
	}
}

func TestARestoreTakesNoDirectoryFromAnybody(t *testing.T) {
	b, fsys := small(t), disk.NewMemory()
	restore := func(force bool) error {
		_, _, err := Restore(RestoreOptions{FS: fsys, Dir: "/data", Force: force},
			bytes.NewReader(b))
		return err
	}
	s := open(t, store.Options{Dir: "/data", FS: fsys, FileBytesMax: 64 << 10})
	refused(t, restore(false), "is not empty")
	refused(t, restore(true), "a node runs on /data")
	must(t, s.Close())
	refused(t, restore(false), "is not empty")
	handle, err := fsys.Open("/data/of-another.txt", disk.Create)
	must(t, err)
	must(t, handle.Close())
	must(t, restore(true))
	if names, _ := fsys.List("/data"); !strings.Contains(strings.Join(names, " "), "of-another") {
		t.Errorf("what is left is %v", names)
	}
	must(t, restore(true))
	s = open(t, store.Options{Dir: "/data", FS: fsys, FileBytesMax: 64 << 10})
	if got, err := numbers(s, 7); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func refused(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q", err, text)
	}
}

// TestARestoreThatWasInterruptedIsNoDirectory crashes at each write of one.
func TestARestoreThatWasInterruptedIsNoDirectory(t *testing.T) {
	b := small(t)
	for way := range uint64(4) {
		whole, refusals := 0, 0
		for stop := 0; whole == 0; stop++ {
			mem := disk.NewMemory()
			calls, done := 0, false
			fsys := disk.Faulty(mem, func(c disk.Call) disk.Fault {
				switch c.Op {
				case disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpRemove, disk.OpSyncDir:
					if calls++; calls > stop {
						return disk.Fault{Err: errors.New("stopped")}
					}
				}
				return disk.Fault{}
			})
			_, _, err := Restore(RestoreOptions{FS: fsys, Dir: "/data"}, bytes.NewReader(b))
			done = err == nil
			s, err := store.Look(mem.Crash(way), "/data")
			switch {
			case err != nil:
				refusals++
			case s.Messages == 2:
				whole++ // it may be so before its caller knows
			case s.Definitions > 0 || done:
				t.Errorf("stopped at call %d: %+v", stop, s)
			}
		}
		if refusals < 4 {
			t.Errorf("%d states were refused", refusals)
		}
	}
}

func TestABackupOfANewerWarrenIsRefused(t *testing.T) {
	c := &Contents{}
	err := c.parse([]byte(`{"format":1,"data_format":99,"warren":"9.9.9"}`))
	refused(t, err, "made by a newer warren, 9.9.9")
	refused(t, c.parse([]byte(`{"format":2,"warren":"9.9.9"}`)), "made by a newer warren, 9.9.9")
	for _, name := range []string{"../evil.log", "warren.lock", "messages-1.log", "/etc/passwd"} {
		err := (&Contents{}).parse([]byte(`{"format":1,"files":[{"name":"` + name + `"}]}`))
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
