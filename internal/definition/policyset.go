package definition

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/pattern"
)

// kinds are the kinds of things that policies count for, a bit for each.
type kinds uint8

const (
	onExchanges kinds = 1 << iota
	onClassic
	onQuorum
	onStreams

	onQueues = onClassic | onQuorum
)

// applyToAll is what an apply-to says when it says nothing.
const applyToAll = "all"

// kindsOf returns what an apply-to names.
func kindsOf(applyTo string) (kinds, bool) {
	switch applyTo {
	case "", applyToAll:
		return onExchanges | onQueues | onStreams, true
	case "queues":
		return onQueues | onStreams, true
	case "classic_queues":
		return onClassic, true
	case "quorum_queues":
		return onQuorum, true
	case "streams":
		return onStreams, true
	case "exchanges":
		return onExchanges, true
	}
	return 0, false
}

func kindOfQueue(name string) kinds { return queueTypes[name].kind }

// policy is a Policy that is in force.
type policy struct {
	Policy
	pattern *pattern.Pattern
	// part is in every name that the pattern matches. Most patterns have one, and most names have
	// not: they are told apart without the pattern.
	part  string
	first bool // part begins the name
	kinds kinds
	slot  int // in its policySet
}

func newPolicy(p Policy, compiled *pattern.Pattern) *policy {
	n := &policy{Policy: p, pattern: compiled}
	if tree, err := syntax.Parse(p.Pattern, syntax.Perl); err == nil {
		n.part = partOf(tree)
		n.first = tree.Op == syntax.OpConcat && tree.Sub[0].Op == syntax.OpBeginText &&
			n.part != "" && partOf(tree.Sub[1]) == n.part && tree.Sub[1].Op == syntax.OpLiteral
	}
	n.kinds, _ = kindsOf(p.ApplyTo)
	for key := range p.Definition.Map() {
		known, _ := policyKeyOf(key)
		n.kinds &^= known.except
	}
	return n
}

// partOf returns the longest text that whatever the tree matches has in it.
func partOf(tree *syntax.Regexp) (longest string) {
	switch tree.Op {
	case syntax.OpLiteral:
		// A byte that is no UTF-8 matches RuneError.
		if tree.Flags&syntax.FoldCase == 0 && !slices.Contains(tree.Rune, utf8.RuneError) {
			return string(tree.Rune)
		}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		for _, sub := range tree.Sub {
			if part := partOf(sub); len(part) > len(longest) {
				longest = part
			}
		}
	}
	return longest
}

// is tells whether the policy says the same as another one of its name.
func (p *policy) is(other *Policy) bool {
	return p.Pattern == other.Pattern && p.Priority == other.Priority &&
		p.ApplyTo == cmp.Or(other.ApplyTo, applyToAll) && p.Definition.Equal(other.Definition)
}

// covers tells whether the policy counts for something unless a better one does. nil covers
// nothing.
func (p *policy) covers(k kinds, name string) bool {
	if p == nil || p.kinds&k == 0 || p.first && !strings.HasPrefix(name, p.part) {
		return false
	}
	return strings.Contains(name, p.part) && p.pattern.MatchString(name)
}

// compare puts the policy first that counts where both cover something.
func (p *policy) compare(other *policy) int {
	return cmp.Or(cmp.Compare(other.Priority, p.Priority), cmp.Compare(p.Name, other.Name))
}

// policySet is all policies of a vhost, or all its operator policies.
type policySet struct {
	operator bool
	byName   map[string]*policy
	slots    []*policy // nil: free
	// ranked has the policies in the order in which they count; ranks their places there, by slot.
	ranked []*policy
	ranks  []int32
}

// put adds a policy, in the slot of the one that it replaces, or gives it one.
func (s *policySet) put(p *policy) {
	if s.byName == nil {
		s.byName = make(map[string]*policy)
	}
	if old := s.byName[p.Name]; old != nil {
		s.remove(old)
		p.slot = old.slot
	} else if p.slot = slices.Index(s.slots, nil); p.slot < 0 {
		p.slot = len(s.slots)
		s.slots, s.ranks = append(s.slots, nil), append(s.ranks, 0)
	}
	s.byName[p.Name], s.slots[p.slot] = p, p
	at, _ := slices.BinarySearchFunc(s.ranked, p, (*policy).compare)
	s.ranked = slices.Insert(s.ranked, at, p)
	s.rank()
}

func (s *policySet) remove(p *policy) {
	delete(s.byName, p.Name)
	s.slots[p.slot] = nil
	at, _ := slices.BinarySearchFunc(s.ranked, p, (*policy).compare)
	s.ranked = slices.Delete(s.ranked, at, at+1)
	s.rank()
}

func (s *policySet) rank() {
	for i, p := range s.ranked {
		s.ranks[p.slot] = int32(i)
	}
}

func (s *policySet) sorted() []Policy {
	list := make([]Policy, 0, len(s.byName))
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		list = append(list, s.byName[name].Policy)
	}
	return list
}

// governance is what one set of policies has to say about one queue or exchange.
type governance struct {
	best *policy // the one that counts; nil: none does
	// matches has a bit for each policy that covers it, by slot: so that no pattern is tried twice
	// on a name. It is as long as the last of these needs.
	matches []uint64
}

const wordBits = 64

// newGovernance asks all policies of a set.
func newGovernance(s *policySet, k kinds, name string) (r governance) {
	for slot, p := range s.slots {
		if p.covers(k, name) {
			r.set(slot)
		}
	}
	r.best = r.find(s)
	return r
}

// update is told whether what is in a slot now covers the name, and reports whether another
// policy counts.
func (r *governance) update(s *policySet, slot int, covers bool) (changed bool) {
	word := slot / wordBits
	had := word < len(r.matches) && r.matches[word]>>(slot%wordBits)&1 != 0
	switch {
	case covers:
		r.set(slot)
	case had:
		r.matches[word] &^= 1 << (slot % wordBits)
	default:
		return false
	}
	was := r.best
	switch {
	case was == nil && covers:
		r.best = s.slots[slot]
	case was.slot == slot: // it may count less now, or is gone
		r.best = r.find(s)
	case covers && s.ranks[slot] < s.ranks[was.slot]:
		r.best = s.slots[slot]
	}
	return r.best != was
}

func (r *governance) set(slot int) {
	if need := slot/wordBits + 1; need > len(r.matches) {
		longer := make([]uint64, need)
		copy(longer, r.matches)
		r.matches = longer
	}
	r.matches[slot/wordBits] |= 1 << (slot % wordBits)
}

func (r *governance) find(s *policySet) *policy {
	best, rank := -1, int32(math.MaxInt32)
	for i, word := range r.matches {
		for ; word != 0; word &= word - 1 {
			slot := i*wordBits + bits.TrailingZeros64(word)
			if s.ranks[slot] < rank {
				best, rank = slot, s.ranks[slot]
			}
		}
	}
	if best < 0 {
		return nil
	}
	return s.slots[best]
}

func (r *governance) name() string {
	if r.best == nil {
		return ""
	}
	return r.best.Name
}

// governed is a queue or an exchange that policies may count for.
type governed struct{ policy, operatorPolicy governance }

func (v *VHost) govern(k kinds, name string) governed {
	return governed{
		policy:         newGovernance(&v.policies, k, name),
		operatorPolicy: newGovernance(&v.operatorPolicies, k, name),
	}
}

func (g *governed) by(s *policySet) *governance {
	if s.operator {
		return &g.operatorPolicy
	}
	return &g.policy
}
