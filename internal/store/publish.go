package store

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Publish appends one message for one or more durable queues, each named once. It gives the
// message its number in each of them, in numbers, which has the length of queues: rising in the
// order in which the log has them. The message is unsettled in each queue until Settle or
// DeleteQueue. It is the concatenation of the pieces, which are copied before it returns. It
// does not wait for the disk (see Notify), except while the buffer or the disk is full. It
// returns 0, and nothing is written, if the store has failed or is closed, which Notify will
// tell, or may refuse (see Refuse); numbers are given even then. It panics if the message is
// larger than MessageBytesMax or the queues are more than FanOutMax: the caller checks its own
// limits.
func (s *Store) Publish(queues []*Queue, numbers []uint64, message ...[]byte) LSN {
	size := publishBytes(checkPublish(queues, message), len(queues))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mayPublish() {
		for i, q := range queues {
			numbers[i] = q.last.Add(1)
		}
		return 0
	}
	return s.publish(queues, numbers, message, size)
}

// mayPublish returns when publishers are not held. It reports false when they are, and must not
// wait any more; mu is held.
func (s *Store) mayPublish() bool {
	for s.held() {
		if s.refusing {
			return false
		}
		s.space.Wait()
	}
	return true
}

// Refuse ends the waits for room on a full disk, for good: Publish, and Commit with messages,
// return 0 instead, and nothing is written. It is for those who are about to stop all who publish,
// and then to Close.
func (s *Store) Refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = true
	s.space.Broadcast()
}

// TryPublish is Publish for callers who have something to do before they wait. Where Publish would
// wait it returns false, and has done nothing.
func (s *Store) TryPublish(queues []*Queue, numbers []uint64, message ...[]byte) (LSN, bool) {
	size := publishBytes(checkPublish(queues, message), len(queues))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == started && s.err == nil &&
		(s.held() || s.front.lacks(size, s.options.BufferBytesMax)) {
		return 0, false
	}
	return s.publish(queues, numbers, message, size), true
}

// publish appends a message of at most size bytes when there is room in front; mu is held.
func (s *Store) publish(queues []*Queue, numbers []uint64, message [][]byte, size int) LSN {
	b := s.reserve(size, s.options.BufferBytesMax)
	for i, q := range queues {
		numbers[i] = q.last.Add(1)
	}
	if b == nil || len(queues) == 0 {
		return 0
	}
	s.appendMessage(b, queues, numbers, message)
	return b.lsn
}

// publishBytes is the most that the record of a message takes.
func publishBytes(message, queues int) int {
	return message + recordHeadBytes + 1 + binary.MaxVarintLen64*(1+2*queues)
}

// copyBytes is about what a message takes in a segment, where each queue has a copy of its own:
// so much it counts for in each of its queues.
func copyBytes(message ...[]byte) int64 {
	const head = 8 // kind, count, queue and number
	size := int64(recordHeadBytes + head)
	for _, piece := range message {
		size += int64(len(piece))
	}
	return size
}

