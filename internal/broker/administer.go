package broker

import (
	"fmt"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
)

// nameMax is the longest name of a vhost or user, in octets: clients send them as short strings.
const nameMax = 255

// administer runs f, which changes what is in no vhost, and returns when its commands are on stable
// storage; others may see the change earlier.
func (m *Manager) administer(f func(log *journal) *amqp.Error) *amqp.Error {
	m.declaring.Lock()
	var log journal
	m.mu.Lock()
	err := f(&log)
	m.mu.Unlock()
	written := m.define(log.records)
	m.declaring.Unlock()
	if broken := written(); broken != nil {
		return broken
	}
	return err
}

// tell logs a change, unless it failed with err, which it returns.
func (m *Manager) tell(err *amqp.Error, change string, fields ...any) *amqp.Error {
	if err == nil {
		m.log.Info(change, fields...)
	}
	return err
}

func checkName(kind, name string) *amqp.Error {
	if name == "" || len(name) > nameMax {
		return amqp.NewError(amqp.PreconditionFailed,
			"a %s's name has 1 to %d octets, not %d", kind, nameMax, len(name))
	}
	return nil
}

// PutUser makes a user, or replaces the one of that name, who keeps permissions and limits, and
// returns when that is on stable storage. PasswordHash is empty, which no password fits, or made
// by package auth with the Algorithm. Who is connected stays so.
func (m *Manager) PutUser(u definition.User) (created bool, err *amqp.Error) {
	if err := checkName("user", u.Name); err != nil {
		return false, err
	}
	err = m.administer(func(log *journal) *amqp.Error {
		created = m.state.PutUser(u)
		log.add(definition.Command{Kind: definition.PutUserKind, User: u})
		return nil
	})
	return created, m.tell(err, "user set", "user", u.Name, "created", created, "tags", u.Tags)
}

// DeleteUser deletes a user with permissions and limits; NOT_FOUND when there is none. Connections
// of that user are closed with CONNECTION_FORCED.
func (m *Manager) DeleteUser(name string) *amqp.Error {
	existed := false
	err := m.administer(func(log *journal) *amqp.Error {
		if !m.state.DeleteUser(name) {
			return amqp.NewError(amqp.NotFound, "no user '%s'", name)
		}
		existed = true
		for _, v := range m.vhosts {
			v.generations.permissions.Add(1)
		}
		log.add(definition.Command{
			Kind: definition.DeleteUserKind, User: definition.User{Name: name},
		})
		return nil
	})
	if existed {
		reason := fmt.Sprintf("user '%s' is deleted", name)
		theirs := func(a *Access) bool { return a.user == name }
		m.log.Info("user deleted", "user", name, "connections", m.registry.force(reason, theirs))
	}
	return err
}

// Users returns all users in the order of their names.
func (m *Manager) Users() []definition.User {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []definition.User
	for _, name := range m.state.Users() {
		u, _ := m.state.User(name)
		list = append(list, u)
	}
	return list
}

// permissionsChanged makes what the connections of a vhost remember of permissions void; m.mu is
// held.
func (m *Manager) permissionsChanged(vhost string) {
	if v := m.vhosts[vhost]; v != nil {
		v.generations.permissions.Add(1)
	}
}

func checkPatterns(patterns ...string) *amqp.Error {
	for _, pattern := range patterns {
		if err := auth.CheckPattern(pattern); err != nil {
			return amqp.NewError(amqp.PreconditionFailed, "pattern '%s': %v", pattern, err)
		}
	}
	return nil
}

// PutPermission gives a user access to a vhost, or replaces what was given, and returns when
// that is on stable storage. It refuses an unknown user or vhost, and patterns that are none. It
// counts for the next thing that those do who are connected.
func (m *Manager) PutPermission(p definition.Permission) *amqp.Error {
	if err := checkPatterns(p.Configure, p.Write, p.Read); err != nil {
		return err
	}
	err := m.administer(func(log *journal) *amqp.Error {
		if err := m.state.PutPermission(p); err != nil {
			return err
		}
		m.permissionsChanged(p.VHost)
		log.add(definition.Command{Kind: definition.PutPermissionKind, Permission: p})
		return nil
	})
	return m.tell(err, "permissions set", "user", p.User, "vhost", p.VHost,
		"configure", p.Configure, "write", p.Write, "read", p.Read)
}

