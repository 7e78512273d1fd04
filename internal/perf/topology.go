package perf

import (
	"fmt"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// plan is a topology worked out for a number of producers and consumers.
type plan struct {
	exchange string
	queues   []plannedQueue
	keys     []string // by producer
	consumed [][]int  // by consumer: the queues
	declares bool     // the exchange
	patterns patterns // bindings with wildcards in place of one for each queue
}

// plannedQueue is one queue of a plan.
type plannedQueue struct {
	name      string
	key       string // of its binding
	owner     int    // the consumer whose exclusive queue it is; -1: shared
	producers []int  // whose messages it gets; nil: unknown
}

func newPlan(o Options) plan {
	t := o.Topology
	p := plan{exchange: t.Exchange, patterns: patterns{t.Patterns, t.PatternKeys}}
	p.declares = !t.Predeclared && t.Exchange != "" && !strings.HasPrefix(t.Exchange, "amq.")
	p.queues = t.queues(o.ID, o.Consumers.Count)
	for i := range o.Producers.Count {
		p.keys = append(p.keys, t.producerKey(o.ID, p.queues, i))
	}
	p.consumed = make([][]int, o.Consumers.Count)
	for i := range max(len(p.queues), o.Consumers.Count) {
		if o.Consumers.Count > 0 && len(p.queues) > 0 {
			c := i % o.Consumers.Count
			p.consumed[c] = append(p.consumed[c], i%len(p.queues))
		}
	}
	for i := range p.queues {
		p.queues[i].producers = p.reaching(t, p.queues[i])
	}
	return p
}

// queues lists the queues, and for what key each is bound.
func (t Topology) queues(id string, consumers int) (queues []plannedQueue) {
	add := func(name, key string, owner int) {
		if t.RoutingKey != "" {
			key = t.RoutingKey
		}
		queues = append(queues, plannedQueue{name: name, key: key, owner: owner})
	}
	switch {
	case t.QueuePattern != "":
		for n := t.QueueFrom; n <= t.QueueTo; n++ {
			name := fmt.Sprintf(t.QueuePattern, n)
			add(name, name, -1)
		}
	case t.Queue != "":
		add(t.Queue, t.Queue, -1)
	default:
		for c := range consumers {
			add(fmt.Sprintf("%s.%d", id, c), id, c)
		}
	}
	return queues
}

// keysOf are the keys that a producer's messages take turns with, all of one length.
func (p plan) keysOf(producer int) []string {
	if p.patterns.count == 0 {
		return []string{p.keys[producer]}
	}
	return p.patterns.keys()
}

func (t Topology) producerKey(id string, queues []plannedQueue, producer int) string {
	switch {
	case t.RoutingKey != "":
		return t.RoutingKey
	case len(queues) == 0:
		return id
	case t.Exchange == "":
		return queues[producer%len(queues)].name
	}
	return queues[producer%len(queues)].key
}

// reaching lists the producers whose messages a queue gets, by the rules of the exchange
// types that AMQP knows. Of other types only the broker knows.
func (p plan) reaching(t Topology, q plannedQueue) []int {
	producers := []int{}
	for i, key := range p.keys {
		switch {
		case t.Patterns > 0: // see run.open: all queues share one log
		case t.Exchange == "":
			if key != q.name {
				continue
			}
		case t.ExchangeType == "fanout" || t.ExchangeType == "headers":
		case t.ExchangeType == "direct" || t.ExchangeType == "topic":
			if key != q.key {
				continue
			}
		default:
			return nil
		}
		producers = append(producers, i)
	}
	return producers
}

// declareShared implements dialect: it declares the exchange, and the queues that several
// connections use.
func (amqpDialect) declareShared(c *conn, p plan, o Options) error {
	if p.declares {
		_, err := c.declare(&amqp.ExchangeDeclare{
			Exchange: p.exchange, Type: o.Topology.ExchangeType,
		}, amqp.MethodExchangeDeclareOk)
		if err != nil {
			return err
		}
	}
	for _, q := range p.queues {
		if q.owner >= 0 {
			continue
		}
		if err := p.declareQueue(c, o, q); err != nil {
			return err
		}
	}
	if o.Topology.Predeclared {
		return nil
	}
	return p.patterns.bind(c, p)
}

func (p plan) declareQueue(c *conn, o Options, q plannedQueue) error {
	if o.Topology.Predeclared {
		return nil
	}
	_, err := c.declare(&amqp.QueueDeclare{
		Queue:      q.name,
		Durable:    o.Producers.Persistent || o.Topology.Durable,
		Exclusive:  q.owner >= 0,
		AutoDelete: !o.Topology.KeepQueues,
		Arguments:  o.Topology.QueueArguments,
	}, amqp.MethodQueueDeclareOk)
	if err != nil || p.exchange == "" || p.patterns.count > 0 {
		return err
	}
	_, err = c.declare(&amqp.QueueBind{
		Queue: q.name, Exchange: p.exchange, RoutingKey: q.key,
	}, amqp.MethodQueueBindOk)
	return err
}
