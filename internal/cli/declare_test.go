package cli

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// declare makes queues that nothing else is said about.
func declare(c *warrentest.Client, queues ...string) {
	for _, name := range queues {
		c.Call(1, &amqp.QueueDeclare{Queue: name}, amqp.MethodQueueDeclareOk)
	}
}
