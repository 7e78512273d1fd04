package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// AcceptQueue ends the quarantine of a queue: what can be read of it counts as complete, and the
// queue runs again. It reads all of the queue, and returns how many messages were given up when
// that is on stable storage. It refuses a queue that is not there or not quarantined. Until a
// message that was given up is reached, it counts as one of the queue.
func (v *VHost) AcceptQueue(name string) (lost int, err *amqp.Error) {
	m := v.m
	v.mu.RLock()
	q := v.queues[name]
	v.mu.RUnlock()
	if q == nil {
		return 0, amqp.NewError(amqp.NotFound, "no queue '%s' in vhost '%s'", name, v.name)
	}
	if q.Flow().State != FlowQuarantined {
		return 0, amqp.NewError(amqp.PreconditionFailed,
			"queue '%s' in vhost '%s' is not quarantined", name, v.name)
	}
	q.mu.Lock()
	disk := q.disk
	q.mu.Unlock()
	if disk != nil {
		given, wrong := m.store.AcceptQueue(disk)
		if wrong != nil {
			return 0, amqp.NewError(amqp.InternalError, "queue '%s' in vhost '%s': %v", name,
				v.name, wrong)
		}
		lost = given
	}
	m.log.Warn("queue accepted", "vhost", v.name, "queue", name, "messages_given_up", lost)
	q.SetFlow(FlowRunning, "")
	v.generations.everythingChanged()
	b := m.NewBatch()
	b.Do(q, queue.Command{Kind: queue.Retry})
	b.Release()
	return lost, nil
}

// AllQuarantined reports whether there are queues, and every one is quarantined. It looks at no
// more than those and one.
func (m *Manager) AllQuarantined() bool {
	found := false
	for _, v := range m.VHosts() {
		all, some := v.allQuarantined()
		if !all {
			return false
		}
		found = found || some
	}
	return found
}

func (v *VHost) allQuarantined() (all, some bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, q := range v.queues {
		if q.Flow().State != FlowQuarantined {
			return false, true
		}
	}
	return true, len(v.queues) > 0
}

// quarantineEach puts each queue into quarantine by itself when the store vouches for none: so they
// are accepted or deleted one by one, and those that come later are not among them.
func (m *Manager) quarantineEach() error {
	if m.store.Quarantined()[store.AllQueues] == "" {
		return nil
	}
	var ids []store.QueueID
	for _, v := range m.vhosts {
		for _, q := range v.queues {
			if q.Flow().State == FlowQuarantined {
				ids = append(ids, q.storeID())
			}
		}
	}
	return m.store.QuarantineEach(ids)
}
