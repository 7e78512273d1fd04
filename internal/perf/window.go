package perf

import "sync"

// ringMin is the least number of delivery tags that may be on their way: a broker that
// confirms a late message first must not stop a producer with a small window.
const ringMin = 1024

// window keeps the number of unconfirmed messages of one producer within its limit, and
// measures how long a confirm takes. The producer calls reserve and mark, the goroutine that
// reads from the broker calls settle and release.
type window struct {
	mu        sync.Mutex
	wake      *sync.Cond
	limit     int
	closed    bool
	base      uint64  // the lowest unconfirmed delivery tag
	next      uint64  // the delivery tag of the next message
	open      int     // unconfirmed, or reserved
	sent      []int64 // by tag: when it was sent; 0: settled. The length is a power of two.
	confirmed uint64
	nacked    uint64
	stray     uint64 // confirms for tags that were not open
	latency   *histogram
}

func newWindow(limit int) *window {
	size := ringMin
	for size < 2*limit {
		size *= 2
	}
	w := &window{limit: limit, base: 1, next: 1, sent: make([]int64, size)}
	w.wake = sync.NewCond(&w.mu)
	w.latency = newHistogram()
	return w
}

// reserve waits until at least one message may be sent and takes up to most of what the
// window allows. It returns 0 once the window is closed.
func (w *window) reserve(most int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed {
		room := min(w.limit-w.open, len(w.sent)-int(w.next-w.base), most)
		if room > 0 {
			return room
		}
		w.wake.Wait()
	}
	return 0
}

// mark notes that n messages are written now.
func (w *window) mark(n int, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mask := uint64(len(w.sent) - 1)
	for range n {
		w.sent[w.next&mask] = now
		w.next++
	}
	w.open += n
}

// settle notes a basic.ack or basic.nack from the broker, and wakes the producer.
func (w *window) settle(tag uint64, multiple, ack bool, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := tag
	if multiple {
		first = w.base
		if tag == 0 { // all outstanding
			tag = w.next - 1
		}
	}
	w.settleOpen(first, tag, ack, now)
}

// settleSpan is settle for all of first..last.
func (w *window) settleSpan(first, last uint64, ack bool, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settleOpen(max(first, w.base), last, ack, now)
}

// settleOpen settles what is open in first..tag; the lock is held.
func (w *window) settleOpen(first, tag uint64, ack bool, now int64) {
	if tag >= w.next || tag < w.base {
		w.stray++
		return
	}
	count := w.settleRange(first, tag, now)
	if ack {
		w.confirmed += count
	} else {
		w.nacked += count
	}
	w.open -= int(count)
	mask := uint64(len(w.sent) - 1)
	for w.base < w.next && w.sent[w.base&mask] == 0 {
		w.base++
	}
	w.wake.Signal()
}

// settleRange settles what is open in first..last and records its latency. Messages of one
// write share their time, and so one record.
func (w *window) settleRange(first, last uint64, now int64) (count uint64) {
	mask := uint64(len(w.sent) - 1)
	var at, run int64
	for tag := first; tag <= last; tag++ {
		sent := w.sent[tag&mask]
		if sent == 0 {
			continue
		}
		w.sent[tag&mask] = 0
		count++
		if sent != at {
			w.latency.record(now-at, run)
			at, run = sent, 0
		}
		run++
	}
	w.latency.record(now-at, run)
	if count == 0 {
		w.stray++
	}
	return count
}

// close makes reserve return 0 from now on.
func (w *window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wake.Broadcast()
}

// counts returns what was settled so far, and how many messages are unconfirmed.
func (w *window) counts() (confirmed, nacked uint64, open int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.confirmed, w.nacked, w.open
}

// takeLatency returns what was recorded since the last call, and records into empty from now on.
func (w *window) takeLatency(empty *histogram) *histogram {
	w.mu.Lock()
	defer w.mu.Unlock()
	full := w.latency
	w.latency = empty
	return full
}
