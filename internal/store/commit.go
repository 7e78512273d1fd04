package store

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/warrenmq/warren/internal/store/index"
)

// CommitBytesMax is how large a Commit may be: see Commit.Bytes.
const CommitBytesMax = MessageBytesMax

// Commit is what has to survive together, or not at all: messages that are published and messages
// that leave their queues. Commit of Store writes it as one group, of which a crash leaves all or
// nothing. The zero value is an empty one.
type Commit struct {
	publishes   []publication
	settlements []settlement
	bytes       int
}

type publication struct {
	queues  []*Queue
	numbers []uint64
	message [2][]byte
	logged  bool
}

type settlement struct {
	queue  *Queue
	ranges []Range
}

// Publish adds a message as Publish of Store takes it, in two pieces. Queues, numbers and message
// belong to the commit; the numbers are given by Commit of Store.
func (c *Commit) Publish(queues []*Queue, numbers []uint64, head, rest []byte) {
	message := [2][]byte{head, rest}
	c.bytes += publishBytes(checkPublish(queues, message[:]), len(queues))
	c.publishes = append(c.publishes, publication{queues, numbers, message, true})
}

// Number adds a message that is not logged, so that its numbers are given in its turn.
func (c *Commit) Number(queues []*Queue, numbers []uint64) {
	c.publishes = append(c.publishes, publication{queues: queues, numbers: numbers})
}

// Settle adds messages that leave a queue, as Settle of Store takes them; they belong to the
// commit. It adds nothing and returns false when the commit would take more than CommitBytesMax.
func (c *Commit) Settle(q *Queue, ranges []Range) bool {
	size := settlementBytes(len(ranges))
	if c.bytes+size > CommitBytesMax {
		return false
	}
	c.settlements = append(c.settlements, settlement{q, ranges})
	c.bytes += size
	return true
}

// Bytes returns the most that the commit takes in the log.
func (c *Commit) Bytes() int { return c.bytes }

// settlementBytes is the most that so many ranges take, in as many records as they need.
func settlementBytes(ranges int) int {
	records := 1 + ranges/rangesMax
	return records*(recordHeadBytes+1+2*binary.MaxVarintLen64) +
		2*binary.MaxVarintLen64*ranges
}

// Commit appends all of c. It waits as Publish does, or as Settle if nothing is published, until
// one buffer has room for it, or is empty. The result is that of Publish: when it is on stable
// storage, all of c is. It panics if c takes more than CommitBytesMax: the caller checks that.
func (s *Store) Commit(c *Commit) LSN {
	if c.bytes > CommitBytesMax {
		panic(fmt.Sprintf("store: commit of %d bytes, the limit is %d", c.bytes, CommitBytesMax))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.options.BufferBytesMax
	publishes := slices.ContainsFunc(c.publishes, func(p publication) bool { return p.logged })
	if !publishes {
		limit += settleBytes
	}
	var b *batch
	if !publishes || s.mayPublish() {
		b = s.reserve(c.bytes, limit)
	}
	for i := range c.publishes {
		p := &c.publishes[i]
		for j, q := range p.queues {
			p.numbers[j] = q.last.Add(1)
		}
		if b != nil && p.logged && len(p.queues) > 0 {
			s.appendMessage(b, p.queues, p.numbers, p.message[:])
		}
	}
	if b == nil {
		return 0
	}
	if s.options.without == oneGroup {
		b = s.nextGroup()
	}
	s.emptied = s.emptied[:0]
	for _, x := range c.settlements {
		for ranges := x.ranges; len(ranges) > 0; {
			n := min(len(ranges), rangesMax)
			s.appendSettled(b, x.queue, ranges[:n])
			ranges = ranges[n:]
		}
	}
	s.noteEmptied(b)
	return s.last
}

// appendMessage appends a message that has its numbers; mu is held.
func (s *Store) appendMessage(b *batch, queues []*Queue, numbers []uint64, message [][]byte) {
	at := b.end()
	b.buf = appendPublish(b.buf, queues, numbers, message)
	share := copyBytes(message...)
	for i, q := range queues {
		s.index.Append(&q.logged, index.FileID(b.file), numbers[i], uint32(at),
			uint32(b.end()), share)
		b.touch(q)
	}
	s.took(b, true)
}

// nextGroup writes what has been appended and returns the buffer of the next group. It leaves out
// the measure oneGroup; mu is held.
func (s *Store) nextGroup() *batch {
	s.mu.Unlock()
	s.turn()
	s.mu.Lock()
	return s.front
}
