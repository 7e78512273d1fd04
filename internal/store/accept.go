package store

import (
	"errors"
	"math"

	"github.com/warrenmq/warren/internal/store/index"
)

// acceptBytes are read at once by AcceptQueue.
const acceptBytes = 1 << 20

// AcceptQueue ends the quarantine of a queue, also of one that Load found damaged: what can be read
// counts as complete, what cannot is settled. All of the queue is read, a little at a time. It
// returns how many messages were given up when that is on stable storage. It is called after Start,
// while nobody loads from the queue. Under AllQueues, QuarantineEach comes first.
func (s *Store) AcceptQueue(q *Queue) (lost int, err error) {
	before := s.Live(q)
	if err := s.Accept(q.id); err != nil { // what is missing as a whole
		return 0, err
	}
	var stored []Stored
	for from, end := uint64(0), uint64(math.MaxUint64); from < end; {
		stored, from, err = s.Load(q, from, end-1, acceptBytes, stored[:0])
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrDamaged) {
			return 0, err
		}
		rest := s.extentFrom(q, from)
		if err := s.Wait(s.Settle(q, []Range{rest})); err != nil {
			return 0, err
		}
		from = rest.Last + 1
	}
	return before - s.Live(q), nil
}

// Live returns how many messages of the queue are on disk and not settled.
func (s *Store) Live(q *Queue) (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range []*index.Queue{&q.logged, &q.spilled} {
		for e := range list.Extents() {
			count += e.Live
		}
	}
	return count
}

// extentFrom is what damage at a number makes unreadable: the rest of its extent. Messages that
// were spilled in between are given up with it.
func (s *Store) extentFrom(q *Queue, number uint64) Range {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := Range{number, number}
	for _, list := range []*index.Queue{&q.spilled, &q.logged} {
		if e := list.Find(number); e != nil && e.First <= number {
			rest.Last = max(rest.Last, e.Last)
		}
	}
	return rest
}

// QuarantineEach turns the quarantine of AllQueues into one of each of these queues, so that they
// can be accepted, or deleted, one by one. It does nothing without a quarantine of AllQueues. It is
// called after Start and returns when that is on stable storage.
func (s *Store) QuarantineEach(ids []QueueID) error {
	var e edit
	s.mu.Lock()
	reason := s.damaged[AllQueues]
	if reason != "" {
		for _, id := range ids {
			if s.damaged[id] == "" {
				s.damaged[id] = reason
				e.damaged = append(e.damaged, editDamage{id, reason})
			}
		}
		delete(s.damaged, AllQueues)
		e.damaged = append(e.damaged, editDamage{queue: AllQueues})
	}
	s.mu.Unlock()
	if reason == "" {
		return nil
	}
	return s.write(&e, 0)
}

// Accept ends the quarantine of a queue: what is left of it counts as complete, and leaves out
// what is in parts of files that are not there. What is there and damaged is still so when it is
// loaded. It is called after Start. The id may be AllQueues.
func (s *Store) Accept(id QueueID) error {
	s.mu.Lock()
	_, damaged := s.damaged[id]
	var ranges []Range
	q := s.queues[id]
	if damaged && q != nil {
		for e := range q.logged.Extents() {
			if x := s.files.byID[uint32(e.File)]; x.lost != "" && int64(e.End) > x.readable {
				ranges = append(ranges, Range{e.First, e.Last})
			}
		}
	}
	delete(s.damaged, id)
	s.mu.Unlock()
	if !damaged {
		return nil
	}
	if len(ranges) > 0 {
		if err := s.Wait(s.Settle(q, ranges)); err != nil {
			return err
		}
	}
	return s.write(&edit{damaged: []editDamage{{queue: id}}}, 0)
}
