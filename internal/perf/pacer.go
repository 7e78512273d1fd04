package perf

import "time"

// pacer spreads messages evenly over time. It knows no clock: its caller tells it the time.
type pacer struct {
	rate  float64 // messages per second
	start int64   // nanoseconds: when message 0 is due
}

// due returns how many messages are due at now, of which done are done already, and if none,
// how long the next one is away. After a stall all that was missed is due at once, so that
// the average holds.
func (p pacer) due(now int64, done uint64) (uint64, time.Duration) {
	elapsed := float64(now - p.start)
	total := uint64(0)
	if elapsed >= 0 {
		total = uint64(elapsed*p.rate/1e9) + 1
	}
	if total > done {
		return total - done, 0
	}
	return 0, max(1, time.Duration(p.at(done)-now))
}

// at is the time at which message n is due.
func (p pacer) at(n uint64) int64 { return p.start + int64(float64(n)*1e9/p.rate) }
