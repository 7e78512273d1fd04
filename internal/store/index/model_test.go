package index

import (
	"maps"
	"slices"

	"pgregory.net/rapid"
)

// place is where a message lies.
type place struct {
	file    FileID
	at, end uint32
}

// record is what was once written to a file.
type record struct {
	queue   *Queue
	number  uint64
	at, end uint32
}

// key names an extent in the manifest.
type key struct {
	queue *Queue
	file  FileID
	first uint64
}

// copied is a queue's part of a file that was copied but is not yet moved.
type copied struct {
	queue      *Queue
	from, to   FileID
	first      uint64
	last       uint64
	start, end uint32
	places     map[uint64]place
}

// model knows where every live message is, one by one. It does to an index what a store does.
type model struct {
	x        *Index
	queues   []*Queue
	live     map[*Queue]map[uint64]place
	bytes    map[*Queue]int64
	next     map[*Queue]uint64
	files    map[FileID]uint32 // their size
	records  map[FileID][]record
	tracked  map[FileID]bool
	log      FileID // it is appended to
	lastFile FileID
	copies   []copied
	manifest map[key][]byte
}

func newModel() *model {
	m := &model{
		x: New(), live: map[*Queue]map[uint64]place{}, bytes: map[*Queue]int64{},
		next: map[*Queue]uint64{}, files: map[FileID]uint32{}, records: map[FileID][]record{},
		tracked: map[FileID]bool{}, manifest: map[key][]byte{},
	}
	for i := range 3 {
		q := &Queue{Owner: i}
		m.queues = append(m.queues, q)
		m.live[q] = map[uint64]place{}
		m.next[q] = 1
	}
	m.log = m.addFile()
	return m
}

func (m *model) addFile() FileID {
	m.lastFile++
	m.x.AddFile(m.lastFile)
	m.files[m.lastFile] = 4096
	return m.lastFile
}

func (m *model) write(q *Queue, f FileID, number uint64) place {
	p := place{f, m.files[f], m.files[f] + 10}
	m.files[f] = p.end
	m.records[f] = append(m.records[f], record{q, number, p.at, p.end})
	return p
}

func (m *model) queue(t *rapid.T) *Queue { return rapid.SampledFrom(m.queues).Draw(t, "queue") }

func (m *model) append(t *rapid.T) {
	q := m.queue(t)
	for range rapid.IntRange(1, 100).Draw(t, "count") {
		p := m.write(q, m.log, m.next[q])
		m.x.Append(q, m.log, m.next[q], p.at, p.end, 10)
		m.live[q][m.next[q]] = p
		m.bytes[q] += 10
		m.next[q]++
	}
}

func (m *model) skip(t *rapid.T) {
	hole := rapid.OneOf(rapid.Uint64Range(1, 70), rapid.Uint64Range(gapMax-2, gapMax+2))
	m.next[m.queue(t)] += hole.Draw(t, "hole")
}

// gone takes the numbers for which pick says so out of the model, and returns which files ran
// empty.
func (m *model) gone(q *Queue, pick func(uint64) bool) (count int, emptied []FileID) {
	before := m.perFile()
	maps.DeleteFunc(m.live[q], func(n uint64, _ place) bool {
		if pick(n) {
			count++
		}
		return pick(n)
	})
	after := m.perFile()
	for f := range before {
		if after[f] == 0 {
			emptied = append(emptied, f)
		}
	}
	slices.Sort(emptied)
	return count, emptied
}

func (m *model) perFile() map[FileID]int {
	files := map[FileID]int{}
	for _, live := range m.live {
		for _, p := range live {
			files[p.file]++
		}
	}
	return files
}

func (m *model) settleRange(t *rapid.T, q *Queue, first, last uint64) {
	want, wantEmptied := m.gone(q, func(n uint64) bool { return n >= first && n <= last })
	count, bytes, emptied := m.x.Settle(q, first, last, []FileID{99})
	m.bytes[q] -= bytes
	slices.Sort(emptied[1:])
	if emptied[0] != 99 || count != want || bytes < 0 || !slices.Equal(emptied[1:], wantEmptied) {
		t.Fatalf("settled %d, %d bytes, emptied %v, want %d and %v", count, bytes, emptied, want,
			wantEmptied)
	}
}

