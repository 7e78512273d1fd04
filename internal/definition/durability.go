package definition

import "github.com/warrenmq/warren/amqp"

// Durability says when a persistent message that a durable queue takes counts as stored.
type Durability string

const (
	// Fsync: when it is on stable storage. The default.
	Fsync Durability = "fsync"
	// OS: when it has been handed to the log, which writes it with the next group. It survives
	// what kills the process after that, but not what stops the machine.
	OS Durability = "os"
)

const durabilityArgument = "x-durability"

// DurabilityOf returns what holds for a queue: its argument, else its policy, else Fsync. Types
// that keep messages by agreement sync them always.
func (v *VHost) DurabilityOf(queue string) Durability {
	q := v.queues[queue]
	if q == nil || queueTypes[q.Type].agreed {
		return Fsync
	}
	value, ok := q.Arguments.Lookup(durabilityArgument)
	if !ok {
		value = q.policy.lookup(durabilityKey)
	}
	if text, _ := value.Text(); Durability(text) == OS {
		return OS
	}
	return Fsync
}

// checkDurability is the rule for the argument.
func checkDurability(v amqp.Value, all amqp.Table) string {
	return oneOf("invalid_durability", string(Fsync), string(OS))(v, all)
}
