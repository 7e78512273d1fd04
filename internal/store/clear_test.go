package store

import (
	"errors"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

func TestClearRemovesWhatAStoreKeepsAndNothingElse(t *testing.T) {
	fs := disk.NewMemory()
	if err := fs.MkdirAll("data"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		definitionsName, manifestName, manifestName + newSuffix, fileName(0, 7), reserveName,
		"notes.txt", "messages-7.log", "warren.conf",
	} {
		f, err := fs.Open("data/"+name, disk.Create)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	held, err := fs.Lock("data/" + lockName)
	if err != nil {
		t.Fatal(err)
	}
	if err := Clear(fs, "data"); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("a directory in use: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Clear(fs, "data"); err != nil {
		t.Fatal(err)
	}
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, name := range names {
		left[name] = true
	}
	delete(left, lockName)
	for _, name := range []string{"notes.txt", "messages-7.log", "warren.conf"} {
		if !left[name] {
			t.Errorf("%s is gone", name)
		}
		delete(left, name)
	}
	if len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
