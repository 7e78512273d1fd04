package definition

import (
	"slices"

	"github.com/warrenmq/warren/amqp"
)

// Arguments of consumers.
const (
	consumerPriorityArgument = "x-priority"
	consumerTimeoutArgument  = "x-consumer-timeout"
	cancelOnFailoverArgument = "x-cancel-on-ha-failover"
	streamOffsetArgument     = "x-stream-offset"
)

// ConsumerArguments is what the arguments of a consumer say.
type ConsumerArguments struct {
	// Priority: the highest that can take messages get them.
	Priority int
	// Timeout is how long the consumer may hold a message, in ms; 0: what the queue says.
	Timeout int64
}

// consumerRules are in the order in which RabbitMQ applies them.
func consumerRules(kind *queueType) []rule {
	rules := []rule{{consumerPriorityArgument, checkInteger}}
	if kind.name == defaultType {
		rules = append(rules, rule{cancelOnFailoverArgument, checkFlag})
	}
	return append(rules, rule{consumerTimeoutArgument, checkExpiry})
}

// consumerForeign lists the arguments that a queue of that type refuses: they mean something to
// consumers of others.
func consumerForeign(kind *queueType) []string {
	if kind.name == defaultType {
		return []string{streamOffsetArgument}
	}
	return []string{cancelOnFailoverArgument, streamOffsetArgument}
}

// CheckConsumer reads the arguments of a consumer of q, or says with PRECONDITION_FAILED what is
// wrong with them. Arguments that nobody knows are good.
func (v *VHost) CheckConsumer(q *Queue, arguments amqp.Table) (ConsumerArguments, *amqp.Error) {
	var c ConsumerArguments
	if len(arguments) == 0 {
		return c, nil
	}
	kind := queueTypes[q.Type]
	for _, r := range consumerRules(kind) {
		if err := v.apply(r, q.Name, arguments); err != nil {
			return c, err
		}
	}
	if err := v.foreignArgument(kind, q.Name, arguments); err != nil {
		return c, err
	}
	if value, ok := arguments.Lookup(consumerPriorityArgument); ok {
		n, _ := value.Int64()
		c.Priority = int(n)
	}
	if value, ok := arguments.Lookup(consumerTimeoutArgument); ok {
		c.Timeout, _ = value.Int64()
	}
	return c, nil
}

// foreignArgument refuses the first argument that belongs to another type.
func (v *VHost) foreignArgument(kind *queueType, queue string, all amqp.Table) *amqp.Error {
	var err *amqp.Error
	foreign := consumerForeign(kind)
	all.Each(func(key []byte, _ amqp.Value) bool {
		if !slices.Contains(foreign, string(key)) {
			return true
		}
		err = amqp.NewError(amqp.PreconditionFailed,
			"invalid arg '%s' for queue '%s' in vhost '%s' of queue type %s", key, queue, v.name,
			kind.module)
		return false
	})
	return err
}

func checkInteger(v amqp.Value, _ amqp.Table) string {
	_, wrong := integer(v)
	return wrong
}
