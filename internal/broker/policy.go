package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
)

// PutPolicy makes or replaces a policy. On return it is on stable storage, and every queue that it
// counts for does as it says, from the next thing that happens there.
func (v *VHost) PutPolicy(p definition.Policy) *amqp.Error {
	return v.putPolicy(definition.PutPolicyKind, p, (*definition.VHost).PutPolicy)
}

// PutOperatorPolicy is PutPolicy for operator policies.
func (v *VHost) PutOperatorPolicy(p definition.Policy) *amqp.Error {
	return v.putPolicy(definition.PutOperatorPolicyKind, p, (*definition.VHost).PutOperatorPolicy)
}

func (v *VHost) putPolicy(
	kind definition.Kind, p definition.Policy,
	put func(*definition.VHost, definition.Policy) (definition.Affected, *amqp.Error),
) *amqp.Error {
	return v.changePolicies(func(log *journal) (definition.Affected, *amqp.Error) {
		affected, err := put(v.definitions, p)
		if err == nil {
			log.add(definition.Command{Kind: kind, VHost: v.name, Policy: p})
		}
		return affected, err
	})
}

// ClearPolicy takes a policy away; NOT_FOUND when there is none of that name.
func (v *VHost) ClearPolicy(name string) *amqp.Error {
	return v.clearPolicy(definition.ClearPolicyKind, name, (*definition.VHost).ClearPolicy)
}

// ClearOperatorPolicy takes an operator policy away; NOT_FOUND when there is none of that name.
func (v *VHost) ClearOperatorPolicy(name string) *amqp.Error {
	return v.clearPolicy(definition.ClearOperatorPolicyKind, name,
		(*definition.VHost).ClearOperatorPolicy)
}

func (v *VHost) clearPolicy(
	kind definition.Kind, name string,
	take func(*definition.VHost, string) (definition.Affected, bool),
) *amqp.Error {
	return v.changePolicies(func(log *journal) (definition.Affected, *amqp.Error) {
		affected, existed := take(v.definitions, name)
		if !existed {
			return affected, amqp.NewError(amqp.NotFound, "no policy '%s' in vhost '%s'",
				name, v.name)
		}
		log.add(definition.Command{
			Kind: kind, VHost: v.name, Policy: definition.Policy{Name: name},
		})
		return affected, nil
	})
}

// changePolicies runs f, which changes policies, and makes everybody do as they say now. Only then
// comes the next change: what a queue was last told is what holds.
func (v *VHost) changePolicies(
	f func(log *journal) (definition.Affected, *amqp.Error),
) *amqp.Error {
	v.policing.Lock()
	defer v.policing.Unlock()
	var affected definition.Affected
	err := v.change(func(log *journal) (err *amqp.Error) {
		affected, err = f(log)
		if err == nil && affected.Exchanges {
			v.generations.everythingChanged()
			log.rerouted = true
		}
		return err
	})
	for _, name := range affected.Queues {
		v.configure(name)
	}
	if len(affected.Queues) > 0 {
		// A route that was found in the meantime may say what a queue did before.
		v.generations.everythingChanged()
		v.m.routes.changed()
	}
	return err
}

// configure tells a queue what holds for it now. One that has gone since is none's concern.
func (v *VHost) configure(name string) {
	v.mu.RLock()
	q := v.queues[name]
	e, ok := v.definitions.Effective(name)
	v.mu.RUnlock()
	if q != nil && ok {
		q.reconfigure(e)
	}
}

// Policies returns the policies of the vhost in the order of their names.
func (v *VHost) Policies() []definition.Policy {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Policies()
}

// OperatorPolicies returns the operator policies of the vhost in the order of their names.
func (v *VHost) OperatorPolicies() []definition.Policy {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.OperatorPolicies()
}

// Effective returns what holds for the queue by its arguments and policies; false when the queue
// has been deleted.
func (q *Queue) Effective() (definition.Effective, bool) {
	q.vhost.mu.RLock()
	defer q.vhost.mu.RUnlock()
	return q.vhost.definitions.Effective(q.Name())
}

// EffectivePolicy returns what the policy and the operator policy of the queue set together, nil
// when neither counts for it.
func (q *Queue) EffectivePolicy() amqp.Table {
	q.vhost.mu.RLock()
	defer q.vhost.mu.RUnlock()
	return q.vhost.definitions.EffectivePolicy(q.Name())
}

// Durability returns when a message of the queue counts as stored, by argument or policy.
func (q *Queue) Durability() definition.Durability {
	q.vhost.mu.RLock()
	defer q.vhost.mu.RUnlock()
	return q.vhost.definitions.DurabilityOf(q.Name())
}
