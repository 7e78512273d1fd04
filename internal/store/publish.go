package store

import (
	"encoding/binary"
	"fmt"
)

// batch is a buffer of records: what one write and one sync take to the disk.
type batch struct {
	buf     []byte // begins with a group record
	base    LSN    // position of buf[0]
	file    uint32 // number of the file it goes to
	records int    // without the group
}

func (b *batch) reset(base LSN, file uint32) {
	b.buf, b.base, b.file, b.records = appendGroup(b.buf[:0]), base, file, 0
}

// end is the position after the last record.
func (b *batch) end() LSN { return b.base + LSN(len(b.buf)) }

// Publish appends one message for one or more queues, each named once, and returns its identity:
// it is unsettled in each of them until Settle or DeleteQueue. The message is the concatenation
// of the pieces, which are copied before it returns. It does not wait for the disk (see Notify),
// except while the buffer is full. It returns 0, and nothing is written, if there is no queue, or
// if the store has failed or is closed, which Notify will tell. It panics if the message is larger
// than MessageBytesMax or the queues are more than FanOutMax: the caller checks its own limits.
func (s *Store) Publish(queues []QueueID, message ...[]byte) LSN {
	if len(queues) == 0 {
		return 0
	}
	size := checkPublish(queues, message) + recordHeadBytes + 1 +
		binary.MaxVarintLen64*(1+len(queues))
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.reserve(size)
	if b == nil {
		return 0
	}
	id, start := b.end(), len(b.buf)
	b.buf = appendPublish(b.buf, queues, message)
	e := entry{id: id, file: b.file, share: share(len(b.buf)-start, len(queues))}
	for _, q := range queues {
		if s.index.add(q, e) {
			s.files.add(e)
		}
	}
	s.took(id)
	return id
}

// share of a record's bytes for each of its queues.
func share(recordBytes, queues int) uint32 { return uint32(recordBytes / queues) }

func checkPublish(queues []QueueID, message [][]byte) int {
	size := 0
	for _, piece := range message {
		size += len(piece)
	}
	if size > MessageBytesMax {
		panic(fmt.Sprintf("store: message of %d bytes, the limit is %d", size, MessageBytesMax))
	}
	if len(queues) > FanOutMax {
		panic(fmt.Sprintf("store: message for %d queues, the limit is %d",
			len(queues), FanOutMax))
	}
	return size
}

// Settle appends that these messages leave a queue: acknowledged, expired, dropped or moved. It
// waits like Publish. Messages that are not unsettled in the queue are ignored. The result is for
// Notify: once the log is stable up to it, none of them comes back. It is 0 if the store has
// failed or is closed.
func (s *Store) Settle(q QueueID, ids []LSN) LSN {
	var lsn LSN
	for first := true; first || len(ids) > 0; first = false {
		n := min(len(ids), settleIDsMax)
		lsn = s.settle(q, ids[:n])
		ids = ids[n:]
	}
	return lsn
}

func (s *Store) settle(q QueueID, ids []LSN) LSN {
	size := recordHeadBytes + 1 + binary.MaxVarintLen64*(2+len(ids))
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.reserve(size)
	if b == nil {
		return 0
	}
	lsn := b.end()
	s.settled = s.settled[:0]
	for _, id := range ids {
		if e, ok := s.index.remove(q, id); ok {
			s.files.drop(e, lsn)
			s.settled = append(s.settled, id)
		}
	}
	if len(s.settled) > 0 {
		b.buf = appendSettle(b.buf, q, s.settled)
		s.took(lsn)
	}
	return s.last
}

// DeleteQueue appends that a queue is gone with everything in it. The caller does not publish to
// this id again. It waits like Publish; the result is that of Settle. Its cost depends on the
// messages in the queue, not on the log.
func (s *Store) DeleteQueue(q QueueID) LSN {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.reserve(recordHeadBytes + 1 + binary.MaxVarintLen64)
	if b == nil {
		return 0
	}
	lsn, count := b.end(), s.index.count
	s.index.removeQueue(q, func(e entry) { s.files.drop(e, lsn) })
	if s.index.count < count { // else the log holds nothing of q that is not settled
		b.buf = appendDelete(b.buf, q)
		s.took(lsn)
	}
	return s.last
}

// reserve waits for room for a record of at most size bytes in front, which it returns; nil if
// nothing can be written any more. Something larger than the whole buffer is let in when nothing
// else is there. The caller holds mu.
func (s *Store) reserve(size int) *batch {
	if s.phase == opened {
		panic("store: written to before Start")
	}
	for s.phase == running && s.err == nil {
		b := s.front
		if b.records == 0 || len(b.buf)+size <= s.options.BufferBytesMax {
			return b
		}
		s.space.Wait()
	}
	return nil
}

// took notes that a record was appended to front at that position. The caller holds mu.
func (s *Store) took(lsn LSN) {
	s.last = lsn
	s.counts.records++
	s.front.records++
	if s.front.records == 1 {
		s.work.Signal()
	}
}
