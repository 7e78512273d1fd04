package broker

import (
	"slices"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/queue"
)

// impersonator is the tag of users who may publish in the name of others.
const impersonator = "impersonator"

// Impersonates reports whether the user may publish messages with the user-id of others.
func (a *Access) Impersonates() bool {
	u, _ := a.m.User(a.user)
	return a.operator || slices.Contains(u.Tags, impersonator)
}

// CheckConsumer reads the arguments of a consumer of q, or says what is wrong with them.
func (a *Access) CheckConsumer(
	q *Queue, arguments amqp.Table,
) (definition.ConsumerArguments, *amqp.Error) {
	// It looks at nothing that changes: no lock.
	return a.vhost.definitions.CheckConsumer(q.Definition, arguments)
}

// Activity tells whether a consumer of q may get messages, and why, in RabbitMQ's words: "up",
// or with a single active consumer "single_active" or "waiting".
func (q *Queue) Activity(c *queue.Consumer) (active bool, why string) {
	if !q.settings().SingleActive {
		return true, "up"
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.Active() {
		return true, "single_active"
	}
	return false, "waiting"
}

// ConsumerTimeout returns for how many ms a consumer may hold a message that says nothing itself;
// None: as long as it likes. Only a Receiver may ask, in Receive.
func (q *Queue) ConsumerTimeout() int64 { return q.machine.Settings().ConsumerTimeout }
