package store

import (
	"encoding/binary"
	"fmt"

	"github.com/warrenmq/warren/internal/store/index"
)

// CommitBytesMax is how large a Commit may be: see Commit.Bytes.
const CommitBytesMax = MessageBytesMax

// Commit is what has to survive together, or not at all: messages that are published and messages
// that leave their queues. Commit of Store writes it as one group, of which a crash leaves all or
// nothing. The zero value is an empty one, and its memory may be used again after Reset.
type Commit struct {
	publishes   []publication
	settlements []settlement
	bytes       int
}

type publication struct {
	queues  []*Queue
	numbers []uint64
	message [2][]byte
	size    int
}

type settlement struct {
	queue  *Queue
	ranges []Range
}

// Reset empties the commit.
func (c *Commit) Reset() {
	clear(c.publishes)
	clear(c.settlements)
	c.publishes, c.settlements, c.bytes = c.publishes[:0], c.settlements[:0], 0
}

// Publish adds a message as Publish of Store takes it, in two pieces. Queues, numbers and message
// belong to the commit until it is Reset; the numbers are given by Commit.
func (c *Commit) Publish(queues []*Queue, numbers []uint64, head, rest []byte) {
	message := [2][]byte{head, rest}
	size := publishBytes(checkPublish(queues, message[:]), len(queues))
	c.publishes = append(c.publishes, publication{queues, numbers, message, size})
	c.bytes += size
}

// Settle adds messages that leave a queue, as Settle of Store takes them. They belong to the commit
// until it is Reset.
func (c *Commit) Settle(q *Queue, ranges []Range) {
	c.settlements = append(c.settlements, settlement{q, ranges})
	c.bytes += settlementBytes(len(ranges))
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
	if len(c.publishes) == 0 {
		limit += settleBytes
	}
	for len(c.publishes) > 0 && s.held() {
		s.space.Wait()
	}
	b := s.reserve(c.bytes, limit)
	for i := range c.publishes {
		p := &c.publishes[i]
		for j, q := range p.queues {
			p.numbers[j] = q.last.Add(1)
		}
		if b != nil && len(p.queues) > 0 {
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
