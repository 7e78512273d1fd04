// Command fan_out is the fanout exchange: three queues, two bindings; the routing key does not
// matter.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	queues := []string{"one", "two", "three"}
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("fan", "fanout", false, false, false, false, nil))
	for _, queue := range queues {
		_, err := channel.QueueDeclare(queue, false, false, true, false, nil)
		broker.Check(err)
	}
	for _, queue := range queues[:2] {
		broker.Check(channel.QueueBind(queue, queue, "fan", false, nil))
	}
	broker.Publish(channel, "fan", "three", amqp.Publishing{Body: []byte("to all who are bound")})
	fmt.Println(" [x] Sent 'three': 'to all who are bound'")
	for _, queue := range queues {
		broker.Drain(channel, queue)
	}
	broker.Check(connection.Close())
}
