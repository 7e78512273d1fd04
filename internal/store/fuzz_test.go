package store

import (
	"encoding/binary"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

// logSeeds are the contents of log files behind the header, and of manifest records, as a store
// writes them.
func logSeeds(t testing.TB) (logs [][]byte, edits [][]byte) {
	m := newDisk(t)
	s := open(t, worldOptions(m))
	a, b := s.OpenQueue(1), s.OpenQueue(2)
	for i := range 120 {
		var n [2]uint64
		s.Publish([]*Queue{a, b}, n[:], make([]byte, 100+i*20))
		s.Settle(a, one(n[0]))
		if i%10 != 0 {
			s.Settle(b, one(n[1]))
		}
		must(t, s.Wait(s.Stats().Last))
	}
	s.Truncate(b, 100)
	s.DeleteQueue(a)
	must(t, s.Close())
	for _, name := range namesOf(t, m, roleLog) {
		if b := contentOf(t, m, name); len(b) > dataStart+disk.BlockBytes {
			logs = append(logs, b[dataStart:min(len(b), dataStart+8*disk.BlockBytes)])
		}
	}
	again, err := Open(worldOptions(m))
	must(t, err)
	edits = slices.Clone(again.manifest.recovered)
	must(t, again.Close())
	return logs, edits
}

// fuzzDirectory is a data directory with nothing in it, started once.
func fuzzDirectory(t testing.TB) (*disk.Memory, directoryID) {
	m := newDisk(t)
	s := open(t, worldOptions(m))
	id := s.id
	must(t, s.Close())
	return m, id
}

// FuzzReplay reads any bytes as the log: as they are, or with the checksums set right where there
// are records. It ends, and takes memory that the size of the file bounds.
func FuzzReplay(f *testing.F) {
	logs, _ := logSeeds(f)
	for _, b := range logs {
		f.Add(b, true)
	}
	f.Add([]byte(groupMark+groupMark), false)
	base, id := fuzzDirectory(f)
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		const number = 1000
		if b = slices.Clone(b); sealed {
			sealBlocks(b, number, id.seed())
		}
		m := base.Clone()
		file, err := m.Open(worldDir+"/"+fileName(roleLog, number), disk.Create)
		must(t, err)
		_, err = file.WriteAt(header{id: id, number: number}.append(nil, roleLog.magic()), 0)
		must(t, err)
		_, err = file.WriteAt(b, dataStart)
		must(t, err)
		must(t, file.Close())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		lines, err := survivors(worldOptions(m))
		runtime.ReadMemStats(&after)
		if err == nil && !sealed && len(lines) > 0 {
			t.Fatalf("out of nothing: %q", lines)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20+1000*uint64(len(b)) {
			t.Fatalf("%d bytes allocated for %d", n, len(b))
		}
	})
}

// sealBlocks sets the checksums and lengths of what looks like groups at the beginnings of blocks.
func sealBlocks(b []byte, number uint32, seed uint32) {
	for at := 0; at < len(b); {
		n := recordsIn(b[at:])
		if n >= groupFixedBytes && kind(b[at+recordHeadBytes]) == kindGroup {
			setGroupLength(b[at : at+n : at+n])
		}
		seal(b[at:at+n], placeOf(number, int64(dataStart+at)), seed)
		at += int(blockAfter(int64(max(n, 1))))
	}
}

// recordsIn is how many bytes of b are records, by their lengths.
func recordsIn(b []byte) int {
	at := 0
	for len(b)-at > recordHeadBytes {
		n := uint64(binary.LittleEndian.Uint32(b[at:]))
		if n == 0 || n > uint64(len(b)-at-recordHeadBytes) {
			break
		}
		at += recordHeadBytes + int(n)
	}
	return at
}

