package delay

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
)

// The story of testdata/story.txt:
//
//	add DUE NUMBER
//	due NOW          the numbers that are released, in their order, and when to come again
func TestWhatWaitsComesInTime(t *testing.T) {
	var p Pending
	datadriven.RunTest(t, "testdata/story.txt", func(t *testing.T, d *datadriven.TestData) string {
		var a int64
		var number uint64
		if _, err := fmt.Sscan(d.CmdArgs[0].Key, &a); err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		switch d.Cmd {
		case "add":
			if _, err := fmt.Sscan(d.CmdArgs[1].Key, &number); err != nil {
				t.Fatalf("%s: %v", d.Pos, err)
			}
			p.Add(a, number)
			return ""
		case "due":
			var out strings.Builder
			for n, ok := p.Pop(a); ok; n, ok = p.Pop(a) {
				fmt.Fprintln(&out, n)
			}
			if at, ok := p.Next(); ok {
				fmt.Fprintln(&out, "next at", at)
			}
			return out.String()
		}
		t.Fatalf("%s: no such command", d.Pos)
		return ""
	})
}

// The twin is a sorted list.
func TestPendingIsASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Pending
		type waiting struct {
			due    int64
			number uint64
		}
		var want []waiting
		next := rapid.Uint64Range(0, NumberMax-1000).Draw(t, "number")
		now := rapid.Int64Range(0, dueMax-1000).Draw(t, "now")
		add := func(t *rapid.T) {
			next++
			e := waiting{now + rapid.Int64Range(0, 50).Draw(t, "delay"), next}
			p.Add(e.due, e.number)
			want = append(want, e)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add":   add,
			"again": add,
			"pop": func(t *rapid.T) {
				now += rapid.Int64Range(0, 20).Draw(t, "passes")
				slices.SortFunc(want, func(a, b waiting) int {
					return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.number, b.number))
				})
				for n, ok := p.Pop(now); ok; n, ok = p.Pop(now) {
					if len(want) == 0 || want[0].number != n || want[0].due > now {
						t.Fatalf("got %d at %d, want the first of %v", n, now, want)
					}
					want = want[1:]
				}
				if len(want) > 0 && want[0].due <= now {
					t.Fatalf("%v did not come", want[0])
				}
				due, ok := p.Next()
				if ok != (len(want) > 0) || ok && due != want[0].due || p.Len() != len(want) {
					t.Fatalf("next at %d, %v, of %d, want %v", due, ok, p.Len(), want)
				}
			},
		})
	})
}

func TestMemoryComesBack(t *testing.T) {
	var p Pending
	const n = 100 * pageEntries
	for i := range uint64(n) {
		p.Add(int64(rand.Uint64N(n)), i)
	}
	for p.Len() > pageEntries {
		p.Pop(n)
	}
	if c := len(p.pages); c > 2 {
		t.Errorf("%d pages are kept for %d numbers", c, p.Len())
	}
	if p.Clear(); p.Len() != 0 || p.pages != nil {
		t.Error("something is left")
	}
}

func BenchmarkAddAndPop(b *testing.B) {
	var p Pending
	for i := range uint64(1_000_000) {
		p.Add(int64(rand.Uint64N(1<<32)), i)
	}
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		at, _ := p.Next()
		p.Pop(at)
		p.Add(at+int64(i%(1<<20)), i)
	}
}

func TestNumbersBeyondTheLimitAreRefused(t *testing.T) {
	var p Pending
	p.Add(0, NumberMax)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	p.Add(0, NumberMax+1)
}
