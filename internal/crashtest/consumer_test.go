package crashtest

import (
	"math/rand/v2"

	"github.com/warrenmq/warren/amqp"
)

// consumer takes messages and settles them in all the ways there are, some never.
type consumer struct {
	*load
	random   *rand.Rand
	queue    string
	prefetch int
	confirms
	held    []held            // not settled yet, in order of delivery
	marks   []mark            // not confirmed yet
	lastSeq map[uint32]uint32 // of each publisher, not redelivered
}

// held is a delivery.
type held struct {
	tag uint64
	id  ident
}

// mark is a message whose confirm proves that ids are settled.
type mark struct {
	seq uint32
	ids []ident
}

func (c *consumer) run(k *link) error {
	if err := c.open(k, 2, c.load.ledger); err != nil {
		return err
	}
	c.lastSeq = make(map[uint32]uint32)
	qos := &amqp.BasicQos{PrefetchCount: uint16(c.prefetch)}
	if _, err := k.call(1, qos, amqp.MethodBasicQosOk); err != nil {
		return err
	}
	consume := &amqp.BasicConsume{Queue: c.queue}
	if _, err := k.call(1, consume, amqp.MethodBasicConsumeOk); err != nil {
		return err
	}
	for !c.stopped.Load() {
		m, err := k.next()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *amqp.BasicDeliver:
			err = c.deliver(k, m)
		case *amqp.BasicQosOk: // of a mark
		default:
			err = c.confirm(m)
		}
		if err != nil {
			return err
		}
		full := len(c.held) >= (c.prefetch+1)/2
		if full || k.waiting() && len(c.held) > 0 && c.queue != slowQueue {
			if err := c.settle(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *consumer) deliver(k *link, m *amqp.BasicDeliver) error {
	text, body, err := k.content()
	if err != nil {
		return err
	}
	id, err := c.load.ledger.received(c.queue, text, body)
	if err != nil {
		return err
	}
	if !m.Redelivered {
		if last := c.lastSeq[id.publisher]; last >= id.seq {
			return violation("queue %s delivers %v after %d.%d", c.queue, id, id.publisher, last)
		}
		c.lastSeq[id.publisher] = id.seq
	}
	c.held = append(c.held, held{m.DeliveryTag, id})
	return nil
}

func (c *consumer) confirm(m amqp.Method) error {
	if err := c.take(m); err != nil {
		return err
	}
	for len(c.marks) > 0 && c.marks[0].seq <= c.confirmed {
		c.load.ledger.settled(c.queue, c.marks[0].ids...)
		c.marks = c.marks[1:]
	}
	return nil
}

// settle settles some of what is held, and marks it.
func (c *consumer) settle(k *link) error {
	var ids []ident
	switch n := c.random.IntN(10); {
	case c.queue == slowQueue && c.prefetch > 1: // one in three, in any order
		ids = c.settleSome(k, 3)
	case n < 6: // all up to the last
		last := c.held[len(c.held)-1]
		ids = c.takeFirst(len(c.held))
		c.load.ledger.doubt(c.queue, ids...)
		k.method(1, &amqp.BasicAck{DeliveryTag: last.tag, Multiple: true})
	case n < 9:
		ids = c.settleSome(k, 1)
	default: // back into the queue
		last := c.held[len(c.held)-1]
		c.takeFirst(len(c.held))
		k.method(1, &amqp.BasicNack{DeliveryTag: last.tag, Multiple: true, Requeue: true})
	}
	c.marks = append(c.marks, mark{c.mark(k), ids})
	return k.send()
}

// takeFirst takes the first n of what is held.
func (c *consumer) takeFirst(n int) (ids []ident) {
	for _, h := range c.held[:n] {
		ids = append(ids, h.id)
	}
	c.held = append(c.held[:0], c.held[n:]...)
	return ids
}

// settleSome settles one in every deliveries, in any order, and at least one.
func (c *consumer) settleSome(k *link, every int) (ids []ident) {
	c.random.Shuffle(len(c.held), func(i, j int) { c.held[i], c.held[j] = c.held[j], c.held[i] })
	kept := c.held[:0]
	var tags []uint64
	for i, h := range c.held {
		if i%every != 0 {
			kept = append(kept, h)
			continue
		}
		tags, ids = append(tags, h.tag), append(ids, h.id)
	}
	c.held = kept
	c.load.ledger.doubt(c.queue, ids...)
	for _, tag := range tags {
		if c.random.IntN(10) == 0 {
			k.method(1, &amqp.BasicReject{DeliveryTag: tag})
		} else {
			k.method(1, &amqp.BasicAck{DeliveryTag: tag})
		}
	}
	return ids
}
