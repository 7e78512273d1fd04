// Command new_task is work queues, the sender: puts one persistent task, the joined arguments,
// into task_queue.
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
	task := cmp.Or(strings.Join(os.Args[1:], " "), "Hello World!")
	connection, channel := broker.Connect()
	queue, err := channel.QueueDeclare("task_queue", true, false, false, false, nil)
	broker.Check(err)
	broker.Publish(channel, "", queue.Name, amqp.Publishing{
		DeliveryMode: amqp.Persistent,
		Body:         []byte(task),
	})
	fmt.Printf(" [x] Sent '%s'\n", task)
	broker.Check(connection.Close())
}
