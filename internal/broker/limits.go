package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
)

// NodeLimits bound what there may be on the node. 0 is no limit.
type NodeLimits struct {
	// Connections and Channels count those that are open.
	Connections, Channels int
	// ConsumersPerChannel counts the consumers of one channel.
	ConsumersPerChannel int
	// Queues, Exchanges and VHosts count all, the predeclared exchanges too.
	Queues, Exchanges, VHosts int
}

// SetLimits puts others in the place of Options.Limits. What is there beyond them stays.
func (m *Manager) SetLimits(l NodeLimits) { m.limits.Store(&l) }

// reached reports whether there may be no more of what there are n of.
func reached(limit, n int) bool { return limit > 0 && n >= limit }

// admit opens an access, unless a limit is reached or its vhost is gone.
func (m *Manager) admit(a *Access) *amqp.Error {
	userLimits, vhostLimits := m.UserLimits(a.user), a.vhost.Limits()
	return m.registry.enter(a, func(u *usage) *amqp.Error {
		if n := m.limits.Load().Connections; reached(n, len(m.registry.all)) {
			return amqp.NewError(amqp.NotAllowed,
				"connection refused: node connection limit (%d) is reached", n)
		}
		n, full := vhostLimits.Reached(definition.MaxConnections, a.vhost.connections)
		if full {
			return amqp.NewError(amqp.NotAllowed,
				"access to vhost '%s' refused for user '%s': connection limit (%d) is reached",
				a.vhost.name, a.user, n)
		}
		n, full = userLimits.Reached(definition.MaxConnections, u.connections)
		if full {
			return amqp.NewError(amqp.NotAllowed,
				"connection refused for user '%s': user connection limit (%d) is reached",
				a.user, n)
		}
		return nil
	})
}

// OpenChannel counts a channel of the access, which ends with CloseChannel or Close. It refuses
// with NOT_ALLOWED when the user, or the node, has as many as may be.
func (a *Access) OpenChannel() *amqp.Error {
	limits := a.m.UserLimits(a.user)
	r := &a.m.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := a.m.limits.Load().Channels; reached(n, r.channels) {
		return amqp.NewError(amqp.NotAllowed, "number of channels opened on node '%s' has reached "+
			"the maximum allowed limit of (%d)", a.m.name, n)
	}
	if n, full := limits.Reached(definition.MaxChannels, a.usage.channels); full {
		return amqp.NewError(amqp.NotAllowed, "number of channels opened for user '%s' has "+
			"reached the maximum allowed user limit of (%d)", a.user, n)
	}
	r.count(a, 1)
	return nil
}

// CloseChannel undoes OpenChannel.
func (a *Access) CloseChannel() {
	a.m.registry.mu.Lock()
	defer a.m.registry.mu.Unlock()
	if a.channels > 0 { // else the access is closed
		a.m.registry.count(a, -1)
	}
}

// MayConsume refuses with NOT_ALLOWED a consumer of a channel that has n of them already.
func (a *Access) MayConsume(n int) *amqp.Error {
	if most := a.m.limits.Load().ConsumersPerChannel; reached(most, n) {
		return amqp.NewError(amqp.NotAllowed, "reached maximum (%d) of consumers per channel", most)
	}
	return nil
}

// roomForQueue refuses a new queue when the node has as many as may be; v.mu is held.
func (m *Manager) roomForQueue(v *VHost, name string) *amqp.Error {
	if n := m.limits.Load().Queues; v.queues[name] == nil && reached(n, int(m.queues.Load())) {
		return amqp.NewError(amqp.PreconditionFailed,
			"cannot declare queue '%s': queue limit in cluster (%d) is reached", name, n)
	}
	return nil
}

// roomForExchange is roomForQueue for exchanges.
func (m *Manager) roomForExchange(v *VHost, name string) *amqp.Error {
	n := m.limits.Load().Exchanges
	if !reached(n, int(m.exchanges.Load())) || v.definitions.TypeOf(name) != nil {
		return nil
	}
	return amqp.NewError(amqp.PreconditionFailed,
		"cannot declare exchange '%s' in vhost '%s': exchange limit of %d is reached", name, v.name,
		n)
}

// PutUserLimits puts limits over those that a user has of the same names, and returns when that is
// on stable storage. They count for connections and channels that are opened from then on. It
// refuses an unknown user or limit.
func (m *Manager) PutUserLimits(user string, l definition.Limits) *amqp.Error {
	if err := definition.CheckUserLimits(l); err != nil {
		return err
	}
	return m.changeUserLimits(user, func(old definition.Limits) definition.Limits {
		return old.With(l)
	})
}

// ClearUserLimit takes a limit of a user away, if there is one; "all" stands for each.
func (m *Manager) ClearUserLimit(user, name string) *amqp.Error {
	return m.changeUserLimits(user, func(old definition.Limits) definition.Limits {
		return without(old, name)
	})
}

// without returns what is left without the limit of that name.
func without(l definition.Limits, name string) definition.Limits {
	if name == "all" {
		return nil
	}
	return l.Without(name)
}

func (m *Manager) changeUserLimits(
	user string, change func(definition.Limits) definition.Limits,
) *amqp.Error {
	return m.administer(func(log *journal) *amqp.Error {
		limits := change(m.state.UserLimits(user))
		if err := m.state.PutUserLimits(user, limits); err != nil {
			return err
		}
		log.add(definition.Command{
			Kind: definition.PutUserLimitsKind, User: definition.User{Name: user}, Limits: limits,
		})
		return nil
	})
}

// UserLimits returns the limits of a user. Nobody writes to them.
func (m *Manager) UserLimits(user string) definition.Limits {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.UserLimits(user)
}

// PutLimits gives the vhost these limits and no others, and returns when that is on stable storage.
// They count for connections that are opened and queues that are declared from then on. It refuses
// an unknown limit.
func (v *VHost) PutLimits(l definition.Limits) *amqp.Error {
	if err := definition.CheckVHostLimits(l); err != nil {
		return err
	}
	return v.changeLimits(func(definition.Limits) definition.Limits { return l })
}

// PutLimit puts one limit beside the others.
func (v *VHost) PutLimit(name string, value int64) *amqp.Error {
	one := definition.Limits{name: value}
	if err := definition.CheckVHostLimits(one); err != nil {
		return err
	}
	return v.changeLimits(func(old definition.Limits) definition.Limits { return old.With(one) })
}

// ClearLimit takes a limit away, if there is one; "all" stands for each.
func (v *VHost) ClearLimit(name string) *amqp.Error {
	return v.changeLimits(func(old definition.Limits) definition.Limits {
		return without(old, name)
	})
}

func (v *VHost) changeLimits(change func(definition.Limits) definition.Limits) *amqp.Error {
	return v.change(func(log *journal) *amqp.Error {
		limits := change(v.definitions.Limits())
		v.definitions.PutLimits(limits)
		log.add(definition.Command{
			Kind: definition.PutVHostLimitsKind, VHost: v.name, Limits: limits,
		})
		return nil
	})
}

// Limits returns the limits of the vhost. Nobody writes to them.
func (v *VHost) Limits() definition.Limits {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Limits()
}
