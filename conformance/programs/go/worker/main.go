// Command worker is work queues, the worker: one task at a time; every dot in a task is
// DOT_SECONDS of work.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func main() {
	dotSeconds, err := strconv.ParseFloat(cmp.Or(os.Getenv("DOT_SECONDS"), "1"), 64)
	broker.Check(err)
	connection, channel := broker.Connect()
	queue, err := channel.QueueDeclare("task_queue", true, false, false, false, nil)
	broker.Check(err)
	broker.Check(channel.Qos(1, 0, false))
	deliveries, err := channel.Consume(queue.Name, "", false, false, false, false, nil)
	broker.Check(err)
	const banner = " [*] Waiting for messages. To exit press CTRL+C"
	broker.EachUntilInterrupted(connection, deliveries, banner, func(task amqp.Delivery) {
		again := ""
		if task.Redelivered {
			again = " (redelivered)"
		}
		fmt.Printf(" [x] Received %s%s\n", task.Body, again)
		work := float64(bytes.Count(task.Body, []byte("."))) * dotSeconds
		time.Sleep(time.Duration(work * float64(time.Second)))
		broker.Check(task.Ack(false))
		fmt.Println(" [x] Done")
	})
}
