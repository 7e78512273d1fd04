// Command colours is the direct exchange: routing keys are queue names are colours; each queue
// gets its own colour.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	colours := []string{"red", "green", "blue"}
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("colours", "direct", false, false, false, false, nil))
	for _, colour := range colours {
		_, err := channel.QueueDeclare(colour, false, false, true, false, nil)
		broker.Check(err)
		broker.Check(channel.QueueBind(colour, colour, "colours", false, nil))
	}
	for _, colour := range colours {
		message := fmt.Sprintf("a %s message", colour)
		broker.Publish(channel, "colours", colour, amqp.Publishing{Body: []byte(message)})
		fmt.Printf(" [x] Sent '%s': '%s'\n", colour, message)
	}
	for _, colour := range colours {
		broker.Drain(channel, colour)
	}
	broker.Check(connection.Close())
}
