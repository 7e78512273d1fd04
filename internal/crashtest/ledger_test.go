package crashtest

import (
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
)

// errViolation is wrapped by every error that is the broker's fault.
var errViolation = errors.New("VIOLATION")

func violation(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errViolation, fmt.Sprintf(format, args...))
}

// moment counts the facts that a ledger was told: what is told later has a higher one. 0: never.
type moment uint64

// ident is a message: publishers count what they send.
type ident struct{ publisher, seq uint32 }

func (id ident) String() string { return fmt.Sprintf("%d.%d", id.publisher, id.seq) }

// parseIdent reads the text of an ident, and only the very text.
func parseIdent(text string) (id ident, ok bool) {
	_, err := fmt.Sscanf(text, "%d.%d", &id.publisher, &id.seq)
	return id, err == nil && id.String() == text
}

// sent is one message.
type sent struct {
	size       int
	sum        uint32
	persistent bool
	at         moment
	confirmed  moment
}

// copyOf is one message in one queue.
type copyOf struct {
	message *sent
	// doubtful: from here on it may be gone, as somebody said it shall.
	doubtful moment
	// gone: from here on it is gone for ever, as the broker has answered for that.
	gone moment
	// place orders what one look at the queue found; 0: not seen yet.
	place int
}

// contents of one queue.
type contents struct {
	copies map[ident]*copyOf
	// unstable: the queue is being emptied or deleted; what is published now may be lost by it.
	unstable bool
}

// ledger is what clients know about a broker. All methods may be called concurrently.
type ledger struct {
	mu        sync.Mutex
	now       moment
	messages  map[ident]*sent
	queues    map[string]*contents
	publisher uint32
	totals    totals
}

// totals count what a ledger has seen.
type totals struct {
	sent, confirmed, settled, required int
}

func newLedger(queues []string) *ledger {
	g := &ledger{messages: make(map[ident]*sent), queues: make(map[string]*contents)}
	for _, q := range queues {
		g.queues[q] = &contents{copies: make(map[ident]*copyOf)}
	}
	return g
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (g *ledger) tick() moment { g.now++; return g.now }

// moment is after all that was told before, and before all that is told after.
func (g *ledger) moment() moment {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tick()
}

// newPublisher returns a number that no publisher had.
func (g *ledger) newPublisher() uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.publisher++
	return g.publisher
}

// willSend has to be told before a message leaves for queues.
func (g *ledger) willSend(id ident, body []byte, persistent bool, queues ...string) {
	sum := crc32.Checksum(body, castagnoli)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.totals.sent++
	m := &sent{size: len(body), sum: sum, persistent: persistent, at: g.tick()}
	g.messages[id] = m
	for _, name := range queues {
		c := &copyOf{message: m}
		if g.queues[name].unstable {
			c.doubtful = m.at
		}
		g.queues[name].copies[id] = c
	}
}

// confirmed: the broker has confirmed messages first to last of a publisher.
func (g *ledger) confirmed(publisher, first, last uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for seq := first; seq <= last; seq++ {
		if m := g.messages[ident{publisher, seq}]; m.confirmed == 0 {
			m.confirmed = g.tick()
			g.totals.confirmed++
		}
	}
}

// received checks a message as it is delivered while the broker runs.
func (g *ledger) received(queue, text string, body []byte) (ident, error) {
	sum := crc32.Checksum(body, castagnoli)
	g.mu.Lock()
	defer g.mu.Unlock()
	id, ok := parseIdent(text)
	if !ok {
		return id, violation("queue %s delivers a message named %q", queue, text)
	}
	c := g.queues[queue].copies[id]
	switch {
	case c == nil:
		return id, violation("queue %s delivers %v, which is not in it", queue, id)
	case c.gone != 0:
		return id, violation("queue %s delivers %v, which was gone", queue, id)
	case c.message.size != len(body) || c.message.sum != sum:
		return id, violation("queue %s delivers %v with a changed body: %d bytes with CRC %08x, "+
			"sent were %d with %08x", queue, id, len(body), sum, c.message.size, c.message.sum)
	}
	return id, nil
}