// ClearPermission takes a user's access to a vhost away; NOT_FOUND when there is none. Who is
// connected may do nothing there any more.
func (m *Manager) ClearPermission(user, vhost string) *amqp.Error {
	err := m.administer(func(log *journal) *amqp.Error {
		if !m.state.ClearPermission(user, vhost) {
			return amqp.NewError(amqp.NotFound, "user '%s' has no permissions in vhost '%s'", user,
				vhost)
		}
		m.permissionsChanged(vhost)
		log.add(definition.Command{
			Kind:       definition.ClearPermissionKind,
			Permission: definition.Permission{User: user, VHost: vhost},
		})
		return nil
	})
	return m.tell(err, "permissions cleared", "user", user, "vhost", vhost)
}

// Permissions returns all permissions, in the order of users and then vhosts.
func (m *Manager) Permissions() []definition.Permission {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.Permissions()
}

// PutTopicPermission narrows what a user may do with a topic exchange, or replaces what was said
// about it, and returns when that is on stable storage. It refuses an unknown user or vhost, and
// patterns that are none; the exchange need not be there.
func (m *Manager) PutTopicPermission(p definition.TopicPermission) *amqp.Error {
	if err := checkTopicPatterns(&p); err != nil {
		return err
	}
	return m.administer(func(log *journal) *amqp.Error {
		if err := m.state.PutTopicPermission(p); err != nil {
			return err
		}
		m.permissionsChanged(p.VHost)
		log.add(definition.Command{Kind: definition.PutTopicPermissionKind, Topic: p})
		return nil
	})
}

// ClearTopicPermission takes the topic permission of a user for one exchange away; NOT_FOUND when
// there is none.
func (m *Manager) ClearTopicPermission(user, vhost, exchange string) *amqp.Error {
	return m.administer(func(log *journal) *amqp.Error {
		p := definition.TopicPermission{User: user, VHost: vhost, Exchange: exchange}
		if !m.state.ClearTopicPermission(p) {
			return amqp.NewError(amqp.NotFound,
				"user '%s' has no topic permission for exchange '%s' in vhost '%s'", user, exchange,
				vhost)
		}
		m.permissionsChanged(vhost)
		log.add(definition.Command{Kind: definition.ClearTopicPermissionKind, Topic: p})
		return nil
	})
}

// TopicPermissions returns all topic permissions, in the order of users, vhosts and exchanges.
func (m *Manager) TopicPermissions() []definition.TopicPermission {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.TopicPermissions()
}

// PutGlobalParameter makes a parameter of the node, or replaces the one of that name, and returns
// when that is on stable storage. The component is not looked at.
func (m *Manager) PutGlobalParameter(p definition.Parameter) (created bool, err *amqp.Error) {
	p.Component = ""
	if err := definition.CheckParameter(p); err != nil {
		return false, err
	}
	err = m.administer(func(log *journal) *amqp.Error {
		_, existed := m.state.GlobalParameter(p.Name)
		created = !existed
		m.state.PutGlobalParameter(p)
		log.add(definition.Command{Kind: definition.PutGlobalParameterKind, Parameter: p})
		return nil
	})
	return created, err
}

// ClearGlobalParameter takes a parameter of the node away; NOT_FOUND when there is none.
func (m *Manager) ClearGlobalParameter(name string) *amqp.Error {
	return m.administer(func(log *journal) *amqp.Error {
		if !m.state.ClearGlobalParameter(name) {
			return amqp.NewError(amqp.NotFound, "no global parameter '%s'", name)
		}
		log.add(definition.Command{
			Kind: definition.ClearGlobalParameterKind, Parameter: definition.Parameter{Name: name},
		})
		return nil
	})
}

// GlobalParameter returns the parameter of the node of that name.
func (m *Manager) GlobalParameter(name string) (definition.Parameter, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.GlobalParameter(name)
}

// GlobalParameters returns all parameters of the node in the order of their names.
func (m *Manager) GlobalParameters() []definition.Parameter {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.GlobalParameters()
}
