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
	mu       sync.Mutex
	all      map[*Access]struct{}
	users    map[string]*usage
	channels int
}

// usage counts what a user has open.
type usage struct{ connections, channels int }

// enter takes in an access, unless its vhost is gone or check refuses it.
func (r *registry) enter(a *Access, check func(*usage) *amqp.Error) *amqp.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.vhost.gone.Load() {
		return noVHost(a.vhost.name)
	}
	if r.all == nil {
		r.all, r.users = make(map[*Access]struct{}), make(map[string]*usage)
	}
	u := r.users[a.user]
	if u == nil {
		u = new(usage)
	}
	if err := check(u); err != nil {
		return err
	}
	r.all[a], r.users[a.user], a.usage = struct{}{}, u, u
	u.connections++
	a.vhost.connections++
	return nil
}

func (r *registry) leave(a *Access) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, open := r.all[a]; !open {
		return
	}
	delete(r.all, a)
	r.count(a, -a.channels)
	a.vhost.connections--
	if a.usage.connections--; a.usage.connections == 0 {
		delete(r.users, a.user)
	}
}

// count notes that an access has n channels more; the lock is held.
func (r *registry) count(a *Access, n int) {
	a.channels += n
	a.usage.channels += n
	r.channels += n
}

func (r *registry) connections() int {
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
