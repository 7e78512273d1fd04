package definition

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/queue"
)

// Effective is what holds for a queue by its arguments, its policy and its operator policy.
type Effective struct {
	queue.Settings
	// DeadLetterExchange means nothing when Settings.DeadLetters is NoDeadLetters; "" is the
	// default exchange.
	DeadLetterExchange string
	// DeadLetterKey is the routing key of dead letters; they keep their own ones when there is
	// none (HasDeadLetterKey false).
	DeadLetterKey    string
	HasDeadLetterKey bool
	Durability       Durability
	// Policy and OperatorPolicy are the names of those that count, "" for none.
	Policy, OperatorPolicy string
}

// Effective returns what holds for a queue now, false when there is none of that name. Where a
// number is set more than once, the least counts: operators limit what policies and arguments
// may say. Otherwise an argument beats a policy, but for the overflow of a quorum queue, where
// it is the other way round. It allocates the texts it returns, and nothing else.
func (v *VHost) Effective(name string) (Effective, bool) {
	q := v.queues[name]
	if q == nil {
		return Effective{}, false
	}
	kind := queueTypes[q.Type]
	e := Effective{
		Settings: queue.Settings{
			MessageTTL:       q.number(argumentPrefix+messageTTLKey, minimum),
			Expires:          q.number(argumentPrefix+expiresKey, minimum),
			MaxLength:        q.number(argumentPrefix+maxLengthKey, minimum),
			MaxBytes:         q.number(argumentPrefix+maxBytesKey, minimum),
			DeliveryLimit:    q.number(argumentPrefix+deliveryLimitKey, stricter),
			ConsumerTimeout:  q.number(argumentPrefix+consumerTimeoutKey, minimum),
			Overflow:         q.overflow(kind),
			CountsDeliveries: kind.agreed,
		},
		Durability: v.DurabilityOf(name),
		Policy:     q.policy.name(), OperatorPolicy: q.operatorPolicy.name(),
	}
	// Nobody can tell ten years from more, and times can be added up.
	e.MessageTTL, e.Expires = min(e.MessageTTL, expiryMax), min(e.Expires, expiryMax)
	e.ConsumerTimeout = min(e.ConsumerTimeout, expiryMax)
	if e.ConsumerTimeout == queue.None && v.node.consumerTimeout > 0 {
		e.ConsumerTimeout = v.node.consumerTimeout
	}
	if n, ok := q.argument(priorityArgument).Int64(); ok {
		e.MaxPriority = uint8(n) // at most 255, or the queue would not have been declared
	}
	e.SingleActive, _ = q.argument(singleActiveArgument).Bool()
	q.deadLetters(&e, kind)
	return e, true
}

func (q *queueNode) argument(name string) amqp.Value {
	v, _ := q.Arguments.Lookup(name)
	return v
}

// number returns the number that is set for a key, queue.None when there is none. The argument
// is called like the key, after "x-".
func (q *queueNode) number(argument string, merge func(a, b int64) int64) int64 {
	key := argument[len(argumentPrefix):]
	return mergeNumber(q.governed.number(key, merge), q.argument(argument), merge)
}

// argumentPrefix makes the name of an argument from the key of a policy.
const argumentPrefix = "x-"

// number merges what the policy and the operator policy say.
func (g *governed) number(key string, merge func(a, b int64) int64) int64 {
	return mergeNumber(
		mergeNumber(queue.None, g.policy.lookup(key), merge), g.operatorPolicy.lookup(key), merge)
}

func mergeNumber(n int64, v amqp.Value, merge func(a, b int64) int64) int64 {
	other, ok := v.Int64()
	switch {
	case !ok || other < 0: // not set, or a delivery limit that is none: RabbitMQ takes anything
		return n
	case n == queue.None:
		return other
	}
	return merge(n, other)
}

// lookup returns what the policy that counts sets, the zero Value for nothing.
func (r *governance) lookup(key string) amqp.Value {
	if r.best == nil {
		return amqp.Value{}
	}
	v, _ := r.best.Definition.Lookup(key)
	return v
}

// text returns the text that is set by an argument, else by the key of the policy.
func (q *queueNode) text(argument string) (text string, ok bool) {
	v, ok := q.Arguments.Lookup(argument)
	if !ok {
		v = q.policy.lookup(argument[len(argumentPrefix):])
	}
	b, ok := v.Text()
	return string(b), ok
}

func (q *queueNode) overflow(kind *queueType) queue.Overflow {
	text, _ := q.text(argumentPrefix + overflowKey)
	if b, ok := q.policy.lookup(overflowKey).Text(); ok && kind.agreed {
		text = string(b)
	}
	switch {
	case text == "reject-publish":
		return queue.RejectPublish
	case text == "reject-publish-dlx" && !kind.agreed:
		return queue.RejectPublishDeadLetter
	}
	return queue.DropHead
}

// deadLetters fills in what is dead-lettered where. A key or a strategy without an exchange
// means nothing.
func (q *queueNode) deadLetters(e *Effective, kind *queueType) {
	to, ok := q.text(argumentPrefix + deadLetterKey)
	if !ok {
		return
	}
	e.DeadLetters, e.DeadLetterExchange = queue.AtMostOnce, to
	e.DeadLetterKey, e.HasDeadLetterKey = q.text(argumentPrefix + deadLetterToKey)
	strategy, _ := q.text(argumentPrefix + strategyKey)
	// What drops its head cannot wait for a dead letter to be stored.
	if kind.agreed && strategy == "at-least-once" && e.Overflow == queue.RejectPublish {
		e.DeadLetters = queue.AtLeastOnce
	}
}

// EffectivePolicy returns what the policy and the operator policy of a queue set together, nil
// when neither counts for it.
func (v *VHost) EffectivePolicy(name string) amqp.Table {
	q := v.queues[name]
	if q == nil {
		return nil
	}
	return q.merged()
}

func (g *governed) merged() amqp.Table {
	policy, operator := g.policy.best, g.operatorPolicy.best
	switch {
	case policy == nil && operator == nil:
		return nil
	case operator == nil:
		return policy.Definition
	case policy == nil:
		return operator.Definition
	}
	all := policy.Definition.Map()
	operator.Definition.Each(func(key []byte, v amqp.Value) bool {
		known, _ := policyKeyOf(string(key))
		a, ok := g.policy.lookup(string(key)).Int64()
		b, also := v.Int64()
		if ok && also && known.merge != nil {
			all[string(key)] = known.merge(a, b)
		} else {
			all[string(key)] = v.Any()
		}
		return true
	})
	return amqp.NewTable(all)
}

// PolicyOf returns the name of the policy that counts for a queue, "" when none does.
func (v *VHost) PolicyOf(queue string) string {
	if q := v.queues[queue]; q != nil {
		return q.policy.name()
	}
	return ""
}

// OperatorPolicyOf returns the name of the operator policy that counts for a queue, "" when
// none does.
func (v *VHost) OperatorPolicyOf(queue string) string {
	if q := v.queues[queue]; q != nil {
		return q.operatorPolicy.name()
	}
	return ""
}
