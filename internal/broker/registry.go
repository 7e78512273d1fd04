package broker

import (
	"sync"

	"github.com/warrenmq/warren/amqp"
)

// Forced is what a door puts behind an access, so that the node can end its connection.
type Forced interface {
	// Force ends the connection with CONNECTION_FORCED and this reason. It may be called by any
	// goroutine, more than once, and does not wait.
	Force(reason string)
}

// registry knows the accesses that are open.
type registry struct {
	mu  sync.Mutex
	all map[*Access]struct{}
}

// enter takes in an access, unless its vhost is gone.
func (r *registry) enter(a *Access) *amqp.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.vhost.gone.Load() {
		return noVHost(a.vhost.name)
	}
	if r.all == nil {
		r.all = make(map[*Access]struct{})
	}
	r.all[a] = struct{}{}
	return nil
}

func (r *registry) leave(a *Access) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, a)
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// Attach tells who can end the connection of the access. It may come to that at once.
func (a *Access) Attach(f Forced) {
	a.m.registry.mu.Lock()
	a.forced = f
	reason := a.reason
	a.m.registry.mu.Unlock()
	if reason != "" {
		f.Force(reason)
	}
}

// force ends the connections of the accesses that match, and returns how many there are.
func (r *registry) force(reason string, match func(*Access) bool) int {
	count := 0
	var list []Forced
	r.mu.Lock()
	for a := range r.all {
		if !match(a) {
			continue
		}
		count++
		a.reason = reason
		if a.forced != nil {
			list = append(list, a.forced)
		}
	}
	r.mu.Unlock()
	for _, f := range list {
		f.Force(reason)
	}
	return count
}

// ForceConnections ends the connections to which match agrees, by their user and vhost, with
// CONNECTION_FORCED and this reason, and returns how many there are. It waits for none of them.
func (m *Manager) ForceConnections(reason string, match func(user, vhost string) bool) int {
	return m.registry.force(reason, func(a *Access) bool { return match(a.user, a.vhost.name) })
}
