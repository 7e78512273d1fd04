package exchange

import "slices"

const (
	// scanMax is the number of names up to which a new one is compared with each of them;
	// beyond it an index is kept.
	scanMax = 16
	// keptMax is the number of destinations, headers and places in a tree of patterns for
	// which a Targets keeps its memory. A message that needs more allocates.
	keptMax = 4096
)

// Targets collects the destinations of one message, each once. The zero value is ready for
// use. Its memory is kept from message to message, so that routing does not allocate; it
// belongs to one goroutine.
type Targets struct {
	// Seed decides what is chosen at random: with the same seed, the same. Who owns the Targets
	// sets it anew for each message.
	Seed uint64

	queues, exchanges nameSet
	matches           int

	// What the types of this package need while they route one message.
	walk    walk
	headers []header
}

// Reset forgets the destinations.
func (t *Targets) Reset() {
	t.queues.reset()
	t.exchanges.reset()
	t.matches = 0
}

// Add adds the queue, or the exchange, of that name.
func (t *Targets) Add(name string, toExchange bool) {
	t.matches++
	if toExchange {
		t.exchanges.add(name)
	} else {
		t.queues.add(name)
	}
}

// addAll adds destinations that differ from each other: when they are the first, they need no
// comparing.
func (t *Targets) addAll(d *destinations) {
	if len(t.queues.names) > 0 || len(t.exchanges.names) > 0 {
		for i := range d.list {
			t.Add(d.list[i].name, d.list[i].toExchange)
		}
		return
	}
	t.matches += len(d.list)
	for i := range d.list {
		if d.list[i].toExchange {
			t.exchanges.names = append(t.exchanges.names, d.list[i].name)
		} else {
			t.queues.names = append(t.queues.names, d.list[i].name)
		}
	}
}

// Queues returns the names of the queues added since Reset, until which they are valid.
func (t *Targets) Queues() []string { return t.queues.names }

// Exchanges returns the names of the exchanges added since Reset, until which they are valid.
// They are in the order in which they came: who goes through them may add more.
func (t *Targets) Exchanges() []string { return t.exchanges.names }

// Matches returns how often a destination was added since Reset, also when it was there
// already: whether it grew tells whether an exchange matched anything.
func (t *Targets) Matches() int { return t.matches }

// kept returns the memory of s, to be used again unless it is too much to keep.
func kept[T any](s []T) []T {
	if cap(s) > 2*keptMax { // growing doubles
		return nil
	}
	clear(s)
	return s[:0]
}

// nameSet is a set of names in the order of their coming.
type nameSet struct {
	names   []string
	index   map[string]struct{} // of the first indexed names
	indexed int
}

func (s *nameSet) add(name string) {
	if !s.has(name) {
		s.names = append(s.names, name)
	}
}

func (s *nameSet) has(name string) bool {
	if len(s.names) <= scanMax {
		return slices.Contains(s.names, name)
	}
	if s.index == nil {
		s.index = make(map[string]struct{}, 2*scanMax)
	}
	for ; s.indexed < len(s.names); s.indexed++ {
		s.index[s.names[s.indexed]] = struct{}{}
	}
	_, ok := s.index[name]
	return ok
}

func (s *nameSet) reset() {
	if cap(s.names) > 2*keptMax {
		*s = nameSet{}
		return
	}
	s.names = s.names[:0]
	if s.indexed > 0 {
		clear(s.index)
		s.indexed = 0
	}
}
