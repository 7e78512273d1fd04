// Command receive_logs is publish/subscribe, a subscriber: its own exclusive queue, named by the
// broker.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("logs", "fanout", false, false, false, false, nil))
	queue, err := channel.QueueDeclare("", false, false, true, false, nil)
	broker.Check(err)
	broker.Check(channel.QueueBind(queue.Name, "", "logs", false, nil))
	deliveries, err := channel.Consume(queue.Name, "", true, false, false, false, nil)
	broker.Check(err)
	const banner = " [*] Waiting for logs. To exit press CTRL+C"
	broker.EachUntilInterrupted(connection, deliveries, banner, func(delivery amqp.Delivery) {
		fmt.Printf(" [x] %s\n", delivery.Body)
	})
}