func checkPublish(queues []*Queue, message [][]byte) int {
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

// Settle appends that these messages leave a queue: acknowledged, expired, dropped or moved. The
// ranges rise and do not overlap; every message in them that is in the queue leaves it, numbers of
// others are ignored. It waits like Publish. The result is for Notify: once that is on stable
// storage, none of them comes back. It is 0 if the store has failed or is closed.
func (s *Store) Settle(q *Queue, ranges []Range) LSN {
	var lsn LSN
	for first := true; first || len(ranges) > 0; first = false {
		n := min(len(ranges), rangesMax)
		lsn = s.settle(q, ranges[:n])
		ranges = ranges[n:]
	}
	return lsn
}

// held says whether publishers have to wait since the disk is full: what is left, the second
// half of the last file that was prepared at least, and what was set aside, is for settlements,
// which give room back. mu is held.
func (s *Store) held() bool {
	return s.keeper.full && s.phase == started && s.err == nil && !s.alone &&
		(!s.keeper.reserved || !s.keeper.mergeRoom || len(s.files.pool) == 0 &&
			(!s.files.current().prepared || s.front.end() >= s.lengthOf(s.files.current())/2))
}

// settleBytes is room in the buffer that Publish leaves: so that a queue can be drained while
// publishers wait for a full disk.
const settleBytes = 1 << 20

func (s *Store) settle(q *Queue, ranges []Range) LSN {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := recordHeadBytes + 1 + 2*binary.MaxVarintLen64*(1+len(ranges))
	b := s.reserve(size, s.options.BufferBytesMax+settleBytes)
	if b == nil {
		return 0
	}
	s.emptied = s.emptied[:0]
	s.appendSettled(b, q, ranges)
	s.noteEmptied(b)
	return s.last
}

// appendSettled appends that messages left a queue, as far as the log has them, and adds the files
// that are empty now to s.emptied; mu is held.
func (s *Store) appendSettled(b *batch, q *Queue, ranges []Range) {
	s.settled = s.settled[:0]
	spilled := !empty(&q.spilled)
	for _, r := range ranges {
		var count int
		count, _, s.emptied = s.index.Settle(&q.logged, r.First, r.Last, s.emptied)
		if count > 0 {
			s.settled = append(s.settled, r)
			s.keeper.settled += count
		}
		if spilled {
			_, _, s.emptied = s.index.Settle(&q.spilled, r.First, r.Last, s.emptied)
		}
	}
	if len(s.settled) > 0 {
		b.buf = appendSettle(b.buf, q.id, s.settled)
		b.touch(q)
		s.took(b, false)
	}
}

// DeleteQueue appends that a queue is gone with everything in it. The caller does not publish to
// this id again; a Publish that is under way is to be settled. A quarantine of the queue ends. It
// waits like Publish; the result is that of Settle.
func (s *Store) DeleteQueue(q *Queue) LSN {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.reserve(recordHeadBytes+1+binary.MaxVarintLen64, s.options.BufferBytesMax+settleBytes)
	if b == nil {
		return 0
	}
	s.emptied = s.emptied[:0]
	damaged := s.damaged[q.id] != ""
	if damaged {
		delete(s.damaged, q.id)
		s.forgiven = append(s.forgiven, editDamage{queue: q.id})
		s.keeper.wanted = true
	}
	if damaged || !empty(&q.logged) { // else the log holds nothing of q that is not settled
		s.emptied = s.index.DeleteQueue(&q.logged, s.emptied)
		b.buf = appendDelete(b.buf, q.id)
		b.touch(q)
		s.took(b, true)
	}
	s.emptied = s.index.DeleteQueue(&q.spilled, s.emptied)
	s.noteEmptied(b)
	delete(s.queues, q.id)
	return s.last
}

// Truncate appends that a queue has no message from that number on; the next one gets it. This is
// what a replicated log does with entries that its group did not agree to. It waits like Publish;
// the result is that of Settle.
func (s *Store) Truncate(q *Queue, from uint64) LSN {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.reserve(recordHeadBytes+1+2*binary.MaxVarintLen64,
		s.options.BufferBytesMax+settleBytes)
	if b == nil {
		return 0
	}
	s.emptied = s.index.TruncateFrom(&q.logged, from, s.emptied[:0])
	b.buf = appendTruncate(b.buf, q.id, from)
	b.touch(q)
	s.took(b, true)
	q.last.Store(from - 1)
	q.next[laneLogged] = hint{}
	s.noteEmptied(b)
	return s.last
}

// noteEmptied remembers which group has the last settlement of a file; mu is held.
func (s *Store) noteEmptied(b *batch) {
	for _, number := range s.emptied {
		if x := s.files.byID[uint32(number)]; x != nil {
			x.emptied = b.lsn
			if x != s.files.current() { // that one empties again and again
				s.keeper.wanted, s.keeper.emptied = true, b.lsn
			}
		}
	}
	if s.keeper.settled >= settledMany {
		s.keeper.settled, s.keeper.wanted = 0, true
	}
	if s.keeper.wanted {
		s.chores.Signal()
	}
}

// reserve waits for room for a record of at most size bytes in front, which it returns; nil if
// nothing can be written any more. Something larger than the whole buffer is let in when nothing
// else is there. The caller holds mu.
func (s *Store) reserve(size, limit int) *batch {
	if s.phase == opened {
		panic("store: written to before Start")
	}
	for s.phase == started && s.err == nil {
		b := s.front
		if !b.lacks(size, limit) {
			b.grow(size)
			return b
		}
		if s.refusing && s.keeper.full {
			return nil
		}
		s.space.Wait()
	}
	return nil
}

const (
	// lazyDelay is how long settlements wait for a message that is published, to go to the disk
	// with it: nobody waits for them, and a sync less is a sync sooner for who publishes next.
	lazyDelay = 10 * time.Millisecond
	// lazyBytes of them wait at most.
	lazyBytes = 256 << 10
)

// took notes that a record was appended to front. The caller holds mu.
func (s *Store) took(b *batch, urgent bool) {
	s.last = b.lsn
	s.counts.records++
	b.records++
	if s.counts.records == 1 { // from now on it is worth the room to prepare files
		s.keeper.wanted = true
		s.chores.Signal()
	}
	switch {
	case b.urgent:
	case urgent || len(b.buf) > lazyBytes:
		s.hurry()
	case !s.lazy:
		s.lazy = true
		s.lazyTimer.Reset(lazyDelay)
	}
}

// hurry has front written as soon as possible; mu is held.
func (s *Store) hurry() {
	s.front.urgent = true
	s.work.Signal()
}

// notLazy is called when settlements have waited for lazyDelay.
func (s *Store) notLazy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lazy = false; s.phase == started && s.front.records > 0 {
		s.hurry()
	}
}
