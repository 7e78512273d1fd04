package amqp091

import (
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
)

func (ch *Channel) exchangeDeclare(m *amqp.ExchangeDeclare) *amqp.Error {
	access := ch.conn.access
	var err *amqp.Error
	if m.Passive {
		err = access.CheckExchange(oneLine(m.Exchange))
	} else {
		err = access.DeclareExchange(definition.Exchange{
			Name: oneLine(m.Exchange), Type: m.Type, Durable: m.Durable,
			AutoDelete: m.AutoDelete, Internal: m.Internal, Arguments: m.Arguments.Clone(),
		})
	}
	if err != nil {
		return err
	}
	ch.answer(m.NoWait, &amqp.ExchangeDeclareOk{})
	return nil
}

func (ch *Channel) exchangeDelete(m *amqp.ExchangeDelete) *amqp.Error {
	if err := ch.conn.access.DeleteExchange(oneLine(m.Exchange), m.IfUnused); err != nil {
		return err
	}
	ch.answer(m.NoWait, &amqp.ExchangeDeleteOk{})
	return nil
}

func (ch *Channel) exchangeBind(m *amqp.ExchangeBind) *amqp.Error {
	err := ch.conn.access.Bind(exchange.Binding{
		Source: oneLine(m.Source), Destination: oneLine(m.Destination), ToExchange: true,
		RoutingKey: m.RoutingKey, Arguments: m.Arguments.Clone(),
	})
	if err != nil {
		return err
	}
	ch.answer(m.NoWait, &amqp.ExchangeBindOk{})
	return nil
}

func (ch *Channel) exchangeUnbind(m *amqp.ExchangeUnbind) *amqp.Error {
	err := ch.conn.access.Unbind(exchange.Binding{
		Source: oneLine(m.Source), Destination: oneLine(m.Destination), ToExchange: true,
		RoutingKey: m.RoutingKey, Arguments: m.Arguments.Clone(),
	})
	if err != nil {
		return err
	}
	ch.answer(m.NoWait, &amqp.ExchangeUnbindOk{})
	return nil
}

// queueName resolves the name a method gives: an empty one means the queue that was declared
// last on the channel.
func (ch *Channel) queueName(name string) (string, *amqp.Error) {
	if name != "" {
		return oneLine(name), nil
	}
	if ch.lastQueue == "" {
		return "", amqp.NewError(amqp.NotFound, "no previously declared queue")
	}
	return ch.lastQueue, nil
}

func (ch *Channel) queueDeclare(m *amqp.QueueDeclare) *amqp.Error {
	if isReplyName(m.Queue) {
		return ch.declareReply(m.Queue, m.NoWait)
	}
	access := ch.conn.access
	name := oneLine(m.Queue)
	if m.Passive {
		return ch.queueDeclarePassive(name, m.NoWait)
	}
	q, err := access.DeclareQueue(definition.Queue{
		Name: name, Durable: m.Durable, AutoDelete: m.AutoDelete, Exclusive: m.Exclusive,
		Arguments: m.Arguments.Clone(),
	})
	if err != nil {
		return err
	}
	ch.declared(q.Name())
	stats := q.Stats()
	ch.answer(m.NoWait, &amqp.QueueDeclareOk{
		Queue: q.Name(), MessageCount: uint32(stats.Ready), ConsumerCount: uint32(stats.Consumers),
	})
	return nil
}

func (ch *Channel) queueDeclarePassive(name string, noWait bool) *amqp.Error {
	q, err := ch.conn.access.CheckQueue(name)
	if err != nil {
		return err
	}
	ch.declared(name)
	stats := q.Stats()
	ch.answer(noWait, &amqp.QueueDeclareOk{
		Queue: name, MessageCount: uint32(stats.Ready), ConsumerCount: uint32(stats.Consumers),
	})
	return nil
}

func (ch *Channel) declared(name string) { ch.lastQueue = name }

// bindingKey resolves the routing key of a binding: when neither queue nor key is given, the
// key is the name of the queue declared last (AMQP 0-9-1, queue.bind).
func (ch *Channel) bindingKey(queue, name, key string) string {
	if queue == "" && key == "" {
		return name
	}
	return key
}

func (ch *Channel) queueBind(m *amqp.QueueBind) *amqp.Error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	err = ch.conn.access.Bind(exchange.Binding{
		Source: oneLine(m.Exchange), Destination: name,
		RoutingKey: ch.bindingKey(m.Queue, name, m.RoutingKey), Arguments: m.Arguments.Clone(),
	})
	if err != nil {
		return err
	}
	ch.answer(m.NoWait, &amqp.QueueBindOk{})
	return nil
}

func (ch *Channel) queueUnbind(m *amqp.QueueUnbind) *amqp.Error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	err = ch.conn.access.Unbind(exchange.Binding{
		Source: oneLine(m.Exchange), Destination: name,
		RoutingKey: ch.bindingKey(m.Queue, name, m.RoutingKey), Arguments: m.Arguments.Clone(),
	})
	if err != nil {
		return err
	}
	ch.answer(false, &amqp.QueueUnbindOk{})
	return nil
}

func (ch *Channel) queuePurge(m *amqp.QueuePurge) *amqp.Error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	n, err := ch.conn.access.PurgeQueue(ch.conn.batch, name)
	if err != nil {
		return err
	}
	ch.answer(m.NoWait, &amqp.QueuePurgeOk{MessageCount: uint32(n)})
	return nil
}

func (ch *Channel) queueDelete(m *amqp.QueueDelete) *amqp.Error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	return ch.conn.access.DeleteQueue(ch.conn.batch, name, m.IfUnused, m.IfEmpty, func(n int) {
		ch.answer(m.NoWait, &amqp.QueueDeleteOk{MessageCount: uint32(n)})
	})
}

// oneLine drops line ends from a name, as RabbitMQ does.
func oneLine(name string) string {
	if !strings.ContainsAny(name, "\r\n") {
		return name
	}
	return strings.NewReplacer("\r", "", "\n", "").Replace(name)
}
