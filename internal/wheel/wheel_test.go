package wheel_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/wheel"
)

// model is the obvious wheel: a list.
type model struct {
	now    wheel.Tick
	timers map[int]wheel.Tick // payload to deadline
}

// due takes everything up to now, in order.
func (m *model) due(now wheel.Tick) (due []int) {
	m.now = max(m.now, now)
	for payload, deadline := range m.timers {
		if deadline <= m.now {
			due = append(due, payload)
		}
	}
	return due
}

// next is the earliest deadline.
func (m *model) next() wheel.Tick {
	next := wheel.Tick(math.MaxUint64)
	for _, deadline := range m.timers {
		next = min(next, deadline)
	}
	return next
}

// distances reach into every level, to their edges, and beyond the last.
func distances() *rapid.Generator[uint64] {
	return rapid.OneOf(
		rapid.Uint64Range(0, 3),
		rapid.Uint64Range(250, 260),
		rapid.Uint64Range(0, 1<<16+10),
		rapid.Uint64Range(1<<16-300, 1<<24+300),
		rapid.Uint64Range(1<<24-300, 1<<32+300),
		rapid.Uint64Range(1<<32, 1<<40),
	)
}

func TestWheelIsASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w wheel.Wheel[int]
		m := model{timers: make(map[int]wheel.Tick)}
		handles := make(map[int]wheel.Handle)
		gone := []wheel.Handle{0}
		added := 0
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				deadline := m.now + wheel.Tick(distances().Draw(t, "in"))
				if rapid.IntRange(0, 9).Draw(t, "late") == 0 {
					deadline = m.now / 2
				}
				handles[added] = w.Add(deadline, added)
				m.timers[added] = max(deadline, m.now)
				added++
			},
			"cancel": func(t *rapid.T) {
				if len(m.timers) == 0 {
					t.Skip("nothing to cancel")
				}
				payload := rapid.SampledFrom(keys(m.timers)).Draw(t, "payload")
				if !w.Cancel(handles[payload]) {
					t.Fatalf("timer %d is not there", payload)
				}
				gone = append(gone, handles[payload])
				delete(m.timers, payload)
			},
			"cancel what is gone": func(t *rapid.T) {
				if h := rapid.SampledFrom(gone).Draw(t, "handle"); w.Cancel(h) {
					t.Fatalf("handle %x was cancelled twice, or after it was due", h)
				}
			},
			"advance": func(t *rapid.T) {
				now := m.now + wheel.Tick(distances().Draw(t, "by"))
				if next := m.next(); len(m.timers) > 0 && rapid.Bool().Draw(t, "to next") {
					now = next
				}
				for _, payload := range advance(t, &w, &m, now) {
					gone = append(gone, handles[payload])
				}
			},
			"": func(t *rapid.T) { check(t, &w, &m) },
		})
	})
}

func keys(timers map[int]wheel.Tick) []int {
	list := make([]int, 0, len(timers))
	for payload := range timers {
		list = append(list, payload)
	}
	slices.Sort(list)
	return list
}

// advance moves both, and compares what is due.
func advance(t *rapid.T, w *wheel.Wheel[int], m *model, now wheel.Tick) []int {
	got := w.Advance(now, nil)
	want := m.due(now)
	if !slices.IsSortedFunc(got, func(a, b int) int {
		return int(int64(m.timers[a]) - int64(m.timers[b]))
	}) {
		t.Fatalf("due out of order: %v", got)
	}
	sorted := slices.Sorted(slices.Values(got))
	slices.Sort(want)
	if !slices.Equal(sorted, want) {
		t.Fatalf("due at %d: %v, want %v", now, sorted, want)
	}
	for _, payload := range got {
		delete(m.timers, payload)
	}
	return got
}

func check(t *rapid.T, w *wheel.Wheel[int], m *model) {
	if w.Len() != len(m.timers) || w.Now() != m.now {
		t.Fatalf("%d timers at %d, want %d at %d", w.Len(), w.Now(), len(m.timers), m.now)
	}
	next, ok := w.Next()
	if ok != (len(m.timers) > 0) {
		t.Fatalf("next: %d, %v with %d timers", next, ok, len(m.timers))
	}
	if ok && (next < m.now || next > m.next()) {
		t.Fatalf("next is %d at %d, and a timer is due at %d", next, m.now, m.next())
	}
}

// TestSleepIsLong: however far away a timer is, few steps lead to it.
func TestSleepIsLong(t *testing.T) {
	const far = 1<<40 + 12345
	var w wheel.Wheel[int]
	w.Add(far, 1)
	steps := 0
	for w.Len() > 0 {
		next, _ := w.Next()
		due := w.Advance(next, nil)
		if steps++; steps > 1<<8+4 || len(due) > 0 && next != far {
			t.Fatalf("step %d to %d", steps, next)
		}
	}
}

// TestOldHandlesNameNothing: after a burst of timers their memory is given up, and others take
// their places.
func TestOldHandlesNameNothing(t *testing.T) {
	var w wheel.Wheel[int]
	const burst = 10_000
	var handles []wheel.Handle
	for i := range burst {
		handles = append(handles, w.Add(5, i))
	}
	if due := w.Advance(5, nil); len(due) != burst {
		t.Fatalf("%d due", len(due))
	}
	for i := range burst {
		w.Add(10, i)
	}
	for _, h := range handles {
		if w.Cancel(h) {
			t.Fatal("an old handle names a new timer")
		}
	}
}

func TestAddAndCancelDoNotAllocate(t *testing.T) {
	var w wheel.Wheel[uint64]
	for i := range 100 {
		w.Add(wheel.Tick(i*1000), 0)
	}
	due := make([]uint64, 0, 8)
	now := wheel.Tick(100_000)
	w.Advance(now, nil)
	allocs := testing.AllocsPerRun(1000, func() {
		w.Cancel(w.Add(now+30_000, 1))
		w.Add(now+300, 2)
		now += 300
		due = w.Advance(now, due[:0])
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkAddCancel(b *testing.B) {
	var w wheel.Wheel[uint64]
	for i := range 100_000 {
		w.Add(wheel.Tick(i), uint64(i))
	}
	i := 0
	for b.Loop() {
		w.Cancel(w.Add(wheel.Tick(30_000+i&0xffff), 1))
		i++
	}
}

// BenchmarkLife adds a timer, and lets another become due.
func BenchmarkLife(b *testing.B) {
	var w wheel.Wheel[uint64]
	for i := range 100_000 {
		w.Add(wheel.Tick(i), uint64(i))
	}
	due := make([]uint64, 0, 8)
	i := wheel.Tick(0)
	for b.Loop() {
		w.Add(i+100_000, 1)
		due = w.Advance(i, due[:0])
		i++
	}
}
