package perf

import (
	"fmt"

	"github.com/warrenmq/warren/amqp"
)

// patterns are bindings with wildcards, and the keys that match them. Pattern number n holds n
// in six digits and has one of four shapes, by turns, so that neither a broker that begins at
// the first word nor one that looks for wildcards at one place has it easy:
//
//	n.*.fast    n.#    *.n.*    #.n
//
// A key that matches pattern n has the same number at the place of that shape, and matches no
// other pattern. All keys have the same length.
type patterns struct {
	count    int
	keyCount int // 0: count
}

// shapes is the number of shapes of patterns.
const shapes = 4

// pattern is binding number n.
func (p patterns) pattern(n int) string {
	switch n % shapes {
	case 0:
		return fmt.Sprintf("%06d.*.fast", n)
	case 1:
		return fmt.Sprintf("%06d.#", n)
	case 2:
		return fmt.Sprintf("*.%06d.*", n)
	}
	return fmt.Sprintf("#.%06d", n)
}

// key matches pattern number n and no other.
func (p patterns) key(n int) string {
	switch n % shapes {
	case 2:
		return fmt.Sprintf("red.%06d.fast", n)
	case 3:
		return fmt.Sprintf("red.fast.%06d", n)
	}
	return fmt.Sprintf("%06d.red.fast", n)
}

// keys match patterns that are spread evenly over all.
func (p patterns) keys() []string {
	count := p.count
	if p.keyCount > 0 {
		count = min(count, p.keyCount)
	}
	keys := make([]string, count)
	for i := range keys {
		n := i * p.count / count
		if p.count/count >= shapes { // the steps may be a multiple of it: take all shapes
			n += i % shapes
		}
		keys[i] = p.key(n)
	}
	return keys
}

// bindWindow is how many bindings are on their way without an answer.
const bindWindow = 100

// bind makes all bindings: pattern n to queue n modulo their number.
func (p patterns) bind(c *conn, plan plan) error {
	return c.declareMany(p.count, bindWindow, amqp.MethodQueueBindOk, func(n int) amqp.Method {
		return &amqp.QueueBind{
			Queue:    plan.queues[n%len(plan.queues)].name,
			Exchange: plan.exchange, RoutingKey: p.pattern(n),
		}
	})
}
