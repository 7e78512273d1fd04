package index

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// copy writes what is live of some queues in one or two files to a new file, by extent or by
// queue. The move follows later.
func (m *model) copy(t *rapid.T) {
	if len(m.copies) > 0 {
		return
	}
	sources := slices.Sorted(maps.Keys(m.files))
	sources = sources[:len(sources)-1] // not the log, which has the highest number
	if len(sources) == 0 {
		return
	}
	at := rapid.IntRange(0, len(sources)-1).Draw(t, "from")
	from := sources[at:min(at+rapid.IntRange(1, 3).Draw(t, "files"), len(sources))]
	whole := rapid.Bool().Draw(t, "whole")
	to := m.addFile()
	m.log = m.addFile() // keeps the highest number
	if rapid.Bool().Draw(t, "tracked") {
		m.track(to)
	}
	for _, q := range m.queues {
		for _, f := range from {
			m.copyPart(q, f, to, whole)
		}
		m.files[to] += rapid.SampledFrom([]uint32{0, 0, joinMax + 1}).Draw(t, "space")
	}
}

func (m *model) copyPart(q *Queue, from, to FileID, whole bool) {
	c := copied{queue: q, from: from, to: to, last: NumberMax, start: m.files[to]}
	c.places = map[uint64]place{}
	for e := range q.In(from) {
		for _, n := range liveOf(e) {
			c.places[n] = m.write(q, to, n)
		}
		if !whole {
			c.first, c.last, c.end = e.First, e.Last, m.files[to]
			m.copies = append(m.copies, c)
			c.start, c.places = m.files[to], map[uint64]place{}
		}
	}
	if c.end = m.files[to]; whole && len(c.places) > 0 {
		m.copies = append(m.copies, c)
	}
}

// move does one of the moves that copy prepared.
func (m *model) move(t *rapid.T) {
	if len(m.copies) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.copies)-1).Draw(t, "copy")
	c := m.copies[i]
	m.copies = slices.Delete(m.copies, i, i+1)
	for n, p := range m.live[c.queue] {
		if to, ok := c.places[n]; ok && p.file == c.from {
			m.live[c.queue][n] = to
		}
	}
	if c.last == NumberMax {
		m.x.Move(c.queue, c.from, c.to, c.start, c.end)
	} else {
		m.x.MoveRange(c.queue, c.from, c.to, c.first, c.last, c.start, c.end)
	}
}

// finish does all moves, and removes the files that are empty.
func (m *model) finish(t *rapid.T) {
	for len(m.copies) > 0 {
		m.move(t)
	}
	for f := range m.files {
		if live, bytes := m.x.File(f); live == 0 && f != m.log {
			if bytes != 0 {
				t.Fatalf("file %d has nothing live, but %d bytes", f, bytes)
			}
			m.x.RemoveFile(f)
			delete(m.files, f)
			delete(m.tracked, f)
			delete(m.records, f)
			maps.DeleteFunc(m.manifest, func(k key, _ []byte) bool { return k.file == f })
		}
	}
}

// save writes what changed to the manifest, and restores an index from it.
func (m *model) save(t *rapid.T) {
	if len(m.copies) > 0 {
		return // a file and its copy are not in the manifest at the same time
	}
	m.x.Dirty(func(q *Queue, e *Extent) {
		m.manifest[key{q, e.File, e.First}] = e.AppendTo(nil)
	})
	m.x.Dirty(func(_ *Queue, e *Extent) { t.Fatalf("%v is still dirty", e) })
	x := New()
	for f := range m.files {
		x.AddFile(f)
		if m.tracked[f] {
			x.TrackFile(f)
		}
	}
	queues := map[*Queue]*Queue{}
	for _, q := range m.queues {
		queues[q] = &Queue{}
	}
	for k, b := range m.manifest { // in any order
		e, rest, err := DecodeExtent(b)
		if err != nil || len(rest) > 0 {
			t.Fatal(err, rest)
		}
		if !m.tracked[e.File] || e.File != k.file || e.First != k.first {
			t.Fatalf("%v in the manifest as %v", e, k)
		}
		if err := x.Insert(queues[k.queue], e); err != nil {
			t.Fatal(err)
		}
	}
	x.Dirty(func(_ *Queue, e *Extent) { t.Fatalf("%v is from the manifest", e) })
	for _, q := range m.queues {
		restored := map[uint64]FileID{}
		for e := range queues[q].Extents() {
			for _, n := range liveOf(e) {
				restored[n] = e.File
			}
		}
		want := map[uint64]FileID{}
		for n, p := range m.live[q] {
			if m.tracked[p.file] {
				want[n] = p.file
			}
		}
		if !maps.Equal(restored, want) {
			t.Fatalf("the manifest has %v, want %v", restored, want)
		}
	}
	for f := range m.tracked {
		live, bytes := m.x.File(f)
		if n, b := x.File(f); n != live || b != bytes {
			t.Fatalf("the manifest has %d, %d bytes in file %d, want %d, %d", n, b, f, live, bytes)
		}
	}
}

func TestIndexAgreesWithAListOfAllMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		steps := []func(*rapid.T){
			m.append, m.append, m.append, m.pass, m.skip, m.settle, m.settle, m.settle,
			m.truncate, m.deleteQueue, m.roll, m.roll, m.copy, m.move, m.finish, m.save,
		}
		for range rapid.IntRange(20, 100).Draw(t, "steps") {
			steps[rapid.IntRange(0, len(steps)-1).Draw(t, "step")](t)
			m.check(t)
		}
		m.finish(t)
		m.check(t)
		m.save(t)
	})
}

func (m *model) check(t *rapid.T) {
	files, bytes := m.perFile(), map[FileID]int64{}
	in := map[FileID]map[*Queue]bool{}
	for _, q := range m.queues {
		m.checkQueue(t, q)
		for e := range q.Extents() {
			bytes[e.File] += e.Bytes
			if in[e.File] == nil {
				in[e.File] = map[*Queue]bool{}
			}
			in[e.File][q] = true
		}
	}
	for f := range m.files {
		live, b := m.x.File(f)
		if live != files[f] || b != bytes[f] {
			t.Fatalf("file %d: %d live, %d bytes, want %d, %d", f, live, b, files[f], bytes[f])
		}
		count := 0
		for q := range m.x.QueuesOf(f) {
			if count++; !in[f][q] {
				t.Fatalf("file %d has nothing of queue %v", f, q.Owner)
			}
		}
		if count != len(in[f]) {
			t.Fatalf("file %d has %d queues, want %d", f, count, len(in[f]))
		}
	}
}

func (m *model) checkQueue(t *rapid.T, q *Queue) {
	live := m.live[q]
	count, bytes := q.Live()
	if count != len(live) || bytes != m.bytes[q] || count == 0 && bytes != 0 {
		t.Fatalf("queue %v: %d live, %d bytes, want %d, %d", q.Owner, count, bytes, len(live),
			m.bytes[q])
	}
	for _, e := range slices.Concat(q.list[:q.head], q.list[len(q.list):cap(q.list)]) {
		if e != nil {
			t.Fatalf("the list holds on to %+v", e)
		}
	}
	var seen, last uint64
	for e := range q.Extents() {
		if e.First <= last || e.Last < e.First || e.Live == 0 || e.account.id != e.File {
			t.Fatalf("after %d: %+v", last, e)
		}
		if q.Find(last+1) != e || q.Find(e.First) != e || q.Find(e.Last) != e {
			t.Fatalf("%+v is not found", e)
		}
		if words := len(e.gone.words); uint64(words) > (e.Last-e.gone.below)/32+64 {
			t.Fatalf("%d words for %d to %d", words, e.gone.below, e.Last)
		}
		run := e.First - 1 // the end of the run that n is in, or behind
		for n := e.First; n <= e.Last; n++ {
			p, ok := live[n]
			if _, before := live[n-1]; ok && n > run && (!before || n == e.First) {
				run = e.LastLive(n)
			}
			if ok != (n <= run) {
				t.Fatalf("a run of live numbers ends at %d in %+v", run, e)
			}
			if ok != e.IsLive(n) {
				t.Fatalf("queue %v: %d is live: %v, want %v", q.Owner, n, !ok, ok)
			}
			if ok {
				seen++
				if p.file != e.File || p.at < e.Start || p.end > e.End {
					t.Fatalf("%d lies at %v, outside of %+v", n, p, e)
				}
			}
		}
		if got := liveOf(e); len(got) != e.Live {
			t.Fatalf("%d live, want %d", len(got), e.Live)
		}
		last = e.Last
		m.checkRecords(t, q, e)
	}
	if seen != uint64(len(live)) || q.Find(last+1) != nil {
		t.Fatalf("queue %v: %d in extents, want %d", q.Owner, seen, len(live))
	}
}

// checkRecords looks for two records of a live number in the bytes of an extent.
func (m *model) checkRecords(t *rapid.T, q *Queue, e *Extent) {
	found := map[uint64]int{}
	for _, r := range m.records[e.File] {
		if r.queue == q && r.at >= e.Start && r.end <= e.End && e.IsLive(r.number) {
			if found[r.number]++; found[r.number] > 1 {
				t.Fatalf("%d is twice in the bytes of %+v", r.number, e)
			}
		}
	}
	if len(found) != e.Live {
		t.Fatalf("%d of %d records found", len(found), e.Live)
	}
}
