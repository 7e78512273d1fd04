package store

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// damageGroups are the queues of the groups that groupsOnDisk writes; each message is the text of
// its group.
var damageGroups = [...][]QueueID{{1}, {2}, {1, 3}, {4}, {2}, {5}}

func damageText(group int) string { return "text of group " + string(rune('A'+group)) }

// groupsOnDisk is a directory with a log file of these groups.
func groupsOnDisk(t *testing.T) (m *disk.Memory, name string) {
	m = newDisk(t)
	s := open(t, worldOptions(m))
	for range 2 { // until a file is prepared, and begun
		_, lsn := put(s, s.OpenQueue(9), "of a file before")
		must(t, s.Wait(lsn))
		s.settleKeeper()
	}
	for i, ids := range damageGroups {
		var queues []*Queue
		for _, id := range ids {
			queues = append(queues, s.OpenQueue(id))
		}
		must(t, s.Wait(s.Publish(queues, make([]uint64, len(ids)), []byte(damageText(i)))))
	}
	must(t, s.Close())
	for _, name := range namesOf(t, m, roleLog) {
		if bytes.Contains(contentOf(t, m, name), []byte(damageText(0))) {
			return m, name
		}
	}
	t.Fatal("no log file has the messages")
	return nil, ""
}

// flipIn flips a bit of a byte of a file, in a copy of the file system.
func flipIn(t *testing.T, m *disk.Memory, name string, at, bit int) *disk.Memory {
	t.Helper()
	return change(t, m, name, func(b []byte) []byte {
		b[at] ^= 1 << bit
		return b
	})
}

// groupBytes is where a group is in the log file, without its padding.
func groupBytes(t *testing.T, m *disk.Memory, name string, group int) (from, to int) {
	t.Helper()
	text := bytes.Index(contentOf(t, m, name), []byte(damageText(group)))
	if text < 0 {
		t.Fatalf("group %d is not in %s", group, name)
	}
	return text / disk.BlockBytes * disk.BlockBytes, text + len(damageText(group))
}

// quarantined starts the store, as the next process does, so that what was found is remembered, and
// returns the queues in quarantine, by rising id.
func quarantined(t *testing.T, m *disk.Memory, do func(s *Store)) []QueueID {
	t.Helper()
	s := open(t, worldOptions(m))
	ids := slices.Sorted(maps.Keys(s.Quarantined()))
	if do != nil {
		do(s)
	}
	must(t, s.Close())
	return ids
}

func wantQuarantined(t *testing.T, m *disk.Memory, what string, want ...QueueID) {
	t.Helper()
	if got := quarantined(t, m, nil); !slices.Equal(got, want) {
		t.Errorf("%s: queues %d are in quarantine, want %d", what, got, want)
	}
}

// Of each group, every byte in turn is damaged, a bit of it.
func TestDamagedGroupQuarantinesItsQueuesOnly(t *testing.T) {
	m, name := groupsOnDisk(t)
	for group, ids := range damageGroups {
		from, to := groupBytes(t, m, name, group)
		for at := from; at < to; at++ {
			damaged := flipIn(t, m, name, at, at%8)
			s, err := Open(worldOptions(damaged))
			must(t, err)
			if got := slices.Sorted(maps.Keys(s.Quarantined())); !slices.Equal(got, ids) {
				t.Fatalf("bit of byte %d of group %d: %d in quarantine, want %d", at-from, group,
					got, ids)
			}
			must(t, s.Close())
		}
		damaged := flipIn(t, m, name, to-1, 0)
		quarantined(t, damaged, func(s *Store) {
			for id := QueueID(1); id <= 5; id++ {
				var want []string
				for i, ids := range damageGroups {
					if i != group && slices.Contains(ids, id) {
						want = append(want, damageText(i))
					}
				}
				wantTexts(t, s, s.OpenQueue(id), want...) // what is there, also of a damaged queue
			}
			_, lsn := put(s, s.OpenQueue(6), "it goes on")
			must(t, s.Wait(lsn))
		})
	}
}

func TestSeveralDamagedGroups(t *testing.T) {
	m, name := groupsOnDisk(t)
	flipGroups := func(groups ...int) *disk.Memory {
		damaged := m
		for _, group := range groups {
			_, to := groupBytes(t, m, name, group)
			damaged = flipIn(t, damaged, name, to-1, 0)
		}
		return damaged
	}
	wantQuarantined(t, flipGroups(1, 2), "one after the other", AllQueues)
	wantQuarantined(t, flipGroups(0, 1), "from the first on", AllQueues)
	wantQuarantined(t, flipGroups(1, 3), "with a whole one in between", 2, 4)
}

