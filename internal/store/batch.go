package store

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

// Queue is what the store keeps of one queue. It is made by OpenQueue.
type Queue struct {
	id QueueID
	// last is the highest number given out.
	last    atomic.Uint64
	logged  index.Queue
	spilled index.Queue
	touched LSN // the last group with a record of this queue
	// next is where the next Load probably goes on, in each lane.
	next [lanes]hint
	// trails is where messages are, if that is worth remembering; else they are nil.
	trails [lanes]*trail
}

// OpenQueue returns the handle of a queue, which is the same for the same id. Nothing on disk says
// that there is a queue: it is no more than what is published to it.
func (s *Store) OpenQueue(id QueueID) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue(id)
}

// queue returns the handle of a queue; mu is held, or nobody else is there yet.
func (s *Store) queue(id QueueID) *Queue {
	q := s.queues[id]
	if q == nil {
		q = &Queue{id: id}
		q.logged.Owner, q.spilled.Owner = q, q
		s.queues[id] = q
	}
	return q
}

// ID returns the identity of the queue.
func (q *Queue) ID() QueueID { return q.id }

// Number gives out the next number of the queue, for a message that is not logged.
func (q *Queue) Number() uint64 { return q.last.Add(1) }

func empty(q *index.Queue) bool {
	count, _ := q.Live()
	return count == 0
}

// batch is a buffer of records: what one write and one sync take to the disk.
type batch struct {
	lsn     LSN
	file    uint32 // number of the file it goes to
	offset  int64  // where in it
	buf     []byte // aligned; begins with a group record
	records int    // without the group
	urgent  bool   // it is to be written as soon as the log goroutine can
	touched []QueueID
}

func (b *batch) reset(lsn LSN, file uint32, offset int64, before place, queues []QueueID) {
	b.lsn, b.file, b.offset, b.records, b.urgent = lsn, file, offset, 0, false
	b.buf, b.touched = b.buf[:0], b.touched[:0]
	b.grow(groupFixedBytes + binary.MaxVarintLen64*(1+len(queues)))
	b.buf = appendGroup(b.buf, before, queues)
}

// lacks says whether a record has to wait for the next buffer. One that is larger than a whole
// buffer is taken by an empty one.
func (b *batch) lacks(size, limit int) bool { return b.records > 0 && len(b.buf)+size > limit }

// batchBytesMin is the room a buffer begins with.
const batchBytesMin = 64 << 10

// grow makes room for n more bytes and for padding, in aligned memory.
func (b *batch) grow(n int) {
	need := len(b.buf) + n + disk.BlockBytes
	if need <= cap(b.buf) {
		return
	}
	larger := disk.Aligned(int(blockAfter(int64(max(need, 2*cap(b.buf), batchBytesMin)))))
	b.buf = append(larger[:0], b.buf...)
}

// at is the place of the group.
func (b *batch) at() place { return placeOf(b.file, b.offset) }

// end is the offset after the last record.
func (b *batch) end() int64 { return b.offset + int64(len(b.buf)) }

// touch notes that a record of the batch is of q.
func (b *batch) touch(q *Queue) {
	if q.touched != b.lsn {
		q.touched = b.lsn
		b.touched = append(b.touched, q.id)
	}
}
