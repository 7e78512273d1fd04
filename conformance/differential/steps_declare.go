package differential

import (
	"fmt"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
)

// queueDeclare declares a queue.
type queueDeclare struct {
	channel                                 int
	queue                                   string
	durable, autoDelete, exclusive, passive bool
	args                                    amqp.Table
}

func (s queueDeclare) String() string {
	return fmt.Sprintf("ch%d queue.declare %q%s%s", s.channel, s.queue, flags(map[string]bool{
		"durable": s.durable, "auto-delete": s.autoDelete, "exclusive": s.exclusive,
		"passive": s.passive,
	}), arguments(s.args))
}

func (s queueDeclare) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		declare := l.channel.QueueDeclare
		if s.passive {
			declare = l.channel.QueueDeclarePassive
		}
		state, err := declare(p.name(s.queue), s.durable, s.autoDelete, s.exclusive, false,
			p.names(s.args))
		if err != nil {
			return err
		}
		if !s.passive {
			p.remember(s, connectionOf(s.channel))
		}
		p.say("declared: %s", p.describeQueue(s.queue, state))
		return nil
	})
}

// queueDelete deletes a queue.
type queueDelete struct {
	channel           int
	queue             string
	ifUnused, ifEmpty bool
}

func (s queueDelete) String() string {
	return fmt.Sprintf("ch%d queue.delete %q%s", s.channel, s.queue, flags(map[string]bool{
		"if-unused": s.ifUnused, "if-empty": s.ifEmpty,
	}))
}

func (s queueDelete) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		messages, err := l.channel.QueueDelete(p.name(s.queue), s.ifUnused, s.ifEmpty, false)
		if err == nil {
			p.say("deleted with %d messages", messages)
		}
		return err
	})
}

// queuePurge empties a queue.
type queuePurge struct {
	channel int
	queue   string
}

func (s queuePurge) String() string {
	return fmt.Sprintf("ch%d queue.purge %q", s.channel, s.queue)
}

func (s queuePurge) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		messages, err := l.channel.QueuePurge(p.name(s.queue), false)
		if err == nil {
			p.say("purged of %d messages", messages)
		}
		return err
	})
}

// exchangeDeclare declares an exchange.
type exchangeDeclare struct {
	channel                                int
	exchange, kind                         string
	durable, autoDelete, internal, passive bool
	args                                   amqp.Table
}

func (s exchangeDeclare) String() string {
	return fmt.Sprintf("ch%d exchange.declare %q %s%s%s", s.channel, s.exchange, s.kind,
		flags(map[string]bool{
			"durable": s.durable, "auto-delete": s.autoDelete, "internal": s.internal,
			"passive": s.passive,
		}), arguments(s.args))
}

func (s exchangeDeclare) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		declare := l.channel.ExchangeDeclare
		if s.passive {
			declare = l.channel.ExchangeDeclarePassive
		}
		err := declare(p.name(s.exchange), s.kind, s.durable, s.autoDelete, s.internal, false,
			p.names(s.args))
		if err == nil {
			p.say("declared")
			if !slices.Contains(p.made.exchanges, s.exchange) {
				p.made.exchanges = append(p.made.exchanges, s.exchange)
			}
		}
		return err
	})
}

// exchangeDelete deletes an exchange.
type exchangeDelete struct {
	channel  int
	exchange string
	ifUnused bool
}

func (s exchangeDelete) String() string {
	return fmt.Sprintf("ch%d exchange.delete %q%s", s.channel, s.exchange,
		flags(map[string]bool{"if-unused": s.ifUnused}))
}

func (s exchangeDelete) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		err := l.channel.ExchangeDelete(p.name(s.exchange), s.ifUnused, false)
		if err == nil {
			p.say("deleted")
		}
		return err
	})
}

// bind ties a queue, or an exchange, to an exchange, or unties it.
type bind struct {
	channel             int
	undo, toExchange    bool
	source, destination string
	key                 string
	args                amqp.Table
}

func (s bind) String() string {
	class, verb := "queue", "bind"
	if s.toExchange {
		class = "exchange"
	}
	if s.undo {
		verb = "unbind"
	}
	return fmt.Sprintf("ch%d %s.%s %q to %q by %q%s", s.channel, class, verb, s.destination,
		s.source, s.key, arguments(s.args))
}

func (s bind) play(p *player) {
	source, destination, key := p.name(s.source), p.name(s.destination), p.key(s.key)
	p.on(s.channel, func(l *lane) (err error) {
		switch {
		case s.toExchange && s.undo:
			err = l.channel.ExchangeUnbind(destination, key, source, false, s.args)
		case s.toExchange:
			err = l.channel.ExchangeBind(destination, key, source, false, s.args)
		case s.undo:
			err = l.channel.QueueUnbind(destination, key, source, s.args)
		default:
			err = l.channel.QueueBind(destination, key, source, false, s.args)
		}
		if err == nil {
			p.say("done")
		}
		return err
	})
}
