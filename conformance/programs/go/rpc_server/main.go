// Command rpc_server is RPC, the server: answers each request in rpc_queue with a Fibonacci
// number.
package main

import (
	"fmt"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func main() {
	connection, channel := broker.Connect()
	queue, err := channel.QueueDeclare("rpc_queue", false, false, false, false, nil)
	broker.Check(err)
	broker.Check(channel.Qos(1, 0, false))
	requests, err := channel.Consume(queue.Name, "", false, false, false, false, nil)
	broker.Check(err)
	const banner = " [x] Awaiting RPC requests"
	broker.EachUntilInterrupted(connection, requests, banner, func(request amqp.Delivery) {
		n, err := strconv.Atoi(string(request.Body))
		broker.Check(err)
		fmt.Printf(" [.] fib(%d)\n", n)
		broker.Publish(channel, "", request.ReplyTo, amqp.Publishing{
			CorrelationId: request.CorrelationId,
			Body:          []byte(strconv.Itoa(fib(n))),
		})
		broker.Check(request.Ack(false))
	})
}
