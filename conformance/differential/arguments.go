package differential

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Times that a program gives to messages and queues, in milliseconds: they end within a slow step,
// or never.
const (
	shortTime = 60
	longTime  = 3600_000
)

// queueDeclare declares a queue as before, or in a new way.
func (g *generator) queueDeclare(queue string) queueDeclare {
	channel := g.channel()
	if s, known := g.declared[queue]; known && !(g.errors && g.one(2)) {
		s.channel = channel
		return s
	}
	s := queueDeclare{
		channel: channel, queue: queue, durable: g.one(2), autoDelete: g.one(10),
		exclusive: g.one(12), args: amqp.Table{},
	}
	if g.quorum && !g.one(3) {
		s.durable, s.autoDelete, s.exclusive = true, false, false
		s.args["x-queue-type"] = "quorum"
		if !g.one(8) {
			s.args["x-delivery-limit"] = g.integer(0, 1, 2, 3, 20)
		} else {
			g.program.back = true
		}
		g.program.limited = g.program.limited || g.limits
		if g.errors && g.one(12) {
			s.durable, s.exclusive = g.one(2), g.one(2)
		}
	}
	g.limitTime(s.args)
	g.limitSize(s.args)
	g.deadLetter(s.args)
	if g.priorities && !g.one(3) && s.args["x-queue-type"] == nil {
		s.args["x-max-priority"] = g.integer(1, 3, 5, 10, 255)
	}
	if g.single && g.one(2) {
		s.args["x-single-active-consumer"] = true
	}
	if g.errors && g.one(12) {
		g.spoil(s.args)
	}
	if _, known := g.declared[queue]; !known {
		g.declared[queue] = s
	}
	return s
}

// integer is one of the values, in one of the types that a client may use.
func (g *generator) integer(values ...int64) any {
	value := pick(g, values...)
	choices := []any{int32(value), int32(value), value}
	if value < 1<<15 {
		choices = append(choices, int16(value))
	}
	if value < 1<<7 {
		choices = append(choices, int8(value))
	}
	return pick(g, choices...)
}

func (g *generator) limitTime(args amqp.Table) {
	if g.ttl && g.one(2) {
		args["x-message-ttl"] = g.time(0, shortTime, shortTime, longTime)
	}
	if g.expires && g.one(2) {
		args["x-expires"] = g.time(2*shortTime, longTime)
	}
}

// time is one of the values, and the program is slow if it passes in it.
func (g *generator) time(values ...int64) any {
	value := pick(g, values...)
	if value > 0 && value < longTime {
		g.program.slow = true
	}
	return g.integer(value)
}

func (g *generator) limitSize(args amqp.Table) {
	if !g.limits {
		return
	}
	if !g.one(3) {
		args["x-max-length"] = g.integer(0, 1, 2, 3, 5)
	}
	if g.one(3) {
		args["x-max-length-bytes"] = g.integer(0, 50, 100, 200)
	}
	if g.one(2) {
		args["x-overflow"] = pick(g, "drop-head", "reject-publish", "reject-publish",
			"reject-publish-dlx")
		if args["x-queue-type"] == "quorum" && args["x-overflow"] != "drop-head" {
			if !g.one(8) {
				args["x-overflow"] = "drop-head"
			} else {
				g.program.soft = true
			}
		}
	}
}

func (g *generator) deadLetter(args amqp.Table) {
	if !g.deadLetters || g.one(4) {
		return
	}
	args["x-dead-letter-exchange"] = pick(g, "", "", g.exchange(), "e8")
	if g.one(2) {
		args["x-dead-letter-routing-key"] = pick(g, g.key(), pick(g, g.queues...))
	}
	if args["x-queue-type"] == "quorum" && g.one(3) {
		args["x-dead-letter-strategy"] = pick(g, "at-most-once", "at-least-once")
	}
}

// spoil gives an argument that is refused, or ignored.
func (g *generator) spoil(args amqp.Table) {
	name := pick(g, "x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes",
		"x-max-priority", "x-overflow", "x-dead-letter-exchange", "x-dead-letter-routing-key",
		"x-single-active-consumer", "x-queue-type", "x-queue-mode", "x-delivery-limit",
		"x-dead-letter-strategy", "x-unknown", "x-queue-version", "x-max-in-memory-length",
		"x-quorum-initial-group-size", "x-queue-leader-locator")
	args[name] = pick[any](g, int32(-1), int64(1)<<40, int64(-1)<<40, "word", "", true, false, 1.5,
		int32(256), int32(0), "lazy", "min-masters", amqp.Table{"a": int32(1)}, []any{"a"}, nil,
		amqp.Decimal{Scale: 1, Value: 5})
	if name == "x-message-ttl" || name == "x-expires" {
		g.program.slow = true
	}
}

// key is a routing key for exchanges, or a queue's name.
func (g *generator) key() string {
	return pick(g, "a", "a.b", "a.b.c", "b", "", pick(g, g.queues...))
}

