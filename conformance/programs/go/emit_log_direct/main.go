// Command emit_log_direct is routing, the publisher: the first argument is the severity, the others
// are the message.
package main

import (
	"fmt"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	key, message := "info", "Hello World!"
	if len(os.Args) > 1 {
		key = os.Args[1]
	}
	if len(os.Args) > 2 {
		message = strings.Join(os.Args[2:], " ")
	}
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("direct_logs", "direct", false, false, false, false, nil))
	broker.Publish(channel, "direct_logs", key, amqp.Publishing{Body: []byte(message)})
	fmt.Printf(" [x] Sent '%s': '%s'\n", key, message)
	broker.Check(connection.Close())
}
