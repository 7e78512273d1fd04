package crashtest

import (
	"hash/crc32"
	"math/rand/v2"

	"github.com/warrenmq/warren/amqp"
)

// backlogMax is how many messages a queue may have at a restart and keep them all: more are
// settled, as looking at them takes its time.
const backlogMax = 1500

// prepare declares what the load uses.
func prepare(addr string) error {
	k, err := dial(addr)
	if err != nil {
		return err
	}
	defer k.close()
	x := &amqp.ExchangeDeclare{Exchange: fanExchange, Type: "fanout", Durable: true}
	if _, err := k.call(1, x, amqp.MethodExchangeDeclareOk); err != nil {
		return err
	}
	for _, queue := range allQueues() {
		if err := declare(k, queue); err != nil {
			return err
		}
	}
	return nil
}

// inspect looks at all queues of a broker that has just started and that nobody else uses, and
// holds what it finds against the ledger. Some queues it empties, the others stay as they are.
func inspect(addr string, g *ledger, random *rand.Rand, before, after moment) error {
	if err := prepare(addr); err != nil {
		return err
	}
	var looks []look
	defer func() {
		for _, k := range looks {
			k.close() // what is not settled returns to its queue
		}
	}()
	for _, queue := range allQueues() {
		k, err := dial(addr)
		if err != nil {
			return err
		}
		looks = append(looks, look{link: k, queue: queue})
		l := &looks[len(looks)-1]
		if err := l.take(); err != nil {
			return err
		}
		if err := g.restarted(queue, l.list, before, after); err != nil {
			return err
		}
	}
	for i := range looks {
		n := len(looks[i].list)
		if n > backlogMax || n > 0 && random.IntN(3) == 0 {
			if err := looks[i].settle(g); err != nil {
				return err
			}
		}
	}
	g.forget()
	return nil
}

// look holds all messages of a queue, unsettled.
type look struct {
	*link
	queue string
	list  []found
	last  uint64 // delivery tag
}

// settle acknowledges everything.
func (l *look) settle(g *ledger) error {
	var c confirms
	if err := c.open(l.link, 2, g); err != nil {
		return err
	}
	var ids []ident
	for _, f := range l.list {
		ids = append(ids, f.id)
	}
	g.doubt(l.queue, ids...)
	l.method(1, &amqp.BasicAck{DeliveryTag: l.last, Multiple: true})
	if err := c.makeCertain(l.link); err != nil {
		return err
	}
	g.settled(l.queue, ids...)
	return nil
}

// take takes all messages of the queue.
func (l *look) take() error {
	passive := &amqp.QueueDeclare{Queue: l.queue, Passive: true}
	m, err := l.call(1, passive, amqp.MethodQueueDeclareOk)
	if err != nil {
		return err
	}
	count := m.(*amqp.QueueDeclareOk).MessageCount
	if count == 0 {
		return nil
	}
	consume := &amqp.BasicConsume{Queue: l.queue, ConsumerTag: "look"}
	if _, err := l.call(1, consume, amqp.MethodBasicConsumeOk); err != nil {
		return err
	}
	for range count {
		m, err := l.expect(amqp.MethodBasicDeliver)
		if err != nil {
			return err
		}
		text, body, err := l.content()
		if err != nil {
			return err
		}
		id, ok := parseIdent(text)
		if !ok {
			return violation("queue %s has a message named %q", l.queue, text)
		}
		l.list = append(l.list, found{id, len(body), crc32.Checksum(body, castagnoli)})
		l.last = m.(*amqp.BasicDeliver).DeliveryTag
	}
	cancel := &amqp.BasicCancel{ConsumerTag: "look"}
	_, err = l.call(1, cancel, amqp.MethodBasicCancelOk)
	return err // a message more than were counted would have come before
}
