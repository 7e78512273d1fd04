package management

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// twin is what a history has to tell: all samples there ever were.
type twin struct {
	ticks   []int64
	numbers [][]int64
}

// at returns the numbers as of a tick.
func (w *twin) at(tick int64) []int64 {
	found := make([]int64, 2)
	for i, t := range w.ticks {
		if t <= tick {
			found = w.numbers[i]
		}
	}
	return found
}

func TestHistoryTellsWhatWasSampled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const age = 20
		policy := []retention{{step: 1, age: age}, {step: 5, age: 60}}
		s := newHistories[string](2, policy, time.Second)
		start := time.Unix(1_000_000, 0)
		numbers := []int64{0, 0}
		all := func(f func(string, []int64)) { f("q", slices.Clone(numbers)) }
		var want twin
		tick := start.Unix()
		s.sample(start, all)
		want.ticks, want.numbers = append(want.ticks, tick), append(want.numbers, []int64{0, 0})
		for range rapid.IntRange(1, 200).Draw(t, "samples") {
			tick++
			if rapid.IntRange(0, 3).Draw(t, "moves") == 0 {
				i := rapid.IntRange(0, 1).Draw(t, "which")
				numbers[i] += rapid.Int64Range(-1<<40, 1<<40).Draw(t, "by")
			}
			s.sample(time.Unix(tick, 0), all)
			want.ticks = append(want.ticks, tick)
			want.numbers = append(want.numbers, slices.Clone(numbers))
		}
		var ticks []int64
		for back := range int64(age) {
			ticks = append(ticks, tick-age+1+back)
		}
		s.window("q", ticks, func(i int, got []int64) {
			if ticks[i] >= start.Unix() && !slices.Equal(got, want.at(ticks[i])) {
				t.Fatalf("at %d: %v, want %v", ticks[i], got, want.at(ticks[i]))
			}
		})
	})
}

func TestWhatStandsStillIsForgottenButForItsNumbers(t *testing.T) {
	s := newHistories[string](2, []retention{{step: 1, age: 3}, {step: 2, age: 6}}, time.Second)
	numbers := []int64{7, 0}
	all := func(f func(string, []int64)) { f("q", numbers) }
	tick := int64(1_000_000)
	sample := func() { tick++; s.sample(time.Unix(tick, 0), all) }
	sample()
	numbers[1] = 5
	sample()
	if len(s.moving) != 1 || len(s.resting) != 0 {
		t.Fatalf("%d move and %d rest after a change", len(s.moving), len(s.resting))
	}
	for range 10 {
		sample()
	}
	if len(s.moving) != 0 || len(s.resting) != 1 {
		t.Fatalf("%d move and %d rest long after the change", len(s.moving), len(s.resting))
	}
	rates := s.rates(nil, "q", time.Unix(tick+1, 0), []int64{7, 9})
	if rates[0] != 0 || rates[1] != 4 { // 4 in the second since the last sample
		t.Errorf("it moves at %v", rates)
	}
	s.sample(time.Unix(tick+2, 0), func(func(string, []int64)) {})
	if len(s.moving)+len(s.resting) != 0 {
		t.Error("what is gone is kept")
	}
}

func TestRateIsOfNow(t *testing.T) {
	s := newHistories[string](1, []retention{{step: 1, age: 100}}, 5*time.Second)
	start := time.Unix(1_000_000, 0)
	n := int64(0)
	all := func(f func(string, []int64)) { f("q", []int64{n}) }
	at := func(after time.Duration) float64 {
		return s.rates(nil, "q", start.Add(after), []int64{n})[0]
	}
	for i := range 3 {
		s.sample(start.Add(time.Duration(i)*5*time.Second), all)
	}
	n = 700 // since the last sample, and nothing before
	if got := at(12 * time.Second); got != 100 {
		t.Errorf("2 s after the last sample it is %v, want 700 in 7 s since the one before", got)
	}
	if got := at(20 * time.Second); got != 70 {
		t.Errorf("without a sampler it is %v, want 700 in the 10 s since the last sample", got)
	}
	for i := 3; i < 6; i++ {
		s.sample(start.Add(time.Duration(i)*5*time.Second), all)
	}
	if got := at(26 * time.Second); got != 0 {
		t.Errorf("when nothing moves any more it is %v", got)
	}
}

func TestTimeThatGoesBackIsNoSample(t *testing.T) {
	s := newHistories[string](1, []retention{{step: 1, age: 10}}, time.Second)
	for _, second := range []int64{100, 100, 50, 101} {
		s.sample(time.Unix(second, 0), func(f func(string, []int64)) { f("q", []int64{second}) })
	}
	if s.tick != 101 || len(s.moving) != 1 {
		t.Errorf("the last sample is of %d", s.tick)
	}
}

// idleBytesMax is what an idle queue may cost the sampler.
const idleBytesMax = 100

func TestIdleQueuesCostNearlyNothing(t *testing.T) {
	const queues = 20_000
	for _, test := range []struct {
		name string
		full bool
	}{{"never used", false}, {"full of messages", true}} {
		t.Run(test.name, func(t *testing.T) {
			keys := make([]int, queues)
			policy := basicRetention(IntervalDefault)
			s := newHistories[*int](messageNumbers, policy, IntervalDefault)
			all := func(f func(*int, []int64)) {
				var n messageCounts
				for i := range keys {
					if test.full {
						n[nReady] = int64(1000 + i)
					}
					f(&keys[i], n[:])
				}
			}
			before := heap()
			for i := range 10 {
				s.sample(time.Unix(int64(1_000_000+5*i), 0), all)
			}
			each := (int64(heap()) - int64(before)) / queues
			t.Logf("%d bytes each", each)
			if each > idleBytesMax {
				t.Errorf("an idle queue takes %d bytes, at most %d", each, idleBytesMax)
			}
			runtime.KeepAlive(s)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkSample10000Queues samples queues of which each thousandth moves.
func BenchmarkSample10000Queues(b *testing.B) {
	keys := make([]int, 10_000)
	s := newHistories[*int](messageNumbers, basicRetention(IntervalDefault), IntervalDefault)
	round := 0
	all := func(f func(*int, []int64)) {
		for i := range keys {
			var n messageCounts
			n[nReady] = int64(i)
			if i%1000 == 0 {
				n[nPublish] = int64(round)
			}
			f(&keys[i], n[:])
		}
	}
	for b.Loop() {
		round++
		s.sample(time.Unix(int64(1_000_000+5*round), 0), all)
	}
}
