// Command emit_log is publish/subscribe, the publisher: one message to everybody who listens to
// logs.
package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	message := cmp.Or(strings.Join(os.Args[1:], " "), "info: Hello World!")
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("logs", "fanout", false, false, false, false, nil))
	broker.Publish(channel, "logs", "", amqp.Publishing{Body: []byte(message)})
	fmt.Printf(" [x] Sent '%s'\n", message)
	broker.Check(connection.Close())
}
