package queue

import (
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Sequence numbers come and go in any order; some stay very long.
func TestSlotsHoldWhatAListWouldHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s slots
		live := make([]bool, rapid.IntRange(0, 3*pageSlots).Draw(t, "first")) // by number
		remove := func(seq int) {
			s.remove(uint64(seq))
			live[seq] = false
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 4*pageSlots).Draw(t, "count") {
					s.add(uint64(len(live))).state = slotReady
					live = append(live, true)
				}
			},
			"skip": func(t *rapid.T) {
				skipped := rapid.SampledFrom([]int{1, pageSlots, 2 * folderSlots})
				live = append(live, make([]bool, skipped.Draw(t, "skipped"))...)
			},
			"add late": func(t *rapid.T) {
				if len(live) == 0 {
					return
				}
				seq := rapid.IntRange(0, len(live)-1).Draw(t, "late")
				if !live[seq] {
					s.add(uint64(seq)).state = slotReady
					live[seq] = true
				}
			},
			"remove the oldest": func(t *rapid.T) {
				// All but a few: the pages in between go, the first one stays.
				keep := rapid.IntRange(0, 2).Draw(t, "keep")
				old := held(live)
				for i, seq := range old {
					if i >= keep && i < len(old)*2/3 {
						remove(seq)
					}
				}
			},
			"remove some": func(t *rapid.T) {
				left := held(live)
				for range min(len(left), rapid.IntRange(1, 10).Draw(t, "count")) {
					i := rapid.IntRange(0, len(left)-1).Draw(t, "which")
					remove(left[i])
					left = slices.Delete(left, i, i+1)
				}
			},
			"remove all": func(*rapid.T) {
				for _, seq := range held(live) {
					remove(seq)
				}
			},
			"": func(t *rapid.T) { checkHeld(t, &s, live) },
		})
	})
}

