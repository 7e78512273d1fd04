// Command emit_log_topic is topics, the publisher: the first argument is the routing key, the
// others are the message.
package main

import (
	"fmt"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	key, message := "anonymous.info", "Hello World!"
	if len(os.Args) > 1 {
		key = os.Args[1]
	}
	if len(os.Args) > 2 {
		message = strings.Join(os.Args[2:], " ")
	}
	connection, channel := broker.Connect()
	broker.Check(channel.ExchangeDeclare("topic_logs", "topic", false, false, false, false, nil))
	broker.Publish(channel, "topic_logs", key, amqp.Publishing{Body: []byte(message)})
	fmt.Printf(" [x] Sent '%s': '%s'\n", key, message)
	broker.Check(connection.Close())
}