// FuzzManifest applies any bytes as a record of the manifest to one that is in use.
func FuzzManifest(f *testing.F) {
	_, edits := logSeeds(f)
	for _, b := range edits {
		f.Add(b)
	}
	f.Add(sampleEdit().append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		state := newManifestState()
		for _, e := range edits {
			must(t, state.apply(e))
		}
		if state.apply(b) != nil {
			return
		}
		for number, file := range state.files {
			if file.number != number || file.role >= roleSpill {
				t.Fatalf("%+v", file.editFile)
			}
			for key, x := range file.extents {
				if x.Live <= 0 || x.First != key.first || uint32(x.File) != number ||
					x.Last-x.First >= index.SpanMax {
					t.Fatalf("%+v under %+v", x, key)
				}
			}
		}
	})
}

func sampleEdit() *edit {
	x := index.New()
	x.AddFile(9)
	x.TrackFile(9)
	q := &Queue{id: 77}
	q.logged.Owner = q
	for n := range uint64(200) {
		x.Append(&q.logged, 9, n+1, uint32(n*10), uint32(n*10+10), 10)
	}
	for n := uint64(3); n < 150; n += 3 {
		x.Settle(&q.logged, n, n, nil)
	}
	e := &edit{released: 8, added: []editFile{{9, roleLog, 5000}, {10, roleSegment, 1 << 30}},
		dropped: []uint32{4, 5}, known: placeOf(3, 4),
		damaged: []editDamage{{5, "because"}, {6, ""}}}
	x.Dirty(func(q *index.Queue, x *index.Extent) { e.addExtent(q, x) })
	return e
}

func TestManifestStateIsTheSumOfItsRecords(t *testing.T) {
	state := newManifestState()
	must(t, state.apply((&edit{added: []editFile{{4, roleLog, 1}}, damaged: []editDamage{
		{6, "once"}}}).append(nil)))
	e := sampleEdit()
	must(t, state.apply(e.append(nil)))
	x := state.files[9].extents[extentKey{77, 1}]
	if state.released != 8 || state.known != placeOf(3, 4) || state.files[4] != nil ||
		state.files[10].editFile != (editFile{10, roleSegment, 1 << 30}) || x.Live != 151 ||
		x.IsLive(3) || !x.IsLive(4) ||
		!maps.Equal(state.damaged, map[QueueID]string{5: "because", 6: ""}) {
		t.Errorf("%+v", state)
	}
	// A file with its extents goes as one; what comes later of it is no harm if it is nothing.
	must(t, state.apply((&edit{dropped: []uint32{9}}).append(nil)))
	if state.files[9] != nil {
		t.Error("the file is still there")
	}
	late := &edit{extents: e.extents, count: e.count}
	if err := state.apply(late.append(nil)); err == nil {
		t.Error("an extent without its file was taken")
	}
	for cut := range e.append(nil) {
		fresh := newManifestState()
		if fresh.apply(e.append(nil)[:cut]) == nil {
			t.Errorf("%d bytes of a record were taken", cut)
		}
	}
}

func TestManifestIsReadBackAsItWas(t *testing.T) {
	m := newDisk(t)
	options := worldOptions(m)
	s := open(t, options)
	slow, fast := s.OpenQueue(1), s.OpenQueue(2)
	for i := range 300 {
		n, _ := put(s, fast, string(make([]byte, 2000)))
		if i%7 == 0 {
			put(s, slow, string(make([]byte, 2000)))
		}
		must(t, s.Wait(s.Settle(fast, one(n))))
	}
	s.settleKeeper()
	if s.Stats().Edits < 3 || s.Stats().Segments == 0 {
		t.Errorf("nothing to be seen: %+v", s.Stats())
	}
	want := extentsOf(s)
	must(t, s.Close())
	again, err := Open(options)
	must(t, err)
	if got := extentsOf(again); !reflect.DeepEqual(got, want) {
		t.Errorf("recovered %+v, want %+v", got, want)
	}
	must(t, again.Close())
}

// extentsOf lists what the index has of every queue.
func extentsOf(s *Store) map[QueueID][]Extent {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[QueueID][]Extent)
	for id, q := range s.queues {
		for e := range q.logged.Extents() {
			out[id] = append(out[id], Extent{e.First, e.Last, e.Live, 0})
		}
	}
	return out
}
