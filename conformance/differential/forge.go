package differential

import amqp "github.com/rabbitmq/amqp091-go"

// forge gives a message a history of deaths that it never died, or what is none at all.
func (g *generator) forge(m *amqp.Publishing) {
	if m.Headers == nil {
		m.Headers = amqp.Table{}
	}
	// By what is no table a queue of RabbitMQ crashes. It merges elements of one queue and reason,
	// and those without a count get one.
	deaths := []any{}
	reasons := g.Perm(len(forgedReasons))
	for i := range g.IntN(4) {
		deaths = append(deaths, g.forgedDeath(forgedReasons[reasons[i]]))
	}
	m.Headers["x-death"] = deaths
	if g.one(6) {
		m.Headers["x-death"] = pick[any](g, "none", nil, true, int32(1),
			g.forgedDeath("maxlen"), []byte("q0"))
	}
	for _, name := range []string{"queue", "exchange", "reason"} {
		if g.one(4) {
			m.Headers["x-first-death-"+name] = pick[any](g, "q0", "q1", "", "maxlen", int32(1), nil)
		}
	}
}

// forgedReasons are those of brokers, and another one.
var forgedReasons = [...]string{"rejected", "expired", "maxlen", "delivery_limit", "none"}

// forgedDeath is an element of x-death, mostly one that a broker could have written.
func (g *generator) forgedDeath(reason string) amqp.Table {
	death := amqp.Table{
		"queue":        pick(g, g.queues...),
		"reason":       reason,
		"count":        g.integer(1, 1, 7, 1<<40, -1),
		"exchange":     g.exchange(),
		"routing-keys": []any{g.key()},
	}
	if g.one(3) {
		death["original-expiration"] = pick[any](g, "60", "never", int32(60))
	}
	if g.one(3) {
		name := pick(g, "queue", "reason", "exchange", "routing-keys")
		death[name] = pick[any](g, "1", int32(3), 2.5, nil, true, []byte("q0"), amqp.Table{},
			[]any{int32(1)})
		if g.one(2) {
			delete(death, name)
		}
	}
	return death
}