// settle settles in order, at random, and ranges; sometimes what is not there.
func (m *model) settle(t *rapid.T) {
	q := m.queue(t)
	numbers := slices.Sorted(maps.Keys(m.live[q]))
	if len(numbers) == 0 {
		m.settleRange(t, q, 0, NumberMax)
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		for _, n := range numbers[:rapid.IntRange(1, len(numbers)).Draw(t, "count")] {
			m.settleRange(t, q, n, n)
		}
	case 1:
		for range rapid.IntRange(1, 50).Draw(t, "count") {
			n := rapid.SampledFrom(numbers).Draw(t, "number")
			m.settleRange(t, q, n, n)
		}
	case 2:
		first := rapid.SampledFrom(numbers).Draw(t, "first")
		m.settleRange(t, q, first, first+rapid.Uint64Range(0, 200).Draw(t, "more"))
	default:
		first := rapid.Uint64Range(0, m.next[q]).Draw(t, "first")
		m.settleRange(t, q, first, rapid.Uint64Range(0, m.next[q]+5).Draw(t, "last"))
	}
}

func (m *model) truncate(t *rapid.T) {
	q := m.queue(t)
	if rapid.IntRange(0, 2).Draw(t, "really") > 0 {
		return
	}
	back := min(rapid.Uint64Range(0, 300).Draw(t, "back"), m.next[q]-1)
	number := m.next[q] - back
	_, want := m.gone(q, func(n uint64) bool { return n >= number })
	emptied := m.x.TruncateFrom(q, number, nil)
	m.bytes[q] = q.bytes // the index alone knows its estimate
	slices.Sort(emptied)
	if !slices.Equal(emptied, want) {
		t.Fatalf("truncate emptied %v, want %v", emptied, want)
	}
	m.next[q] = number
}

// pass lets thousands of messages pass through a window, in which they are settled at random.
func (m *model) pass(t *rapid.T) {
	q := m.queue(t)
	if rapid.IntRange(0, 4).Draw(t, "really") > 0 {
		return
	}
	window := rapid.Uint64Range(1, 2000).Draw(t, "window")
	first := m.next[q]
	step := rapid.Uint64Range(1, 1000).Draw(t, "step")*2 + 1
	var emptied []FileID
	for i := range uint64(4096) { // an odd factor leaves none of a power of two out
		p := m.write(q, m.log, m.next[q])
		m.x.Append(q, m.log, m.next[q], p.at, p.end, 10)
		m.live[q][m.next[q]] = p
		m.bytes[q] += 10
		m.next[q]++
		if i < window {
			continue
		}
		n := first + (i-window)&^255 + (i-window)*step&255
		count, bytes, _ := m.x.Settle(q, n, n, emptied[:0])
		if _, ok := m.live[q][n]; ok != (count == 1) {
			t.Fatalf("settled %d messages at %d, live: %v", count, n, ok)
		}
		delete(m.live[q], n)
		m.bytes[q] -= bytes
	}
}

func (m *model) deleteQueue(t *rapid.T) {
	q := m.queue(t)
	if rapid.IntRange(0, 4).Draw(t, "really") > 0 {
		return
	}
	_, want := m.gone(q, func(uint64) bool { return true })
	emptied := m.x.DeleteQueue(q, nil)
	m.bytes[q] = 0
	slices.Sort(emptied)
	if !slices.Equal(emptied, want) {
		t.Fatalf("delete emptied %v, want %v", emptied, want)
	}
}

func (m *model) roll(t *rapid.T) {
	m.log = m.addFile()
	if rapid.Bool().Draw(t, "adopt") { // an older one
		f := rapid.SampledFrom(slices.Sorted(maps.Keys(m.files))).Draw(t, "file")
		m.track(f)
	}
}

func (m *model) track(f FileID) {
	if f != m.log {
		m.x.TrackFile(f)
		m.tracked[f] = true
	}
}