// doubt has to be told before somebody settles messages.
func (g *ledger) doubt(queue string, ids ...ident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.tick()
	for _, id := range ids {
		if c := g.queues[queue].copies[id]; c != nil && c.doubtful == 0 {
			c.doubtful = at
		}
	}
}

// settled: the broker has made certain that messages are gone from a queue.
func (g *ledger) settled(queue string, ids ...ident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.tick()
	for _, id := range ids {
		if c := g.queues[queue].copies[id]; c != nil && c.gone == 0 {
			c.gone = at
			g.totals.settled++
		}
	}
}

// willEmpty has to be told before a queue is purged or deleted. It returns what the broker
// is known to have had by then: this will be gone.
func (g *ledger) willEmpty(queue string) (known []ident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.tick()
	q := g.queues[queue]
	q.unstable = true
	for id, c := range q.copies {
		if c.doubtful == 0 {
			c.doubtful = at
		}
		if c.message.confirmed != 0 {
			known = append(known, id)
		}
	}
	return known
}

// emptied: the queue is there, and takes messages as before.
func (g *ledger) emptied(queue string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queues[queue].unstable = false
}

// found is a message that lies in a queue after a restart.
type found struct {
	id   ident
	size int
	sum  uint32
}

// restarted holds what lies in a queue against what was known of it: before the crash, and
// after it (the same when nobody was told anything meanwhile). What is found becomes the truth.
func (g *ledger) restarted(queue string, list []found, before, after moment) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[queue]
	lastSeq, lastPlace := make(map[uint32]uint32), 0
	now := make(map[ident]*copyOf, len(list))
	at := g.tick()
	for i, f := range list {
		c := q.copies[f.id]
		if err := stillThere(queue, f, c, before, after); err != nil {
			return err
		}
		switch {
		case now[f.id] != nil:
			return violation("queue %s has %v twice", queue, f.id)
		case lastSeq[f.id.publisher] >= f.id.seq:
			return violation("queue %s has %v after %d.%d", queue, f.id, f.id.publisher,
				lastSeq[f.id.publisher])
		case c.place != 0 && c.place <= lastPlace:
			return violation("queue %s has %v in another order than before", queue, f.id)
		case c.place != 0:
			lastPlace = c.place
		}
		lastSeq[f.id.publisher] = f.id.seq
		if c.message.confirmed == 0 { // recovery makes stable what it finds
			c.message.confirmed = at
		}
		now[f.id] = &copyOf{message: c.message, place: i + 1}
	}
	for id, c := range q.copies {
		if !required(c, before, after) {
			continue
		}
		g.totals.required++
		if now[id] == nil {
			return violation("queue %s has lost %v, confirmed at %d, before %d; it has %d others",
				queue, id, c.message.confirmed, before, len(list))
		}
	}
	q.copies, q.unstable = now, false
	return nil
}

// required reports whether the broker has promised that c survives.
func required(c *copyOf, before, after moment) bool {
	m := c.message
	return m.persistent && m.confirmed != 0 && m.confirmed <= before && c.gone == 0 &&
		(c.doubtful == 0 || c.doubtful > after)
}

// stillThere checks one message that was found.
func stillThere(queue string, f found, c *copyOf, before, after moment) error {
	switch {
	case c == nil:
		return violation("queue %s has %v: nobody sent it there, or it was gone", queue, f.id)
	case c.message.at > after:
		return violation("queue %s has %v, sent after the crash", queue, f.id)
	case c.gone != 0 && c.gone <= before:
		return violation("queue %s has %v, settled for certain at %d, before %d",
			queue, f.id, c.gone, before)
	case !c.message.persistent:
		return violation("queue %s has %v, which is not persistent", queue, f.id)
	case c.message.size != f.size || c.message.sum != f.sum:
		return violation("queue %s has %v with a changed body of %d bytes, sent were %d",
			queue, f.id, f.size, c.message.size)
	}
	return nil
}

// forget drops messages that are in no queue any more.
func (g *ledger) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := make(map[ident]*sent)
	for _, q := range g.queues {
		for id, c := range q.copies {
			kept[id] = c.message
		}
	}
	g.messages = kept
}
