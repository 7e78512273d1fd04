package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
)

// vhostNameMax is the longest name of a vhost, in octets: clients send it as a short string.
const vhostNameMax = 255

// PutVHost makes a vhost with the predeclared exchanges, open to nobody yet. It returns when
// that is on stable storage. A vhost of that name that exists is left as it is: created is
// false then.
func (m *Manager) PutVHost(name string) (created bool, err *amqp.Error) {
	if name == "" || len(name) > vhostNameMax {
		return false, amqp.NewError(amqp.PreconditionFailed,
			"a vhost's name has 1 to %d octets, not %d", vhostNameMax, len(name))
	}
	m.declaring.Lock()
	m.mu.Lock()
	created = m.state.PutVHost(name)
	m.mu.Unlock()
	var log journal
	if created {
		m.addVHost(name)
		log.add(definition.Command{Kind: definition.PutVHostKind, VHost: name})
	}
	written := m.define(log.records)
	m.declaring.Unlock()
	return created, written()
}

// PutPermission gives a user access to a vhost, or replaces what was given, and returns when
// that is on stable storage. It refuses an unknown user or vhost, and patterns that are none.
func (m *Manager) PutPermission(p definition.Permission) *amqp.Error {
	for _, pattern := range []string{p.Configure, p.Write, p.Read} {
		if err := auth.CheckPattern(pattern); err != nil {
			return amqp.NewError(amqp.PreconditionFailed, "pattern '%s': %v", pattern, err)
		}
	}
	m.declaring.Lock()
	m.mu.Lock()
	err := m.state.PutPermission(p)
	v := m.vhosts[p.VHost]
	m.mu.Unlock()
	var log journal
	if err == nil {
		v.generations.permissions.Add(1) // what connections remember of the old permission is void
		log.add(definition.Command{Kind: definition.PutPermissionKind, Permission: p})
	}
	written := m.define(log.records)
	m.declaring.Unlock()
	if err != nil {
		return err
	}
	return written()
}
