package management

import (
	"context"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// moveBody says where messages are moved to: a queue, or an exchange with the routing key that they
// have, or that is given.
type moveBody struct {
	Queue      string  `json:"queue"`
	Exchange   *string `json:"exchange"`
	RoutingKey *string `json:"routing_key"`
	// Count is how many are moved; absent: all that are ready when it begins.
	Count *number `json:"count"`
}

const (
	// moveTogether is how many messages are moved at once, if they are small.
	moveTogether = 200
	// moveBytesMax is how many bytes of bodies are, but for the last message.
	moveBytesMax = 8 << 20
)

// move is messages on their way from a queue to somewhere else.
type move struct {
	*desk
	from        *broker.Queue
	exchange    string
	key         *string // nil: that of each message
	moved, want int
}

// postMove moves messages: each is acknowledged once it is stored where it goes. When that ends
// early, what was moved is told, and the rest is where it was. A message may be in both places when
// the node is killed in between.
func postMove(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	var body moveBody
	if err := q.decode(&body); err != nil {
		return err
	}
	m := move{want: int(^uint(0) >> 1)}
	switch {
	case (body.Queue != "") == (body.Exchange != nil):
		return badRequest("either queue or exchange says where messages go")
	case body.Queue != "":
		if _, err := a.CheckQueue(body.Queue); err != nil {
			return onChannel(err)
		}
		m.key = &body.Queue
	default:
		m.exchange, m.key = exchangeName(*body.Exchange), body.RoutingKey
	}
	if m.key != nil && len(*m.key) > amqp.ShortStrMax {
		return badRequest("a routing key has at most %d octets", amqp.ShortStrMax)
	}
	if m.from, err = readable(a, q.param("queue")); err != nil {
		return err
	}
	if body.Count != nil {
		m.want = max(0, int(*body.Count))
	}
	// What comes back to the queue is not moved again.
	m.want = min(m.want, m.from.Stats().Ready)
	m.desk = q.h.newDesk(a)
	defer m.close()
	for m.moved < m.want && err == nil {
		var more bool
		if more, err = m.some(q.Context()); !more {
			break
		}
	}
	if err != nil && m.moved == 0 {
		return err
	}
	answer := map[string]any{"moved": m.moved}
	if err != nil {
		answer["stopped"] = err.Error()
	}
	return q.reply(answer)
}

// some moves some messages; more: there are others.
func (m *move) some(ctx context.Context) (more bool, err error) {
	size := 0
	for len(m.got) < min(moveTogether, m.want-m.moved) && size < moveBytesMax {
		t, err := m.get(ctx, m.from)
		if err != nil {
			return false, err
		}
		if t == nil {
			break
		}
		size += len(t.body)
	}
	if len(m.got) == 0 {
		return false, nil
	}
	var stable store.LSN
	arrived := make([]bool, len(m.got))
	for i, t := range m.got {
		l := t.letter
		l.exchange = m.exchange
		if m.key != nil {
			l.key = *m.key
		}
		result, refusal := m.publish(&l, uint32(i+1))
		if refusal != nil {
			return false, m.settled(arrived, stable, closed(refusal))
		}
		arrived[i] = result.routed
		stable = max(stable, result.stable)
	}
	return true, m.settled(arrived, stable, nil)
}

// settled waits until what was published is stored, and acknowledges the messages that have
// arrived. The error is given, or says that some did not.
func (m *move) settled(arrived []bool, stable store.LSN, given error) error {
	rejected, err := m.await(stable)
	if err != nil {
		return err
	}
	for _, ticket := range rejected {
		arrived[ticket-1] = false
	}
	var done []*taken
	for i, t := range m.got {
		if arrived[i] {
			done = append(done, t)
		}
	}
	all := len(done) == len(m.got)
	m.settle(queue.Ack, done...)
	m.moved += len(done)
	switch {
	case given != nil:
		return given
	case !all:
		return badRequest("a message went to no queue, or was refused there")
	}
	return nil
}
