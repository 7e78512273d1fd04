package amqp091

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
)

// deliveryCountHeader says how often a message has come back to its queue, which may limit that.
const deliveryCountHeader = "x-delivery-count"

// countingKeep is the size in bytes of the largest piece of memory that a channel keeps for the
// properties of messages that are counted.
const countingKeep = 4 << 10

// counts reports whether a queue counts how often it delivers a message: those of type quorum do.
// They also know no prefetch of channels, and no exclusive consumers.
func counts(q *broker.Queue) bool { return q.Definition.Type == "quorum" }

// singleActive reports whether a queue was declared to give messages to one consumer at a time.
func singleActive(q *broker.Queue) bool {
	v, _ := q.Definition.Arguments.Lookup("x-single-active-consumer")
	yes, _ := v.Bool()
	return yes
}

// counting is memory for the properties of a message with its delivery count.
type counting struct{ headers, props []byte }

// counted returns the properties of a message with its delivery count, valid until the next call;
// out.mu is held. What is got has it always, what is delivered from the second time on, as with
// RabbitMQ.
func (ch *Channel) counted(m *message.Message, count uint32) amqp.RawProperties {
	c := &ch.counting
	if cap(c.headers) > countingKeep {
		*c = counting{}
	}
	old := m.Properties()
	headers := amqp.Table(c.headers[:0]).AppendWithout(old.Headers(), deliveryCountHeader).
		AppendInt64(deliveryCountHeader, int64(count))
	c.headers = headers
	c.props = old.AppendEdited(c.props[:0], &amqp.Edit{SetHeaders: true, Headers: headers})
	return c.props
}
