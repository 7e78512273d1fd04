// Command send is hello world, the sender: one message through the default exchange to the
// queue hello.
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
	broker.Publish(channel, "", queue.Name, amqp.Publishing{Body: []byte("Hello World!")})
	fmt.Println(" [x] Sent 'Hello World!'")
	broker.Check(connection.Close())
}
