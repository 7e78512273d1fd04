package store

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// indexBytesMax is the promise of unsettled: this many bytes for an unsettled message.
const indexBytesMax = 64

func TestIndexAgreesWithAMap(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		x, model := newIndex(), make(map[stray]entry)
		var ids []LSN
		// Half of the runs publish more than they settle, half the other way round.
		bias := 3 + random.IntN(5)
		for next := LSN(1); next < 4000; next++ {
			q := QueueID(random.IntN(3))
			switch n := random.IntN(10); {
			case n < bias:
				e := entry{id: next, file: 1 + uint32(next/100), share: uint32(random.IntN(100))}
				if !x.add(q, e) {
					t.Fatalf("seed %d: %d not added", seed, next)
				}
				model[stray{q, next}] = e
				ids = append(ids, next)
			case n < 9 && len(ids) > 0:
				i := random.IntN(1 + random.IntN(len(ids))) // mostly old ones
				got, ok := x.remove(q, ids[i])
				want, known := model[stray{q, ids[i]}]
				if ok != known || got != want {
					t.Fatalf("seed %d: removed %+v, %v, want %+v, %v", seed, got, ok, want, known)
				}
				delete(model, stray{q, ids[i]})
				if random.IntN(2) == 0 {
					ids = slices.Delete(ids, i, i+1)
				}
			case random.IntN(300) == 0:
				x.removeQueue(q, func(e entry) {
					if model[stray{q, e.id}] != e {
						t.Fatalf("seed %d: removed with its queue: %+v", seed, e)
					}
					delete(model, stray{q, e.id})
				})
			}
		}
		checkIndex(t, &x, model)
	}
}

func checkIndex(t *testing.T, x *index, model map[stray]entry) {
	t.Helper()
	if x.count != len(model) {
		t.Fatalf("%d entries, want %d", x.count, len(model))
	}
	for s, want := range model {
		if e := x.find(s.queue, s.id); e == nil || *e != want {
			t.Fatalf("found %v, want %+v", e, want)
		}
	}
	live := 0
	for _, u := range x.queues {
		live += u.live()
	}
	if live != len(model) {
		t.Fatalf("%d entries live, want %d", live, len(model))
	}
}

func TestIndexMemoryIsBoundedPerUnsettledMessage(t *testing.T) {
	if size := unsafe.Sizeof(entry{}); size != 16 {
		t.Fatalf("an entry has %d bytes", size)
	}
	const n = 20000
	shuffled := rand.New(rand.NewPCG(1, 1)).Perm(n)
	settle := map[string]func(i int) int{
		"oldest first": func(i int) int { return i },
		"newest first": func(i int) int { return n - 1 - i },
		"any":          func(i int) int { return shuffled[i] },
	}
	for name, order := range settle {
		t.Run(name, func(t *testing.T) {
			x := newIndex()
			check := func() {
				u := x.queues[1]
				bytes := cap(u.entries) * int(unsafe.Sizeof(entry{}))
				limit := indexBytesMax*u.live() + unsettledSmall*int(unsafe.Sizeof(entry{}))
				if bytes > limit {
					t.Fatalf("%d bytes for %d messages", bytes, u.live())
				}
			}
			for i := range n {
				x.add(1, entry{id: LSN(i + 1), file: 1})
				check()
			}
			for i := range n {
				if _, ok := x.remove(1, LSN(order(i)+1)); !ok {
					t.Fatalf("message %d is not there", order(i)+1)
				}
				check()
			}
		})
	}
}

func TestSteadyQueueDoesNotGrowTheIndex(t *testing.T) {
	x := newIndex()
	next := LSN(1)
	for ; next <= 1000; next++ {
		x.add(1, entry{id: next, file: 1})
	}
	for range 100_000 {
		x.remove(1, next-1000)
		x.add(1, entry{id: next, file: 1})
		next++
	}
	before := cap(x.queues[1].entries)
	allocs := testing.AllocsPerRun(100_000, func() {
		x.remove(1, next-1000)
		x.add(1, entry{id: next, file: 1})
		next++
	})
	if after := cap(x.queues[1].entries); after != before || allocs != 0 {
		t.Errorf("room for %d, then %d; %v allocations", before, after, allocs)
	}
}

func TestStraysFindTheirPlace(t *testing.T) {
	x := newIndex()
	for _, id := range []LSN{100, 101, 7, 102, 3, 5} { // copies of old messages among new ones
		if _, known := x.relocate(1, entry{id: id, file: 9}); known {
			t.Fatalf("%d was known", id)
		}
	}
	if before, known := x.relocate(1, entry{id: 5, file: 10}); !known || before.file != 9 {
		t.Fatalf("before %+v, %v", before, known)
	}
	if _, ok := x.remove(1, 7); !ok {
		t.Fatal("7 is not there")
	}
	if _, ok := x.remove(1, 101); !ok {
		t.Fatal("101 is not there")
	}
	x.mergeStrays()
	checkIndex(t, &x, map[stray]entry{{1, 3}: {id: 3, file: 9}, {1, 5}: {id: 5, file: 10},
		{1, 100}: {id: 100, file: 9}, {1, 102}: {id: 102, file: 9}})
	if ids := x.queues[1].entries; !slices.IsSortedFunc(ids, func(a, b entry) int {
		return int(a.id) - int(b.id)
	}) {
		t.Errorf("entries %v", ids)
	}
}