// segmentsOnDisk is a directory in which a segment has messages of queue 1 only; queue 2 has one in
// another file.
func segmentsOnDisk(t *testing.T) (m *disk.Memory, name string) {
	m = newDisk(t)
	s := open(t, worldOptions(m))
	q := s.OpenQueue(1)
	for range 400 {
		_, lsn := put(s, q, strings.Repeat("x", 1000))
		must(t, s.Wait(lsn))
	}
	_, lsn := put(s, s.OpenQueue(2), "whole")
	must(t, s.Wait(lsn))
	for range 5 {
		must(t, s.Define(func(func([]byte)) {}, []byte("a definition of some length")))
	}
	s.settleKeeper()
	s.mu.Lock()
	for _, x := range s.files.sorted() {
		if _, bytes := s.live(x); x.segment && bytes > s.options.FileBytesMax/8 {
			name = fileName(x.role, x.number)
			break
		}
	}
	s.mu.Unlock()
	must(t, s.Close())
	if name == "" {
		t.Fatal("no segment was made")
	}
	return m, name
}

func TestSegmentThatIsNotWholeQuarantinesItsQueues(t *testing.T) {
	m, name := segmentsOnDisk(t)
	wantQuarantined(t, m.Clone(), "nothing is damaged")
	wantQuarantined(t, without(t, m, name), "missing", 1)
	short := change(t, m, name, func(b []byte) []byte { return b[:dataStart+100] })
	wantQuarantined(t, short, "short", 1)
	wantQuarantined(t, change(t, m, name, func([]byte) []byte { return nil }), "of no bytes", 1)
	quarantined(t, short, func(s *Store) { wantTexts(t, s, s.OpenQueue(2), "whole") })
}

func TestQuarantineLastsUntilItIsEnded(t *testing.T) {
	log, logName := groupsOnDisk(t)
	_, to := groupBytes(t, log, logName, 3)
	segments, name := segmentsOnDisk(t)
	for what, c := range map[string]struct {
		mem *disk.Memory
		id  QueueID
	}{
		"damaged group":   {flipIn(t, log, logName, to-1, 3), 4},
		"missing segment": {without(t, segments, name), 1},
		"short segment": {change(t, segments, name,
			func(b []byte) []byte { return b[:dataStart+100] }), 1},
	} {
		for end, do := range map[string]func(s *Store){
			"Accept": func(s *Store) { must(t, s.Accept(c.id)) },
			"DeleteQueue": func(s *Store) {
				must(t, s.Wait(s.DeleteQueue(s.OpenQueue(c.id))))
				s.settleKeeper()
			},
		} {
			t.Run(what+" "+end, func(t *testing.T) {
				m := c.mem.Clone()
				for range 3 {
					wantQuarantined(t, m, "until it is ended", c.id)
				}
				quarantined(t, m, do)
				for range 3 {
					wantQuarantined(t, m, "ended")
				}
				quarantined(t, m, func(s *Store) { // it can be used and read again
					q := s.OpenQueue(c.id)
					n, _ := put(s, q, "new")
					all, err := loadAll(s, q, 1<<20)
					must(t, err)
					if len(all) == 0 || all[len(all)-1].Number != n {
						t.Errorf("%d messages, without the new one", len(all))
					}
				})
			})
		}
	}
}

// All bytes of both journals but those of the last group, which a crash could have torn.
func TestDamagedJournalIsRefused(t *testing.T) {
	m, _ := segmentsOnDisk(t)
	for _, name := range []string{definitionsName, manifestName} {
		content := contentOf(t, m, name)
		end := bytes.LastIndex(content, []byte("GROUP\r\n")) - recordHeadBytes - 1 // kind
		if end < headerBytes {
			t.Fatalf("%s has no group", name)
		}
		flips := 0
		for at, b := range content[:end] {
			if b == 0 {
				continue // mostly padding
			}
			flips++
			damaged := flipIn(t, m, name, at, at%8)
			before := contentOf(t, damaged, name)
			s, err := Open(worldOptions(damaged))
			if err == nil {
				_ = s.Close()
				t.Fatalf("%s: opened with a damaged byte %d", name, at)
			}
			if !errors.Is(err, ErrDamaged) && at >= headerBytes ||
				!strings.Contains(err.Error(), filepath.Join(worldDir, name)) {
				t.Fatalf("%s, byte %d: %v", name, at, err)
			}
			if !bytes.Equal(before, contentOf(t, damaged, name)) {
				t.Fatalf("%s was changed though it was refused", name)
			}
		}
		if flips < 100 {
			t.Errorf("%s: only %d flips", name, flips)
		}
	}
}
