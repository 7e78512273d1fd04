package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
)

// PutPolicy makes or replaces a policy. It holds for the next message of every publisher, and is
// on stable storage on return.
func (v *VHost) PutPolicy(p definition.Policy) *amqp.Error {
	return v.change(func(log *journal) *amqp.Error {
		if err := v.definitions.PutPolicy(p); err != nil {
			return err
		}
		v.generations.everythingChanged()
		log.add(definition.Command{Kind: definition.PutPolicyKind, VHost: v.name, Policy: p})
		return nil
	})
}

// ClearPolicy takes a policy away; NOT_FOUND when there is none of that name.
func (v *VHost) ClearPolicy(name string) *amqp.Error {
	return v.change(func(log *journal) *amqp.Error {
		if !v.definitions.ClearPolicy(name) {
			return amqp.NewError(amqp.NotFound, "no policy '%s' in vhost '%s'", name, v.name)
		}
		v.generations.everythingChanged()
		log.add(definition.Command{
			Kind: definition.ClearPolicyKind, VHost: v.name,
			Policy: definition.Policy{Name: name},
		})
		return nil
	})
}

// Policies returns the policies of the vhost in the order of their names.
func (v *VHost) Policies() []definition.Policy {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Policies()
}

// Policy returns the name of the policy that counts for the queue, "" when none does.
func (q *Queue) Policy() string {
	q.vhost.mu.RLock()
	defer q.vhost.mu.RUnlock()
	return q.vhost.definitions.PolicyOf(q.Name())
}

// Durability returns when a message of the queue counts as stored, by argument or policy.
func (q *Queue) Durability() definition.Durability {
	q.vhost.mu.RLock()
	defer q.vhost.mu.RUnlock()
	return q.vhost.definitions.DurabilityOf(q.Name())
}
