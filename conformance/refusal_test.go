package conformance

import (
	"context"
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/broker"
)

// refusal is something that a broker must not do for a client.
type refusal struct {
	ask     string
	provoke func(*amqp.Channel) error
}

// Names of what the refusals are about; fixtures declares them.
const (
	fixedQueue     = "fixed"      // durable, empty, with a consumer
	fullQueue      = "full"       // transient, with a message
	lockedQueue    = "locked"     // exclusive to another connection
	consumedQueue  = "consumed"   // has an exclusive consumer
	fixedExchange  = "fixed"      // durable, direct, bound to fixedQueue
	sinkExchange   = "sink"       // internal
	unknown        = "no-such"    // declared nowhere
	limitedQueue   = "limited"    // has an x-message-ttl
	headerExchange = "by-headers" // headers
)

// fixtures declares what the refusals are about, on a connection that must stay open.
func fixtures(t *testing.T, connection *amqp.Connection) {
	t.Helper()
	channel, err := connection.Channel()
	must(t, err)
	declareExchange := func(name, kind string, durable, internal bool) {
		must(t, channel.ExchangeDeclare(name, kind, durable, false, internal, false, nil))
	}
	declareExchange(fixedExchange, "direct", true, false)
	declareExchange(sinkExchange, "fanout", false, true)
	declareExchange(headerExchange, "headers", false, false)
	declareQueue := func(name string, durable, exclusive bool, args amqp.Table) {
		_, err := channel.QueueDeclare(name, durable, false, exclusive, false, args)
		must(t, err)
	}
	declareQueue(fixedQueue, true, false, nil)
	declareQueue(fullQueue, false, false, nil)
	declareQueue(lockedQueue, false, true, nil)
	declareQueue(consumedQueue, false, false, nil)
	declareQueue(limitedQueue, false, false, amqp.Table{"x-message-ttl": int32(60000)})
	must(t, channel.QueueBind(fixedQueue, "key", fixedExchange, false, nil))
	_, err = channel.Consume(fixedQueue, "", true, false, false, false, nil)
	must(t, err)
	_, err = channel.Consume(consumedQueue, "", true, true, false, false, nil)
	must(t, err)
	must(t, channel.Confirm(false))
	sent, err := channel.PublishWithDeferredConfirmWithContext(t.Context(), "", fullQueue, false,
		false, amqp.Publishing{Body: []byte("full")})
	must(t, err)
	_, err = sent.WaitContext(t.Context())
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func declare(c *amqp.Channel, name string, durable bool, args amqp.Table) error {
	_, err := c.QueueDeclare(name, durable, false, false, false, args)
	return err
}

func publish(c *amqp.Channel, exchange, key string, message amqp.Publishing) error {
	return c.PublishWithContext(context.Background(), exchange, key, false, false, message)
}

func exchangeRefusals() []refusal {
	declareExchange := func(name, kind string, durable bool) func(*amqp.Channel) error {
		return func(c *amqp.Channel) error {
			return c.ExchangeDeclare(name, kind, durable, false, false, false, nil)
		}
	}
	return []refusal{
		{"an exchange of another type", declareExchange(fixedExchange, "fanout", true)},
		{"an exchange of another durability", declareExchange(fixedExchange, "direct", false)},
		{"an exchange of an unknown type", declareExchange("new", "x-no-such-type", true)},
		{"an exchange with a reserved name", declareExchange("amq.new", "direct", true)},
		{"a missing exchange, passively", func(c *amqp.Channel) error {
			return c.ExchangeDeclarePassive(unknown, "direct", true, false, false, false, nil)
		}},
		{"to delete a standard exchange", func(c *amqp.Channel) error {
			return c.ExchangeDelete("amq.direct", false, false)
		}},
		{"to delete the default exchange", func(c *amqp.Channel) error {
			return c.ExchangeDelete("", false, false)
		}},
		{"to delete an exchange in use, if unused", func(c *amqp.Channel) error {
			return c.ExchangeDelete(fixedExchange, true, false)
		}},
		{"to bind to the default exchange", func(c *amqp.Channel) error {
			return c.QueueBind(fixedQueue, "key", "", false, nil)
		}},
		{"to unbind from the default exchange", func(c *amqp.Channel) error {
			return c.QueueUnbind(fixedQueue, fixedQueue, "", nil)
		}},
		{"to bind to a missing exchange", func(c *amqp.Channel) error {
			return c.QueueBind(fixedQueue, "key", unknown, false, nil)
		}},
		{"to bind a missing queue", func(c *amqp.Channel) error {
			return c.QueueBind(unknown, "key", fixedExchange, false, nil)
		}},
		{"to bind with an unknown x-match", func(c *amqp.Channel) error {
			return c.QueueBind(fixedQueue, "", headerExchange, false, amqp.Table{"x-match": "some"})
		}},
		{"to bind exchanges of which one is missing", func(c *amqp.Channel) error {
			return c.ExchangeBind(unknown, "key", fixedExchange, false, nil)
		}},
	}
}

func queueRefusals() []refusal {
	withArgument := func(name string, value any) func(*amqp.Channel) error {
		return func(c *amqp.Channel) error {
			return declare(c, "new", true, amqp.Table{name: value})
		}
	}
	return []refusal{
		{"a missing queue, passively", func(c *amqp.Channel) error {
			_, err := c.QueueDeclarePassive(unknown, true, false, false, false, nil)
			return err
		}},
		{"a queue of another durability", func(c *amqp.Channel) error {
			return declare(c, fixedQueue, false, nil)
		}},
		{"a queue that deletes itself, which it did not", func(c *amqp.Channel) error {
			_, err := c.QueueDeclare(fixedQueue, true, true, false, false, nil)
			return err
		}},
		{"a queue for oneself that was for all", func(c *amqp.Channel) error {
			_, err := c.QueueDeclare(fixedQueue, true, false, true, false, nil)
			return err
		}},
		{"a queue with an argument that it had not", func(c *amqp.Channel) error {
			return declare(c, fixedQueue, true, amqp.Table{"x-message-ttl": int32(1000)})
		}},
		{"a queue with another value of an argument", func(c *amqp.Channel) error {
			return declare(c, limitedQueue, false, amqp.Table{"x-message-ttl": int32(1000)})
		}},
		{"a queue without the argument that it had", func(c *amqp.Channel) error {
			return declare(c, limitedQueue, false, nil)
		}},
		{"a quorum queue that was classic", func(c *amqp.Channel) error {
			return declare(c, fixedQueue, true, amqp.Table{"x-queue-type": "quorum"})
		}},
		{"a quorum queue that is not durable", func(c *amqp.Channel) error {
			return declare(c, "new", false, amqp.Table{"x-queue-type": "quorum"})
		}},
		{"a queue with a reserved name", func(c *amqp.Channel) error {
			return declare(c, "amq.new", true, nil)
		}},
		{"a queue that is locked", func(c *amqp.Channel) error {
			return declare(c, lockedQueue, false, nil)
		}},
		{"a negative message TTL", withArgument("x-message-ttl", int32(-1))},
		{"a message TTL in words", withArgument("x-message-ttl", "a minute")},
		{"a lifetime of nothing", withArgument("x-expires", int32(0))},
		{"an unknown queue type", withArgument("x-queue-type", "x-no-such-type")},
		{"an unknown overflow behaviour", withArgument("x-overflow", "explode")},
		{"a dead letter key without an exchange", withArgument("x-dead-letter-routing-key", "key")},
		{"256 priorities", withArgument("x-max-priority", int32(256))},
		{"to purge a missing queue", func(c *amqp.Channel) error {
			_, err := c.QueuePurge(unknown, false)
			return err
		}},
		{"to delete a queue in use, if unused", func(c *amqp.Channel) error {
			_, err := c.QueueDelete(fixedQueue, true, false, false)
			return err
		}},
		{"to delete a queue with messages, if empty", func(c *amqp.Channel) error {
			_, err := c.QueueDelete(fullQueue, false, true, false)
			return err
		}},
		{"to delete a queue that is locked", func(c *amqp.Channel) error {
			_, err := c.QueueDelete(lockedQueue, false, false, false)
			return err
		}},
	}
}

func messageRefusals() []refusal {
	consume := func(queue, tag string, exclusive bool) func(*amqp.Channel) error {
		return func(c *amqp.Channel) error {
			_, err := c.Consume(queue, tag, true, exclusive, false, false, nil)
			return err
		}
	}
	withProperty := func(message amqp.Publishing) func(*amqp.Channel) error {
		return func(c *amqp.Channel) error { return publish(c, "", fixedQueue, message) }
	}
	return []refusal{
		{"to consume from a missing queue", consume(unknown, "", false)},
		{"to consume what another consumes alone", consume(consumedQueue, "", false)},
		{"to consume alone what others consume", consume(fixedQueue, "", true)},
		{"to consume from a queue that is locked", consume(lockedQueue, "", false)},
		{"a consumer tag twice", func(c *amqp.Channel) error {
			if err := consume(fixedQueue, "tag", false)(c); err != nil {
				return err
			}
			return consume(fixedQueue, "tag", false)(c)
		}},
		{"to get from a missing queue", func(c *amqp.Channel) error {
			_, _, err := c.Get(unknown, true)
			return err
		}},
		{"to publish to a missing exchange", func(c *amqp.Channel) error {
			return publish(c, unknown, "key", amqp.Publishing{})
		}},
		{"to publish to an internal exchange", func(c *amqp.Channel) error {
			return publish(c, sinkExchange, "key", amqp.Publishing{})
		}},
		{"to publish for now or never", func(c *amqp.Channel) error {
			return c.PublishWithContext(context.Background(), "", fixedQueue, false, true,
				amqp.Publishing{})
		}},
		{"an expiration in words", withProperty(amqp.Publishing{Expiration: "soon"})},
		{"an expiration with a unit", withProperty(amqp.Publishing{Expiration: "10s"})},
		{"a negative expiration", withProperty(amqp.Publishing{Expiration: "-1"})},
		{"another's user id", withProperty(amqp.Publishing{UserId: "somebody"})},
		{"to acknowledge nothing", func(c *amqp.Channel) error { return c.Ack(1, false) }},
		{"to acknowledge nothing and all before", func(c *amqp.Channel) error {
			return c.Ack(7, true)
		}},
		{"to reject nothing", func(c *amqp.Channel) error { return c.Reject(1, true) }},
		{"a prefetch size", func(c *amqp.Channel) error { return c.Qos(1, 1, false) }},
		{"transactions with confirms", func(c *amqp.Channel) error {
			if err := c.Confirm(false); err != nil {
				return err
			}
			return c.Tx()
		}},
		{"confirms with transactions", func(c *amqp.Channel) error {
			if err := c.Tx(); err != nil {
				return err
			}
			return c.Confirm(false)
		}},
		{"to commit without transactions", func(c *amqp.Channel) error { return c.TxCommit() }},
	}
}

// refusals provokes every refusal on a broker that has the fixtures, and returns the answers by
// what was asked for.
func refusals(t *testing.T, b *broker.Broker) map[string]string {
	t.Helper()
	url := b.URL(broker.DefaultVHost)
	answers := map[string]string{}
	for _, refusals := range [][]refusal{exchangeRefusals(), queueRefusals(), messageRefusals()} {
		for _, refusal := range refusals {
			answers[refusal.ask] = refused(t, url, refusal)
		}
	}
	answers["a wrong password"] = dialRefused("amqp://guest:wrong@" + b.Address() + "/%2F")
	answers["a missing vhost"] = dialRefused(broker.URLAt(b.Address(), unknown))
	return answers
}

// refused returns the reply code and text of a refusal, and what it closed.
func refused(t *testing.T, url string, refusal refusal) string {
	t.Helper()
	connection, err := amqp.Dial(url)
	must(t, err)
	defer connection.Close()
	channel, err := connection.Channel()
	must(t, err)
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	_ = refusal.provoke(channel) // an answer, if any, closes as well
	ctx, cancel := context.WithTimeout(t.Context(), refusalPatience)
	defer cancel()
	select {
	case reason := <-closed:
		what := "channel"
		if connection.IsClosed() {
			what = "connection"
		}
		return fmt.Sprintf("%s closed: %d %s", what, reason.Code, reason.Reason)
	case <-ctx.Done():
		return "granted"
	}
}

func dialRefused(url string) string {
	connection, err := amqp.Dial(url)
	if err != nil {
		return err.Error()
	}
	connection.Close()
	return "granted"
}
