package amqp091

import (
	"log/slog"

	"github.com/warrenmq/warren/amqp"
)

// timedOut tells the client that a consumer held a message for too long: the queue has cancelled
// it, and taken back what it held. A client that does not understand basic.cancel loses the
// channel, as it always did with RabbitMQ. out.mu is held.
func (k *consumer) timedOut(b []byte, timeout int64) []byte {
	ch := k.channel
	ch.conn.say(slog.LevelWarn, "a consumer held a message for too long", "channel", ch.id,
		"queue", k.queue.Name(), "consumer", k.Tag, "timeout_ms", timeout)
	counted := ch.unacked.lapse(k)
	ch.outstanding.Add(-counted)
	b = k.cancelled(b)
	if !ch.conn.cancelNotify && !ch.gone {
		e := amqp.NewError(amqp.PreconditionFailed, "delivery acknowledgement on channel %d "+
			"timed out. Timeout value used: %d ms. This timeout value can be configured, "+
			"see consumers doc guide to learn more", ch.id, timeout)
		b = ch.condemn(b, e)
	}
	if out := &ch.conn.out; counted > 0 && ch.limit.Load() > 0 && !out.closed {
		out.running.Go(ch.conn.resumeConsumers) // the channel's prefetch has room again
	}
	return b
}

// condemn closes the channel from the broker's side. The reader does the rest when the next frame
// of the channel comes, which is the answer at the latest: until then nothing is sent, and what is
// delivered waits to be returned. out.mu is held.
func (ch *Channel) condemn(b []byte, e *amqp.Error) []byte {
	ch.gone = true
	ch.paused.Store(true)
	ch.condemned.Store(true)
	return amqp.AppendMethodFrame(b, ch.id,
		&amqp.ChannelClose{ReplyCode: e.Code, ReplyText: e.Text})
}

// bury does what is left to do of a channel that was condemned.
func (ch *Channel) bury() {
	ch.conn.finishBatch()
	ch.close()
	ch.closing = true
	ch.condemned.Store(false)
}
