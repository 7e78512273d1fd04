package amqp091

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
)

// replyPendingMax is the number of bytes waiting to be written to a client from which on further
// answers are dropped. Nothing holds them but the connection, and who answers must not wait.
const replyPendingMax = 64 << 20

// replier is the consumer of a channel that gets answers without a queue: broker.ReplyReceiver.
type replier struct {
	channel *Channel
	tag     string
	key     string // the routing key that leads here
	edit    amqp.Edit

	// Under out.mu.
	gone    bool
	dropped uint64
}

// ReceiveReply implements broker.ReplyReceiver. An answer has the tag that the next delivery gets,
// as with RabbitMQ: nobody acknowledges it.
func (r *replier) ReceiveReply(m *message.Message) (flush bool) {
	ch := r.channel
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if r.gone || ch.gone {
		return false
	}
	if c.out.pending.Load() >= replyPendingMax {
		r.dropped++
		return false
	}
	b := amqp.AppendBasicDeliver(c.out.roll(c.out.begin()), ch.id, r.tag, ch.tag+1, false,
		m.Exchange(), m.RoutingKey())
	return c.out.end(c.out.content(b, ch.id, m, c.frameMax))
}

// Flush implements broker.ReplyReceiver.
func (r *replier) Flush() { r.channel.conn.out.flush() }

// consumeReplies is basic.consume on the queue that is none. Nobody needs a permission for it.
func (ch *Channel) consumeReplies(m *amqp.BasicConsume) *amqp.Error {
	c := ch.conn
	if err := ch.mayConsume(m.ConsumerTag); err != nil {
		return err
	}
	switch {
	case !m.NoAck:
		return amqp.NewError(amqp.PreconditionFailed, "reply consumer cannot acknowledge")
	case ch.replier != nil:
		return amqp.NewError(amqp.PreconditionFailed, "reply consumer already set")
	}
	r := &replier{channel: ch, tag: m.ConsumerTag}
	if r.tag == "" {
		r.tag = broker.GeneratedName("amq.ctag-")
	}
	var err *amqp.Error
	if r.key, err = c.options.Broker.OpenReplies(r); err != nil {
		return err
	}
	r.edit.ReplyTo = []byte(r.key)
	ch.replier = r
	ch.answer(m.NoWait, &amqp.BasicConsumeOk{ConsumerTag: r.tag})
	return nil
}

// endReplies cancels the channel's consumer of answers.
func (ch *Channel) endReplies() {
	r := ch.replier
	if r == nil {
		return
	}
	c := ch.conn
	ch.replier = nil
	c.options.Broker.CloseReplies(r.key)
	c.out.mu.Lock()
	r.gone = true
	dropped := r.dropped
	c.out.mu.Unlock()
	if dropped > 0 {
		c.say(slog.LevelWarn, "replies dropped: the client did not read", "channel", ch.id,
			"count", dropped)
	}
}

// wantsReplies replaces a reply-to that means the channel's own consumer of answers by the routing
// key that leads to it.
func (ch *Channel) wantsReplies(props amqp.RawProperties) amqp.RawProperties {
	if to, _ := props.ReplyTo(); string(to) != broker.ReplyQueue {
		return props
	}
	c := &ch.content.copies
	c.used = true
	if ch.replier == nil {
		c.noReplier = true
		return props
	}
	c.edited = props.AppendEdited(c.edited[:0], &ch.replier.edit)
	return c.edited
}

// reply gives a message that was published to the default exchange to those who wait for answers
// with one of its keys, each once.
func (ch *Channel) reply(m *message.Message, keys [][]byte) {
	if len(keys) == 0 {
		ch.replyTo(m, m.RoutingKey())
		return
	}
	var to [][]byte
	for _, key := range keys {
		if bytes.HasPrefix(key, []byte(broker.ReplyQueue)) {
			to = append(to, key)
		}
	}
	slices.SortFunc(to, bytes.Compare)
	for _, key := range slices.CompactFunc(to, bytes.Equal) {
		ch.replyTo(m, key)
	}
}

func (ch *Channel) replyTo(m *message.Message, key []byte) {
	c := ch.conn
	if r := c.options.Broker.Replier(key); r != nil && r.ReceiveReply(m) {
		c.replied = append(c.replied, r)
	}
}

// flushReplies lets the answers of the batch go out.
func (c *Connection) flushReplies() {
	for _, r := range c.replied {
		r.Flush()
	}
	clear(c.replied)
	c.replied = c.replied[:0]
}

// declareReply answers the declaration of a queue that is none: it is there if somebody waits for
// answers.
func (ch *Channel) declareReply(name string, noWait bool) *amqp.Error {
	name = oneLine(name)
	if name != broker.ReplyQueue && ch.conn.options.Broker.Replier([]byte(name)) == nil {
		return amqp.NewError(amqp.NotFound, "no queue '%s' in vhost '%s'", name,
			ch.conn.access.VHostName())
	}
	ch.declared(name)
	ch.answer(noWait, &amqp.QueueDeclareOk{Queue: name, ConsumerCount: 1})
	return nil
}

func isReplyName(name string) bool { return strings.HasPrefix(name, broker.ReplyQueue) }
