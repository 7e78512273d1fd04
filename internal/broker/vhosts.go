package broker

import (
	"fmt"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/queue"
)

func noVHost(name string) *amqp.Error {
	return amqp.NewError(amqp.NotAllowed, "vhost %s not found", name)
}

// PutVHost makes a vhost with the predeclared exchanges and what the node's Seed says. It returns
// when that is on stable storage. A vhost of that name that exists is left as it is: created is
// false then.
func (m *Manager) PutVHost(name string) (created bool, err *amqp.Error) {
	if err := checkName("vhost", name); err != nil {
		return false, err
	}
	with, failed := m.settlers(name)
	if failed != nil {
		return false, amqp.NewError(amqp.InternalError, "%v", failed)
	}
	err = m.administer(func(log *journal) *amqp.Error {
		if _, exists := m.vhosts[name]; !exists {
			if n := m.limits.Load().VHosts; n > 0 && len(m.vhosts) >= n {
				return amqp.NewError(amqp.PreconditionFailed,
					"cannot create vhost '%s': vhost limit of %d is reached", name, n)
			}
		}
		created = m.makeVHost(name, with, log)
		return nil
	})
	if created {
		_ = m.tell(err, "vhost made", "vhost", name)
	}
	return created, err
}

// DeleteVHost deletes a vhost and what is in it, messages and permissions too. Its connections are
// closed with CONNECTION_FORCED. It returns when the vhost is gone from stable storage. NOT_FOUND
// when there is none, PRECONDITION_FAILED when it is protected.
func (m *Manager) DeleteVHost(name string) *amqp.Error {
	v, queues, written, err := m.takeVHost(name)
	if err != nil {
		return err
	}
	err = written()
	here := func(a *Access) bool { return a.vhost == v }
	connections := m.registry.force(v.goneReason(), here)
	m.log.Info("vhost deleted", "vhost", name, "queues", len(queues), "connections", connections)
	b := m.NewBatch()
	defer b.Release()
	for _, q := range queues {
		b.apply(q, []queue.Command{{Kind: queue.Delete}})
		m.forget(q)
	}
	b.finish()
	m.routes.changed()
	return err
}

// takeVHost takes a vhost out of the definitions, and returns its queues, which are to be deleted.
func (m *Manager) takeVHost(name string) (
	v *VHost, queues []*Queue, written func() *amqp.Error, err *amqp.Error,
) {
	m.declaring.Lock()
	defer m.declaring.Unlock()
	v = m.VHost(name)
	if v == nil {
		return nil, nil, nil, amqp.NewError(amqp.NotFound, "no vhost '%s'", name)
	}
	if v.Metadata().Protected {
		return nil, nil, nil, amqp.NewError(amqp.PreconditionFailed,
			"Cannot delete vhost '%s', it is protected from deletion", name)
	}
	m.mu.Lock()
	m.state.DeleteVHost(name)
	delete(m.vhosts, name)
	m.mu.Unlock()
	var log journal
	log.add(definition.Command{Kind: definition.DeleteVHostKind, VHost: name})
	return v, v.end(), m.define(log.records), nil
}

// end empties the vhost for good, and returns the queues that are to be deleted; the manager's
// declaring lock is held.
func (v *VHost) end() (queues []*Queue) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gone.Store(true)
	exchanges := v.definitions.Exchanges()
	v.m.exchanges.Add(-int64(len(exchanges)))
	v.m.queues.Add(-int64(len(v.queues)))
	for _, x := range exchanges {
		v.dropKeeper(x.Name)
	}
	for _, q := range v.queues {
		queues = append(queues, q)
	}
	clear(v.queues)
	clear(v.exclusive)
	v.definitions.Clear()
	v.generations.everythingChanged()
	v.generations.permissions.Add(1)
	return queues
}

// goneReason is what those are told who are connected to a vhost that is deleted.
func (v *VHost) goneReason() string { return fmt.Sprintf("vhost '%s' is deleted", v.name) }

// PutMetadata replaces what is said of the vhost, and returns when that is on stable storage.
func (v *VHost) PutMetadata(d definition.Metadata) *amqp.Error {
	if err := definition.CheckMetadata(d); err != nil {
		return err
	}
	return v.change(func(log *journal) *amqp.Error {
		v.definitions.PutMetadata(d)
		log.add(definition.Command{
			Kind: definition.PutMetadataKind, VHost: v.name, Metadata: d,
		})
		return nil
	})
}

// Metadata returns what is said of the vhost. Nobody writes to it.
func (v *VHost) Metadata() definition.Metadata {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Metadata()
}

// SetTracing says whether copies of all messages of the vhost go to the exchange
// amq.rabbitmq.trace, until the node stops.
func (v *VHost) SetTracing(on bool) { v.tracing.Store(on) }

// Tracing reports what SetTracing said.
func (v *VHost) Tracing() bool { return v.tracing.Load() }
