package perf

import "sync"

// queueLog is what a run knows of one queue. Its lock is held for one read batch at a time.
type queueLog struct {
	mu sync.Mutex
	queueCounts
	run      uint16    // of this run's messages
	adopt    bool      // take the run of the first message for this run
	size     int       // of this run's bodies; -1: any
	checks   bool      // bodies are large enough to tell messages apart
	trackers []tracker // by producer
	latency  *histogram
}

// queueCounts are the totals of a queueLog.
type queueCounts struct {
	received    uint64 // all but foreign
	redelivered uint64
	foreign     uint64 // not of this run
	misordered  uint64
	last        int64 // when something was received last
}

// newQueueLog prepares for the producers of this run; without any, for whoever produces.
func newQueueLog(run uint16, p ProducerOptions) *queueLog {
	l := &queueLog{run: run, size: p.Size, latency: newHistogram()}
	l.trackers = make([]tracker, p.Count)
	if p.Count == 0 {
		l.adopt, l.size = true, -1
	}
	l.checks = p.Count == 0 || p.Size >= originSize || p.Size >= sequenceSize && p.Count == 1
	return l
}

// subscription is one consumer's share of a queue.
type subscription struct {
	log  *queueLog
	seen []uint64 // by producer: one more than the highest sequence this consumer had
}

// note counts one message as received by sub, and returns false for a foreign one. The lock is
// held.
func (l *queueLog) note(sub *subscription, s stamp, size int, redelivered bool) bool {
	if size != l.size && l.size >= 0 {
		l.foreign++
		return false
	}
	if l.checks && size >= sequenceSize {
		if l.adopt {
			l.adopt, l.run = false, s.run
			l.checks = size >= originSize
		}
		if s.run != l.run || int(s.producer) >= ProducersMax {
			l.foreign++
			return false
		}
		l.track(sub, s, redelivered)
	}
	l.received++
	if redelivered {
		l.redelivered++
	}
	return true
}

func (l *queueLog) track(sub *subscription, s stamp, redelivered bool) {
	p := int(s.producer)
	if p >= len(l.trackers) {
		l.trackers = append(l.trackers, make([]tracker, p+1-len(l.trackers))...)
	}
	if p >= len(sub.seen) {
		sub.seen = append(sub.seen, make([]uint64, p+1-len(sub.seen))...)
	}
	seq, fresh := l.trackers[p].add(s.sequence)
	// A message put back into the queue may come after its successors: that is no disorder.
	if seq < sub.seen[p] && fresh && !redelivered {
		l.misordered++
	}
	sub.seen[p] = max(sub.seen[p], seq+1)
}

// takeLatency returns what was recorded since the last call, and records into empty from now on.
func (l *queueLog) takeLatency(empty *histogram) *histogram {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.latency
	l.latency = empty
	return full
}

// counts returns the totals.
func (l *queueLog) counts() queueCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queueCounts
}

// distinct returns how many different messages came from a producer.
func (l *queueLog) distinct(producer int) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trackers[producer].received
}

// sums returns what all trackers found: duplicates, and the holes below the highest sequences.
func (l *queueLog) sums() (duplicates, missing uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.trackers {
		duplicates += l.trackers[i].duplicates
		missing += l.trackers[i].missing()
	}
	return duplicates, missing
}
