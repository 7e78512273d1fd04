package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// content is what the files of a log have, by the ends of their names.
func content(t *testing.T, path string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range found {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(file, path)] = string(b)
	}
	return all
}

func open(t *testing.T, o Options) *File {
	t.Helper()
	f, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func write(t *testing.T, f *File, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
}

func expect(t *testing.T, path string, want map[string]string) {
	t.Helper()
	got := content(t, path)
	if len(got) != len(want) {
		t.Errorf("there are %q, want %q", got, want)
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s has %q, want %q", path+name, got[name], text)
		}
	}
}

func TestLargeFilesArePutAsideAndOldOnesForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "w.log")
	f := open(t, Options{Path: path, Size: 10, Count: 2})
	write(t, f, "0123456789", "a", "0123456789", "b", "longer than ten bytes")
	expect(t, path, map[string]string{"": "longer than ten bytes", ".0": "b", ".1": "0123456789"})
}

func TestSmallerCountTakesTheRestAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.log")
	for _, end := range []string{".0", ".1", ".2", ".3"} {
		if err := os.WriteFile(path+end, []byte(end), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, Options{Path: path, Size: 1, Count: 1})
	write(t, f, "a", "b")
	expect(t, path, map[string]string{"": "b", ".0": "a"})
	f.o.Count = 0
	write(t, f, "c")
	expect(t, path, map[string]string{"": "c"})
}

func TestFilesArePutAsideWhenTheirTimeHasCome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.log")
	now := time.Now()
	o := Options{Path: path, Count: 9, Now: func() time.Time { return now },
		Next: func(begin time.Time) time.Time { return begin.Add(time.Hour) }}
	f := open(t, o)
	write(t, f, "a")
	now = now.Add(59 * time.Minute)
	write(t, f, "b")
	now = now.Add(2 * time.Minute)
	write(t, f, "c")
	expect(t, path, map[string]string{"": "c", ".0": "ab"})
	// Also one that an earlier process began.
	now = now.Add(2 * time.Hour)
	again := open(t, o)
	write(t, again, "d")
	expect(t, path, map[string]string{"": "d", ".0": "c", ".1": "ab"})
}

func TestReopenFollowsTheName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.log")
	f := open(t, Options{Path: path})
	write(t, f, "a")
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	write(t, f, "b")
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, f, "c")
	expect(t, path, map[string]string{"": "c", ".moved": "ab"})
}

func TestClosedLogSaysSo(t *testing.T) {
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "w.log")})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("a closed log was written to")
	}
	if err := f.Reopen(); err != nil {
		t.Error(err)
	}
}
