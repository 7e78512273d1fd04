package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
)

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