func held(live []bool) (seqs []int) {
	for seq, there := range live {
		if there {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

func checkHeld(t *rapid.T, s *slots, live []bool) {
	t.Helper()
	pages, last := 0, -1
	for _, seq := range held(live) {
		if number := seq / pageSlots; number != last {
			pages, last = pages+1, number
		}
	}
	if n := livePages(s); n != pages {
		t.Fatalf("%d pages for messages on %d", n, pages)
	}
	for seq := range len(live) + 2*pageSlots {
		want := seq < len(live) && live[seq]
		if got := s.at(uint64(seq)) != nil; got != want {
			t.Fatalf("message %d there: %v, want %v", seq, got, want)
		}
	}
	if n := len(s.folders); n > pages+1 {
		t.Fatalf("%d folders for %d pages", n, pages)
	}
	checkSlots(t, s)
	checkNeighbours(t, s, live)
}

// checkNeighbours: next and previous find what a look at the list finds.
func checkNeighbours(t *rapid.T, s *slots, live []bool) {
	t.Helper()
	from := rapid.IntRange(0, len(live)+folderSlots).Draw(t, "from")
	want, wantFound := uint64(0), false
	for seq := len(live) - 1; seq >= from; seq-- {
		if live[seq] {
			want, wantFound = uint64(seq), true
		}
	}
	if got, found := s.next(uint64(from)); got != want || found != wantFound {
		t.Fatalf("next of %d: got %d, %v, want %d, %v", from, got, found, want, wantFound)
	}
	want, wantFound = 0, false
	for seq := range min(from+1, len(live)) {
		if live[seq] {
			want, wantFound = uint64(seq), true
		}
	}
	if got, found := s.previous(uint64(from)); got != want || found != wantFound {
		t.Fatalf("previous of %d: got %d, %v, want %d, %v", from, got, found, want, wantFound)
	}
}

func livePages(s *slots) (n int) {
	for _, f := range s.folders {
		n += bits.OnesCount64(f.used)
	}
	return n
}

func TestForgottenMessageCostsOnePage(t *testing.T) {
	const passing = 10_000
	var q Queue
	forgetful, busy := &Consumer{Prefetch: 1}, &Consumer{Prefetch: 10}
	m := Command{Kind: Enqueue, Message: storyMessage(t, "m", 0)}
	q.Apply(0, []Command{
		{Kind: Subscribe, Consumer: forgetful}, m, {Kind: Subscribe, Consumer: busy},
	}, nil)
	most := 0
	for range passing {
		effects, _ := q.Apply(0, []Command{m}, nil)
		if len(effects) != 1 || effects[0].Consumer != busy {
			t.Fatalf("want one delivery, got %v", effects)
		}
		q.Apply(0, []Command{{Kind: Ack, Seq: effects[0].Seq}}, nil)
		most = max(most, livePages(&q.slots))
	}
	if most > 2 {
		t.Errorf("%d pages for the forgotten message and the newest one", most)
	}
	if n := cap(q.slots.folders); n > 4 {
		t.Errorf("room for %d folders, want 2", n)
	}
	q.Apply(0, []Command{{Kind: Ack, Seq: 1}}, nil)
	if n := livePages(&q.slots); n != 0 || len(q.slots.folders) > 1 {
		t.Errorf("an empty queue keeps %d pages, %d folders", n, len(q.slots.folders))
	}
	checkBooks(t, &q)
}

func TestFoldersDoNotGrowWithWhatPasses(t *testing.T) {
	var s slots
	const held, passing = 10 * pageSlots, 2000 * pageSlots
	for seq := range uint64(passing) {
		s.add(seq).state = slotReady
		if seq >= held {
			s.remove(seq - held)
		}
	}
	if n := cap(s.folders); n > 4 {
		t.Errorf("%d folders for %d pages", n, held/pageSlots+1)
	}
}

func TestQueueKeepsSparePagesForTheBatchesThatPass(t *testing.T) {
	for _, c := range []struct{ pages, want int }{
		{1, 1}, {5, 5}, {sparesMax, sparesMax}, {3 * sparesMax, sparesMax},
	} {
		var s slots
		tail := uint64(0)
		for range 10 * sparesMax {
			first := tail
			for range c.pages * pageSlots {
				s.add(tail).state = slotReady
				tail++
			}
			for seq := first; seq < tail; seq++ {
				s.remove(seq)
			}
		}
		if got := len(s.spares); got != c.want {
			t.Errorf("%d pages at a time: %d are kept, want %d", c.pages, got, c.want)
		}
	}
}

func TestQueueThatWasLongKeepsNothing(t *testing.T) {
	const length = 200_000
	var q Queue
	c := &Consumer{}
	commands := []Command{{Kind: Subscribe, Consumer: c}}
	m := Command{Kind: Enqueue, Message: storyMessage(t, "m", 0)}
	for range length {
		commands = append(commands, m)
	}
	effects, _ := q.Apply(0, commands, nil)
	commands = commands[:0]
	for _, e := range effects[1:] {
		commands = append(commands, Command{Kind: Return, Seq: e.Seq})
	}
	// All of it was unacknowledged, all returned; now it is dropped.
	commands = append(commands, Command{Kind: Cancel, Consumer: c}, Command{Kind: Purge})
	for left, more := commands, true; more; left = nil {
		_, more = q.Apply(0, left, nil)
	}
	if q.Ready() != 0 || len(commands) != length+2 {
		t.Fatalf("%d of %d still ready", q.Ready(), len(commands))
	}
	if pages := livePages(&q.slots) + len(q.slots.spares); pages > 1 {
		t.Errorf("%d pages kept", pages)
	}
	if n := cap(q.slots.folders); n > foldersKept {
		t.Errorf("room for %d folders kept", n)
	}
	if n := cap(q.returned); n > indexKept {
		t.Errorf("room for %d returned messages kept", n)
	}
}

func TestQueueThatIsLongNowAndThenKeepsLittle(t *testing.T) {
	const waves, length = 3, 10 * sparesMax * pageSlots
	var s slots
	for wave := range uint64(waves) {
		for seq := wave * length; seq < (wave+1)*length; seq++ {
			s.add(seq).state = slotReady
		}
		for seq := wave * length; seq < (wave+1)*length; seq++ {
			s.remove(seq)
		}
	}
	if got := len(s.spares); got >= waves {
		t.Errorf("%d pages kept after %d waves", got, waves)
	}
}
