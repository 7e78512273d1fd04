// Command receive_logs_topic is topics, a subscriber: every argument is one of its binding keys.
package main

import (
	"fmt"
	"log"
	"os"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatalf("usage: %s KEY...", os.Args[0])
	}
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("topic_logs", "topic", false, false, false, false, nil))
	queue, err := channel.QueueDeclare("", false, false, true, false, nil)
	broker.Check(err)
	for _, key := range os.Args[1:] {
		broker.Check(channel.QueueBind(queue.Name, key, "topic_logs", false, nil))
	}
	deliveries, err := channel.Consume(queue.Name, "", true, false, false, false, nil)
	broker.Check(err)
	const banner = " [*] Waiting for logs. To exit press CTRL+C"
	broker.EachUntilInterrupted(connection, deliveries, banner, func(delivery amqp.Delivery) {
		fmt.Printf(" [x] '%s': '%s'\n", delivery.RoutingKey, delivery.Body)
	})
}
