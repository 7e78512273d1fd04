package queue

import (
	"cmp"
	"slices"
)

// twin is the queue once more, slow and obvious: every message it ever took stands in one list,
// and everything is found by looking through it. It speaks of messages and consumers by number.
type twin struct {
	messages  []*twinMessage
	consumers []*twinConsumer // subscribed
	turn      []*twinConsumer // who will be offered the next message, first to last
	deleted   bool
	settled   []uint64 // numbers of logged messages that went, not told yet
}

type twinState int

const (
	twinReady twinState = iota
	twinUnacked
	twinGone
)

type twinMessage struct {
	number, size int
	seq          uint64
	logged       bool
	state        twinState
	redelivered  bool
	holder       *twinConsumer
}

type twinConsumer struct {
	number, prefetch int
	noAck, exclusive bool
	gate             *budgetGate
}

// twinEffect is an Effect in the twin's words; fields that do not count are -1 or false.
type twinEffect struct {
	Kind                     EffectKind
	Consumer, Message, Ready int
	Redelivered              bool
}

// budgetGate admits as many deliveries as it has been granted, and remembers each question.
type budgetGate struct {
	budget int
	asked  []int // sizes
}

func (g *budgetGate) Admit(size int) bool {
	g.asked = append(g.asked, size)
	if g.budget == 0 {
		return false
	}
	g.budget--
	return true
}

func (w *twin) in(state twinState) (found []*twinMessage) {
	for _, m := range w.messages {
		if m.state == state {
			found = append(found, m)
		}
	}
	return found
}

func (w *twin) bytes() (sum int) {
	for _, m := range w.messages {
		if m.state != twinGone {
			sum += m.size
		}
	}
	return sum
}

func (w *twin) heldBy(c *twinConsumer) (held int) {
	for _, m := range w.in(twinUnacked) {
		if m.holder == c {
			held++
		}
	}
	return held
}

func (w *twin) canTake(c *twinConsumer) bool {
	return slices.Contains(w.consumers, c) && (c.prefetch == 0 || w.heldBy(c) < c.prefetch)
}

// queueUp gives c a place at the end of the turn if it has none and could take a message.
func (w *twin) queueUp(c *twinConsumer) {
	if w.canTake(c) && !slices.Contains(w.turn, c) {
		w.turn = append(w.turn, c)
	}
}

// offer finds the consumer for a message: those that cannot take it leave the turn.
func (w *twin) offer(m *twinMessage) *twinConsumer {
	for len(w.turn) > 0 {
		c := w.turn[0]
		w.turn = w.turn[1:]
		if w.canTake(c) && (c.gate == nil || c.gate.Admit(m.size)) {
			w.turn = append(w.turn, c)
			return c
		}
	}
	return nil
}

func (w *twin) give(m *twinMessage, c *twinConsumer) twinEffect {
	if c.noAck {
		w.gone(m)
	} else {
		m.state, m.holder = twinUnacked, c
	}
	return twinEffect{Kind: Deliver, Consumer: c.number, Message: m.number,
		Ready: len(w.in(twinReady)), Redelivered: m.redelivered}
}

// dispatch is what happens after the last command of a batch.
func (w *twin) dispatch() (effects []twinEffect, more bool) {
	size := 0
	for {
		ready := w.in(twinReady)
		if len(ready) == 0 || len(w.turn) == 0 {
			return effects, false
		}
		if len(effects) == DeliveriesMax || size >= deliveryBytesMax {
			return effects, true
		}
		c := w.offer(ready[0])
		if c == nil {
			return effects, false
		}
		effects = append(effects, w.give(ready[0], c))
		size += ready[0].size
	}
}

func (w *twin) enqueue(m *twinMessage) []twinEffect {
	if w.deleted {
		return nil
	}
	at, _ := slices.BinarySearchFunc(w.messages, m.seq,
		func(m *twinMessage, seq uint64) int { return cmp.Compare(m.seq, seq) })
	w.messages = slices.Insert(w.messages, at, m)
	if len(w.in(twinReady)) == 1 {
		if c := w.offer(m); c != nil {
			return []twinEffect{w.give(m, c)}
		}
	}
	return nil
}

func (w *twin) settle(m *twinMessage) []twinEffect {
	if w.deleted || m.state != twinUnacked {
		return nil
	}
	w.gone(m)
	w.queueUp(m.holder)
	return nil
}

func (w *twin) gone(m *twinMessage) {
	m.state = twinGone
	if m.logged {
		w.settled = append(w.settled, m.seq)
	}
}

func (w *twin) putBack(m *twinMessage) {
	if w.deleted || m.state != twinUnacked {
		return
	}
	m.state, m.redelivered = twinReady, true
	w.queueUp(m.holder)
}

func (w *twin) get(c *twinConsumer) []twinEffect {
	if w.deleted {
		return nil
	}
	ready := w.in(twinReady)
	if len(ready) == 0 {
		return []twinEffect{{Kind: Empty, Consumer: c.number, Message: -1, Ready: -1}}
	}
	return []twinEffect{w.give(ready[0], c)}
}

func (w *twin) subscribe(c *twinConsumer) []twinEffect {
	if w.deleted {
		return nil
	}
	kind := Subscribed
	for _, other := range w.consumers {
		if c.exclusive || other.exclusive {
			kind = Refused
		}
	}
	if kind == Subscribed {
		w.consumers = append(w.consumers, c)
		w.queueUp(c)
	}
	return []twinEffect{{Kind: kind, Consumer: c.number, Message: -1, Ready: -1}}
}

func (w *twin) cancel(c *twinConsumer) []twinEffect {
	if !slices.Contains(w.consumers, c) {
		return nil
	}
	isC := func(other *twinConsumer) bool { return other == c }
	w.consumers = slices.DeleteFunc(w.consumers, isC)
	w.turn = slices.DeleteFunc(w.turn, isC)
	if len(w.consumers) > 0 {
		return nil
	}
	return []twinEffect{{Kind: Unused, Consumer: -1, Message: -1, Ready: -1}}
}

func (w *twin) purge() (effects []twinEffect) {
	if w.deleted {
		return nil
	}
	ready := w.in(twinReady)
	for _, m := range ready {
		w.gone(m)
	}
	return append(effects, twinEffect{Kind: Purged, Consumer: -1, Message: -1, Ready: len(ready)})
}

func (w *twin) end() (effects []twinEffect) {
	if w.deleted {
		return nil
	}
	for _, c := range w.consumers {
		effects = append(effects, twinEffect{Kind: Cancelled, Consumer: c.number, Message: -1,
			Ready: -1})
	}
	*w = twin{deleted: true}
	return effects
}
