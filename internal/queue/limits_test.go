package queue

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/warrenmq/warren/internal/message"
)

// enqueueMany returns commands that enqueue m as the numbers from first on, logged or not.
func enqueueMany(m message.Message, first, count int, logged bool) (commands []Command) {
	for seq := uint64(first); seq < uint64(first+count); seq++ {
		c := Command{Kind: Enqueue, Seq: seq, Message: m}
		if logged {
			c.Message.ID = seq
		}
		commands = append(commands, c)
	}
	return commands
}

// count returns how many effects of a kind there are, and how many numbers Settled covers.
func count(effects []Effect, kind EffectKind) (n int) {
	for _, e := range effects {
		switch {
		case e.Kind == kind && kind == Settled:
			n += int(e.Last() - e.Seq + 1)
		case e.Kind == kind:
			n++
		}
	}
	return n
}

func TestPageOutStopsAfterItsLimit(t *testing.T) {
	const length = 3 * pageOutMax
	var q Queue
	m := storyMessage(t, "m", 1000)
	q.Apply(0, enqueueMany(m, 1, length, true), nil)
	q.SetResidentMax(1)
	each := m.Size() + MessageOverhead
	for turns, more := 1, true; more; turns++ {
		before := q.ResidentBytes()
		_, more = q.Apply(0, nil, nil)
		if went := (before - q.ResidentBytes()) / each; went > pageOutMax+runMax {
			t.Fatalf("%d messages went at once", went)
		}
		if turns < 3 && !more {
			t.Errorf("nothing more to do after %d turns", turns)
		}
		checkBooks(t, &q)
	}
	if got := q.ResidentBytes(); got < headWindow || got > headWindow+runMin+each {
		t.Errorf("%d bytes resident", got)
	}
	if q.Ready() != length || len(q.out.ranges) != 1 {
		t.Errorf("%d ready, out are %v", q.Ready(), q.out.ranges)
	}
}

func TestSpillIsNoLongerThanARun(t *testing.T) {
	for _, size := range []int{1, 10000} {
		var q Queue
		m := storyMessage(t, "m", size)
		q.Apply(0, enqueueMany(m, 1, 4*headWindow/(size+MessageOverhead)+2*runMax, false), nil)
		q.SetResidentMax(1)
		effects, more := q.Apply(0, nil, nil)
		n := count(effects, Spill)
		if more || n == 0 || n > runMax || (n-1)*(size+MessageOverhead) > runBytesMax {
			t.Errorf("%d bytes each: %d to be spilled, more: %v", size, n, more)
		}
		// What is asked twice is asked for nothing, and a wrong answer is none.
		effects, _ = q.Apply(0, []Command{
			{Kind: Spilled, Seq: effects[1].Seq}, {Kind: SpillFailed, Seq: effects[1].Seq},
		}, nil)
		if len(effects) > 0 || q.paging.spillFailed {
			t.Errorf("want nothing, got %v", effects)
		}
	}
}

func TestPurgeRemovesLittleAtATime(t *testing.T) {
	const length = 3 * purgeMax
	var q Queue
	c := &Consumer{}
	m := storyMessage(t, "m", 0)
	effects, _ := q.Apply(0, append([]Command{{Kind: Subscribe, Consumer: c}},
		enqueueMany(m, 1, length, true)...), nil)
	commands := []Command{{Kind: Cancel, Consumer: c}}
	for _, e := range effects[1:] {
		commands = append(commands, Command{Kind: Return, Seq: e.Seq})
	}
	commands = append(commands, enqueueMany(m, length+1, length, true)...)
	q.Apply(0, commands, nil)

	settled := 0
	purge := func(want int, also ...Command) (more bool) {
		effects, more := q.Apply(0, append(also, Command{Kind: Purge}), nil)
		n := count(effects, Settled)
		if settled += n; n > purgeMax {
			t.Errorf("%d settled at once", n)
		}
		for _, e := range effects {
			if e.Kind == Purged && e.Ready != want {
				t.Errorf("%d purged, want %d", e.Ready, want)
			}
		}
		checkBooks(t, &q)
		return more
	}
	if !purge(2*length) || !purge(0) {
		t.Error("nothing more to do")
	}
	// Another purge before the first has been cleaned up, of what returned as well.
	effects, _ = q.Apply(0, []Command{
		{Kind: Enqueue, Seq: 2*length + 1, Message: m}, {Kind: Get, Consumer: c},
		{Kind: Enqueue, Seq: 2*length + 2, Message: m},
	}, nil)
	settled += count(effects, Settled)
	more := purge(2, Command{Kind: Return, Seq: 2*length + 1})
	for more {
		effects, more = q.Apply(0, nil, nil)
		settled += count(effects, Settled)
		checkBooks(t, &q)
	}
	if settled != 2*length || livePages(&q.slots) != 0 {
		t.Errorf("%d settled, want %d; %d pages left", settled, 2*length, livePages(&q.slots))
	}
}

