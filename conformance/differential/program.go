package differential

import (
	"fmt"
	"slices"
	"strings"
)

// channelCount is how many channels a program has: the first two on one connection, the last on
// another.
const channelCount = 3

// connectionOf returns the connection of a channel.
func connectionOf(channel int) int {
	if channel == channelCount-1 {
		return 1
	}
	return 0
}

// mode is what a channel promises its publisher.
type mode int

const (
	plain mode = iota
	confirms
	transactions
)

// program is what is played. The zero value does nothing.
type program struct {
	seed    int64
	modes   [channelCount]mode // chosen whenever the channel is opened
	slow    bool               // something happens with time: every step is followed by a pause
	lazy    bool               // messages of priority or quorum queues may expire
	soft    bool               // a quorum queue refuses what is beyond its limits
	back    bool               // what comes back to a quorum queue has no place of its own
	limited bool               // a quorum queue has limits
	quorum  bool               // there may be quorum queues
	quiet   bool               // a queue answers later than it acts: wait longer for silence
	steps   []step
}

// step is one thing that a client does.
type step interface {
	fmt.Stringer
	// play does it on a broker, and writes down what is known when it returns. What comes later is
	// found when the player settles.
	play(*player)
}

// global reports whether a channel may have a prefetch of its own, gets whether it asks for single
// messages.
func (p program) global() bool { return p.has("basic.qos", " global") }
func (p program) gets() bool   { return p.has("basic.get", "") }

func (p program) has(method, more string) bool {
	return slices.ContainsFunc(p.steps, func(s step) bool {
		text := s.String()
		return strings.Contains(text, method) && strings.Contains(text, more)
	})
}

func (p program) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d, channels", p.seed)
	for _, mode := range p.modes {
		text.WriteString([]string{" plain", " confirms", " transactions"}[mode])
	}
	if p.slow {
		text.WriteString(", slow")
	}
	for i, step := range p.steps {
		fmt.Fprintf(&text, "\n%3d %s", i, step)
	}
	return text.String()
}
