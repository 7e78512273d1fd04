// Command receive is hello world, the receiver: prints what arrives in the queue hello, until
// Ctrl-C.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	connection, channel := broker.Connect()
	queue, err := channel.QueueDeclare("hello", false, false, false, false, nil)
	broker.Check(err)
	deliveries, err := channel.Consume(queue.Name, "", true, false, false, false, nil)
	broker.Check(err)
	const banner = " [*] Waiting for messages. To exit press CTRL+C"
	broker.EachUntilInterrupted(connection, deliveries, banner, func(delivery amqp.Delivery) {
		fmt.Printf(" [x] Received %s\n", delivery.Body)
	})
}