func TestGapIsWaitedForButNotForEver(t *testing.T) {
	m := storyMessage(t, "m", 10_000)
	fill := func(q *Queue, gap, upTo int, m message.Message) {
		before, behind := enqueueMany(m, 1, gap-1, true), enqueueMany(m, gap+1, upTo-gap, true)
		q.Apply(0, append(before, behind...), nil)
		checkBooks(t, q)
	}
	var waiting, enough, small Queue
	waiting.SetResidentMax(headWindow)
	fill(&waiting, 40, 100, m)
	if r := waiting.out.ranges; len(r) != 1 || r[0].Last != 39 {
		t.Errorf("out are %v, want what is before the gap", r)
	}
	waiting.Apply(0, enqueueMany(m, 40, 1, true), nil)
	if r := waiting.out.ranges; len(r) != 1 || r[0].Last < 90 {
		t.Errorf("out are %v, want all but the end", r)
	}
	enough.SetResidentMax(headWindow)
	fill(&enough, 40, 60+gapPatienceBytes/10_000, m)
	if r := enough.out.ranges; len(r) != 2 {
		t.Errorf("out are %v, want what is around the gap", r)
	}
	enough.Apply(0, enqueueMany(m, 40, 1, true), nil)
	enough.Apply(0, enqueueMany(m, 61+gapPatienceBytes/10_000, 5, true), nil)
	if r := enough.out.ranges; len(r) != 1 {
		t.Errorf("out are %v, want one range when the gap has been filled", r)
	}
	checkBooks(t, &enough)
	tiny := storyMessage(t, "m", 0)
	small.SetResidentMax(1)
	fill(&small, 6000, 6000+gapPatience-1, tiny)
	if r := small.out.ranges; len(r) != 1 || r[0].Last > 6000 {
		t.Errorf("out are %v, want what is before the gap", r)
	}
	small.Apply(0, enqueueMany(tiny, 6000+gapPatience, 1000, true), nil)
	if r := small.out.ranges; len(r) != 2 {
		t.Errorf("out are %v, want what is around the gap", r)
	}
}

func TestSettledRangesReachOverFewNumbers(t *testing.T) {
	var q Queue
	c := &Consumer{}
	m := storyMessage(t, "m", 0)
	commands := append([]Command{{Kind: Subscribe, Consumer: c}},
		enqueueMany(m, 1, 1, true)...)
	commands = append(commands, enqueueMany(m, 2, holesMax-1, false)...)
	commands = append(commands, enqueueMany(m, holesMax+1, 1, true)...)
	commands = append(commands, enqueueMany(m, holesMax+2, holesMax, false)...)
	commands = append(commands, enqueueMany(m, 2*holesMax+2, 1, true)...)
	q.Apply(0, commands, nil)
	commands = commands[:0]
	for seq := uint64(1); seq <= 2*holesMax+2; seq++ {
		commands = append(commands, Command{Kind: Ack, Seq: seq})
	}
	effects, _ := q.Apply(0, commands, nil)
	if len(effects) != 2 || effects[0].Last() != holesMax+1 || effects[1].Seq != 2*holesMax+2 {
		t.Errorf("got %v, want 1 to %d, and %d", effects, holesMax+1, 2*holesMax+2)
	}
}

