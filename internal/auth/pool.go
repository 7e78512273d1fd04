package auth

import (
	"context"
	"sync"
	"sync/atomic"
)

const (
	// hashesMax is how many passwords are hashed with argon2id at once: so many processors and
	// so much memory, argonMemory each, do logins take at most.
	hashesMax = 2
	// hashersMax is how many logins wait for that at most; more are refused at once.
	hashersMax = 4096
)

// pool lets hashesMax in at a time.
type pool struct {
	slots   chan struct{} // capacity hashesMax; full: they wait
	waiting atomic.Int64
}

func newPool() *pool { return &pool{slots: make(chan struct{}, hashesMax)} }

// enter waits for a turn until ctx is done. The error is ErrBusy; without one, leave has to follow.
func (p *pool) enter(ctx context.Context) error {
	if p.waiting.Add(1) > hashersMax {
		p.waiting.Add(-1)
		return ErrBusy
	}
	defer p.waiting.Add(-1)
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}

func (p *pool) leave() { <-p.slots }

// pending are the verdicts that are being computed. It is safe for concurrent use.
type pending struct {
	mu       sync.Mutex
	verdicts map[fingerprint]chan struct{} // closed when it has been computed, or not
}

// begin makes the caller the one who computes a verdict, and has to call end, unless another one
// does already: then computed is closed when that has ended.
func (p *pending) begin(print fingerprint) (computed <-chan struct{}, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.verdicts[print]; ok {
		return other, false
	}
	if p.verdicts == nil {
		p.verdicts = make(map[fingerprint]chan struct{})
	}
	p.verdicts[print] = make(chan struct{})
	return nil, true
}

func (p *pending) end(print fingerprint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.verdicts[print])
	delete(p.verdicts, print)
}
