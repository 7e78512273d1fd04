// Package broker is what the Go example programs share: where the broker is, and how a consumer
// ends. It stands beside them and is no client library.
package broker

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	amqp "github.com/rabbitmq/amqp091-go"
)

// DefaultURL is used when the environment has no AMQP_URL.
const DefaultURL = "amqp://guest:guest@127.0.0.1:5672/%2F"

// Connect returns an open connection and a channel on it, or ends the program. The caller closes
// the connection.
func Connect() (*amqp.Connection, *amqp.Channel) {
	connection, err := amqp.Dial(cmp.Or(os.Getenv("AMQP_URL"), DefaultURL))
	Check(err)
	channel, err := connection.Channel()
	Check(err)
	return connection, channel
}

// Check ends the program when err is not nil.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Publish sends one message on channel, or ends the program.
func Publish(channel *amqp.Channel, exchange, key string, message amqp.Publishing) {
	Check(channel.PublishWithContext(context.Background(), exchange, key, false, false, message))
}

// EachUntilInterrupted prints the banner and calls handle for every delivery until Ctrl-C, then
// closes the connection.
func EachUntilInterrupted(
	connection *amqp.Connection, deliveries <-chan amqp.Delivery, banner string,
	handle func(amqp.Delivery),
) {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Println(banner)
	for {
		select {
		case <-interrupted.Done():
			Check(connection.Close())
			return
		case delivery, open := <-deliveries:
			if !open {
				log.Fatal("the broker closed the channel")
			}
			handle(delivery)
		}
	}
}

// Drain gets and prints the messages of queue one by one until it is empty.
func Drain(channel *amqp.Channel, queue string) {
	for {
		delivery, found, err := channel.Get(queue, true)
		Check(err)
		if !found {
			fmt.Printf(" [x] %s is empty\n", queue)
			return
		}
		fmt.Printf(" [x] %s: '%s'\n", queue, delivery.Body)
	}
}
