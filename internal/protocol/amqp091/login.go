package amqp091

import (
	"context"
	"sync"
)

// logins are the logins under way: some wait for their turn, and a door that shuts down does not
// wait for those.
type logins struct {
	mu      sync.Mutex
	waiting context.Context //nolint:containedctx // one for all, each time the door is open
	cancel  context.CancelFunc
}

// context returns until when a login may wait.
func (l *logins) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting, l.cancel = context.WithCancel(context.Background())
	}
	return l.waiting
}

// giveUp ends the wait of those that are under way.
func (l *logins) giveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
		l.waiting, l.cancel = nil, nil
	}
}
