package crashtest

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// What follows shows that the checks of this package can fail.

func TestOtherMessagesThanWereLeftAreNoticed(t *testing.T) {
	random := rand.New(rand.NewPCG(seedOf(t), 7))
	s, other := fillShelf(t, random), fillShelf(t, random)
	if _, err := s.open(other.dir); !errors.Is(err, errViolation) {
		t.Errorf("the messages of another node pass for those that were left: %v", err)
	}
}

// TestTheLedgerNoticesEachBrokenPromise tells a ledger a short story and then what a restarted
// broker has.
func TestTheLedgerNoticesEachBrokenPromise(t *testing.T) {
	const q = "q"
	a1, a2, b1 := ident{1, 1}, ident{1, 2}, ident{2, 1}
	body := func(id ident) []byte { return []byte(id.String()) }
	has := func(ids ...ident) (list []found) {
		g := newLedger(nil)
		for _, id := range ids {
			g.willSend(id, body(id), true)
			list = append(list, found{id, len(body(id)), g.messages[id].sum})
		}
		return list
	}
	changed := has(a1, a2)
	changed[1].sum++
	tests := []struct {
		name  string
		story func(g *ledger)
		has   []found
		want  string // nothing: no violation
	}{
		{"all is there", nil, has(a1, b1, a2), ""},
		{"not confirmed, gone", func(g *ledger) { g.willSend(b1, body(b1), true, q) },
			has(a1, a2), ""},
		{"lost", nil, has(a1), "has lost 1.2"},
		{"settled, perhaps, and gone", func(g *ledger) { g.doubt(q, a2) }, has(a1), ""},
		{"settled, perhaps, and there", func(g *ledger) { g.doubt(q, a2) }, has(a1, a2), ""},
		{"settled, back", func(g *ledger) { g.doubt(q, a2); g.settled(q, a2) },
			has(a1, a2), "settled for certain"},
		{"purged, back", func(g *ledger) { g.settled(q, g.willEmpty(q)...) },
			has(a1), "settled for certain"},
		{"published while purged, gone", func(g *ledger) {
			g.settled(q, g.willEmpty(q)...)
			g.willSend(b1, body(b1), true, q)
			g.confirmed(2, 1, 1)
		}, nil, ""},
		{"twice", nil, has(a1, a1, a2), "twice"},
		{"order", nil, has(a2, a1), "has 1.1 after 1.2"},
		{"invented", nil, has(a1, a2, ident{3, 1}), "nobody sent it there"},
		{"changed", nil, changed, "changed body"},
		{"transient", func(g *ledger) { g.willSend(b1, body(b1), false, q) },
			has(a1, a2, b1), "not persistent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newLedger([]string{q})
			g.willSend(a1, body(a1), true, q)
			g.willSend(a2, body(a2), true, q)
			g.confirmed(1, 1, 2)
			if test.name == "all is there" {
				g.willSend(b1, body(b1), true, q)
			}
			if test.story != nil {
				test.story(g)
			}
			now := g.moment()
			err := g.restarted(q, test.has, now, now)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("found %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("found %v, want %q", err, test.want)
			}
		})
	}
}

func TestTheLedgerKnowsWhatCameAfterACut(t *testing.T) {
	g := newLedger([]string{"q"})
	early, late := ident{1, 1}, ident{1, 2}
	g.willSend(early, nil, true, "q")
	before := g.moment()
	after := g.moment()
	g.confirmed(1, 1, 1)
	g.willSend(late, nil, true, "q")
	g.confirmed(1, 2, 2)
	if err := g.restarted("q", nil, before, after); err != nil {
		t.Errorf("what was confirmed after the cut is missed: %v", err)
	}
	g = newLedger([]string{"q"})
	g.willSend(late, nil, true, "q")
	list := []found{{late, 0, g.messages[late].sum}}
	if err := g.restarted("q", list, 0, 0); !errors.Is(err, errViolation) {
		t.Errorf("a message sent after the cut passes: %v", err)
	}
}

func TestTheOrderOfTwoRestartsIsTheSame(t *testing.T) {
	g := newLedger([]string{"q"})
	var list []found
	for publisher := uint32(1); publisher <= 2; publisher++ {
		id := ident{publisher, 1}
		g.willSend(id, nil, true, "q")
		list = append(list, found{id, 0, g.messages[id].sum})
	}
	now := g.moment()
	if err := g.restarted("q", list, now, now); err != nil {
		t.Fatal(err)
	}
	list[0], list[1] = list[1], list[0]
	if err := g.restarted("q", list, now, now); !errors.Is(err, errViolation) {
		t.Errorf("another order passes: %v", err)
	}
}
