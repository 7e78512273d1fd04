package disk_test

import (
	"fmt"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// crashState is what a small store looks like in the middle of its work: 10 files of 32 KiB, all
// synced once, two of them with unsynced overwrites, some names not yet safe.
func crashState(b *testing.B) *disk.Memory {
	m := disk.NewMemory()
	check := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	check(m.MkdirAll("/d"))
	for i := range 10 {
		f, err := m.Open(fmt.Sprint("/d/", i), disk.Create|disk.Direct)
		check(err)
		_, err = f.WriteAt(filled(8*disk.BlockBytes, byte('a'+i)), 0)
		check(err)
		check(f.Sync())
		if i < 2 {
			for block := range 8 {
				_, err = f.WriteAt(filled(disk.BlockBytes, 'x'), int64(block*disk.BlockBytes))
				check(err)
			}
		}
		check(f.Close())
		if i == 8 {
			check(m.SyncDir("/d"))
		}
	}
	check(m.Rename("/d/4", "/d/40"))
	return m
}

func BenchmarkCrash(b *testing.B) {
	m := crashState(b)
	b.ReportAllocs()
	seed := uint64(0)
	for b.Loop() {
		m.Crash(seed)
		seed++
	}
}

func BenchmarkClone(b *testing.B) {
	m := crashState(b)
	b.ReportAllocs()
	for b.Loop() {
		m.Clone()
	}
}