func TestOldMessagesOfALongQueueGetMemoryOfTheirOwn(t *testing.T) {
	const length = compactBacklog + (compactMax+8)*pageSlots
	var arena message.Arena
	var b message.Builder
	var q Queue
	first := make(map[uint64]*byte)
	var commands []Command
	for seq := uint64(1); seq <= length; seq++ {
		size := uint64(16)
		if seq == 70 {
			size = 100_000
		}
		if err := b.Begin(&arena, nil, []byte{byte(seq), byte(seq >> 8)}, nil, size); err != nil {
			t.Fatal(err)
		}
		b.Append(make([]byte, size))
		m := b.Done()
		first[seq] = unsafe.SliceData(m.Bytes())
		commands = append(commands, Command{Kind: Enqueue, Message: m})
	}
	moved := func(seq uint64) bool {
		m := &q.slots.at(seq).message
		if key := m.RoutingKey(); key[0] != byte(seq) || key[1] != byte(seq>>8) {
			t.Fatalf("message %d has the key %v", seq, key)
		}
		return unsafe.SliceData(m.Bytes()) != first[seq]
	}
	q.Apply(0, commands[:compactBacklog], nil)
	if q.compact(); moved(1) {
		t.Error("a short queue has copied a message")
	}
	q.Apply(0, commands[compactBacklog:], nil)
	if !moved(1) || !moved(compactMax*pageSlots-1) || moved(compactMax*pageSlots) {
		t.Errorf("copied up to %d, want %d pages at once", q.compacted, compactMax)
	}
	q.Apply(0, nil, nil)
	if last := uint64(length - compactBacklog); !moved(last-pageSlots) || moved(last) || moved(70) {
		t.Errorf("copied up to %d; the large one: %v", q.compacted, moved(70))
	}
	for seq := range first {
		moved(seq)
	}
}

func TestCompactingStopsAfterItsBytes(t *testing.T) {
	var q Queue
	q.Apply(0, enqueueMany(storyMessage(t, "m", 7000), 1, 3*compactBacklog, false), nil)
	if got, want := q.compacted, uint64(compactBytesMax/7000+2*pageSlots); got > want {
		t.Errorf("copied up to %d at once, want at most %d", got, want)
	}
}

func TestLongQueueTakesLittleMemory(t *testing.T) {
	const length, batch = 10_000_000, 1000
	var q Queue
	q.SetResidentMax(1)
	m := storyMessage(t, "m", 100)
	commands := enqueueMany(m, 1, batch, true)
	var effects []Effect
	before := heapInUse()
	for first := uint64(1); first <= length; first += batch {
		for i := range commands {
			commands[i].Seq = first + uint64(i)
			commands[i].Message.ID = commands[i].Seq
		}
		effects, _ = q.Apply(0, commands, effects[:0])
		if len(effects) > 0 {
			t.Fatalf("want nothing, got %v", effects)
		}
	}
	if took := heapInUse() - before; took > 1<<20 {
		t.Errorf("%d bytes for %d messages", took, length)
	}
	if q.Ready() != length || q.Bytes() != length*m.Size() {
		t.Errorf("%d ready, %d bytes", q.Ready(), q.Bytes())
	}
	runtime.KeepAlive(&q)
}

func heapInUse() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func TestWhatCannotBePanics(t *testing.T) {
	m := storyMessage(t, "m", 0)
	restored := func(l *Loaded) func() {
		return func() {
			var q Queue
			q.Restore(nil)
			q.Restore([]Extent{{First: 5, Last: 9, Count: 9}})
			q.Apply(0, []Command{{Kind: Get, Consumer: &Consumer{}}}, nil)
			q.Apply(0, []Command{{Kind: LoadDone, Loaded: l}}, nil)
		}
	}
	for want, f := range map[string]func(){
		"message 3 came twice": func() {
			var q Queue
			q.Apply(0, append(enqueueMany(m, 1, 5, true), enqueueMany(m, 3, 1, true)...), nil)
		},
		"got what is below 5":  restored(&Loaded{From: 5, Next: 5}),
		"got what is below 11": restored(&Loaded{From: 5, Next: 11}),
		"expected one from 7 to 8": restored(&Loaded{From: 5, Next: 9,
			Messages: []Numbered{{Seq: 6, Message: m}, {Seq: 6, Message: m}}}),
		"loaded message 9": restored(&Loaded{From: 5, Next: 9,
			Messages: []Numbered{{Seq: 9, Message: m}}}),
	} {
		got := func() (got any) {
			defer func() { got = recover() }()
			f()
			return nil
		}()
		if text, ok := got.(string); !ok || !strings.Contains(text, want) {
			t.Errorf("got %v, want %q", got, want)
		}
	}
}