// pattern is a key to bind by.
func (g *generator) pattern() string {
	return pick(g, "#", "*", "a.*", "#.c", "a.#", "*.b.#", "a..b", g.key(), g.key())
}

func (g *generator) exchangeDeclare(exchange string) step {
	s := exchangeDeclare{
		channel: g.channel(), exchange: exchange, durable: g.one(2), autoDelete: g.one(10),
		internal: g.one(16), args: amqp.Table{},
	}
	if g.kinds[exchange] == "" || g.errors && g.one(2) {
		g.kinds[exchange] = pick(g, "direct", "fanout", "topic", "headers")
		if g.histories && g.one(2) {
			g.kinds[exchange] = "x-recent-history"
		}
	}
	s.kind = g.kinds[exchange]
	if s.kind == "x-recent-history" && !g.one(4) {
		s.args["x-recent-history-length"] = g.integer(1, 2, 3, 5)
		if g.errors && g.one(10) {
			s.args["x-recent-history-length"] = pick[any](g, int32(0), int32(-1), "2", nil,
				1.5, true)
		}
	}
	if g.alternates && g.one(2) {
		s.args["alternate-exchange"] = pick(g, "e0", "e1", "e2", "amq.fanout", "e8")
	}
	return s
}

func (g *generator) bind(undo bool) step {
	s := bind{
		channel: g.channel(), source: g.exchange(), destination: g.queue(), key: g.pattern(),
		undo: undo,
	}
	if g.one(5) {
		s.toExchange, s.destination = true, g.exchange()
	}
	if g.kinds[s.source] == "headers" || g.one(12) {
		s.args = amqp.Table{}
		if !g.one(3) {
			s.args["x-match"] = pick(g, "all", "any", "all", "any", "all-with-x", "any-with-x")
		}
		for _, name := range []string{"h1", "h2", "x-h"} {
			if g.one(2) {
				s.args[name] = g.headerValue()
			}
		}
		if g.errors && g.one(15) {
			s.args["x-match"] = pick[any](g, "some", int32(1), nil)
		}
	}
	return s
}

func (g *generator) headerValue() any {
	return pick[any](g, "v", "v", "w", int32(1), int64(1), true, nil)
}

// message is what is published, without its body.
func (g *generator) message() amqp.Publishing {
	var m amqp.Publishing
	if g.one(3) {
		m.DeliveryMode = amqp.Persistent
	}
	if g.priorities {
		m.Priority = uint8(pick(g, 0, 0, 1, 2, 3, 5, 9, 200))
	}
	if g.ttl && g.one(2) {
		m.Expiration = pick(g, "0", "60", "60", "3600000")
		if m.Expiration == "60" {
			g.program.slow = true
		}
	}
	if g.routing && g.one(2) {
		m.Headers = amqp.Table{}
		for _, name := range []string{"h1", "h2", "x-h"} {
			if g.one(2) {
				m.Headers[name] = g.headerValue()
			}
		}
	}
	if g.carbonCopies && g.one(2) {
		g.copies(&m)
	}
	if g.properties {
		g.decorate(&m)
	}
	if g.forged && g.one(2) {
		g.forge(&m)
	}
	if g.histories && g.one(8) {
		if m.Headers == nil {
			m.Headers = amqp.Table{}
		}
		m.Headers["x-recent-history-no-store"] = pick[any](g, true, true, false, "true", int32(1))
	}
	if g.errors && g.one(25) {
		m.Expiration = pick(g, "soon", "-1", "1.5", "99999999999999999999", " 5", "")
	}
	if g.errors && g.one(40) {
		m.UserId = pick(g, "guest", "somebody")
	}
	return m
}

// copies names further routing keys.
func (g *generator) copies(m *amqp.Publishing) {
	if m.Headers == nil {
		m.Headers = amqp.Table{}
	}
	header := pick(g, "CC", "BCC")
	m.Headers[header] = pick[any](g, []any{g.key()}, []any{g.key(), g.key()}, []any{})
	if g.errors && g.one(6) {
		m.Headers[header] = pick[any](g, "q0", int32(1), []any{int32(1)}, nil)
	}
}

// decorate sets properties that nobody looks at on the way.
func (g *generator) decorate(m *amqp.Publishing) {
	if g.one(2) {
		m.ContentType, m.ContentEncoding = "text/plain", "identity"
	}
	if g.one(2) {
		m.CorrelationId, m.ReplyTo, m.MessageId = "17", "here", "m"
	}
	if g.one(2) {
		m.Type, m.AppId = "greeting", "differential"
		m.Timestamp = time.Unix(1_700_000_000, 0)
	}
	if g.one(3) {
		if m.Headers == nil {
			m.Headers = amqp.Table{}
		}
		m.Headers["nested"] = amqp.Table{"list": []any{int32(1), "two", 3.5, true, nil},
			"bytes": []byte("abc"), "float": float32(1.5), "short": int16(7),
			"decimal": amqp.Decimal{Scale: 2, Value: 314}, "byte": int8(-3), "octet": byte(200)}
	}
}
