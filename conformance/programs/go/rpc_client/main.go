// Command rpc_client is RPC, the client: asks for fib of each argument (30 without any) and waits
// for its reply.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"os"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/programs/go/broker"
)

// call sends one request and returns its reply. Replies to other requests are ignored.
func call(channel *amqp.Channel, replyTo string, replies <-chan amqp.Delivery, n string) string {
	correlationID := rand.Text()
	broker.Publish(channel, "", "rpc_queue", amqp.Publishing{
		CorrelationId: correlationID,
		ReplyTo:       replyTo,
		Body:          []byte(n),
	})
	for reply := range replies {
		if reply.CorrelationId == correlationID {
			return string(reply.Body)
		}
	}
	log.Fatal("the broker closed the channel")
	return ""
}

func main() {
	connection, channel := broker.Connect()
	queue, err := channel.QueueDeclare("", false, false, true, false, nil)
	broker.Check(err)
	replies, err := channel.Consume(queue.Name, "", true, false, false, false, nil)
	broker.Check(err)
	arguments := os.Args[1:]
	if len(arguments) == 0 {
		arguments = []string{"30"}
	}
	for _, n := range arguments {
		fmt.Printf(" [x] Requesting fib(%s)\n", n)
		fmt.Printf(" [.] Got %s\n", call(channel, queue.Name, replies, n))
	}
	broker.Check(connection.Close())
}
