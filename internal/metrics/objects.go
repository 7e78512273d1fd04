package metrics

import (
	"math"

	"github.com/warrenmq/warren/internal/broker"
)

// of is a metric that is a number of the object.
func of[T any, N int | uint64](name string, k kind, help string, value func(*T) N) metric[T] {
	return metric[T]{name, k, help, func(t *T) float64 { return float64(value(t)) }}
}

func queueCoarse() []metric[shownQueue] {
	return []metric[shownQueue]{
		of("queue_messages_ready", gauge, "Messages ready to be delivered to consumers",
			func(q *shownQueue) int { return q.Ready }),
		of("queue_messages_unacked", gauge, "Messages delivered to consumers but not yet"+
			" acknowledged", func(q *shownQueue) int { return q.Unacked }),
		of("queue_messages", gauge, "Sum of ready and unacknowledged messages - total queue depth",
			func(q *shownQueue) int { return q.Ready + q.Unacked }),
	}
}

func queueConsumers() []metric[shownQueue] {
	return []metric[shownQueue]{
		of("queue_consumers", gauge, "Consumers on a queue",
			func(q *shownQueue) int { return q.Consumers }),
	}
}

func queueMore() []metric[shownQueue] {
	type shown = shownQueue
	return []metric[shown]{
		{"queue_consumer_capacity", gauge, "Consumer capacity",
			func(q *shown) float64 { return q.ConsumerCapacity }},
		{"queue_consumer_utilisation", gauge, "Same as consumer capacity",
			func(q *shown) float64 { return q.ConsumerCapacity }},
		of("queue_messages_ram", gauge, "Ready and unacknowledged messages stored in memory",
			func(q *shown) int { return q.InMemory }),
		of("queue_messages_ram_bytes", gauge, "Size of ready and unacknowledged messages stored"+
			" in memory", func(q *shown) int { return q.InMemoryBytes }),
		of("queue_messages_ready_ram", gauge, "Ready messages stored in memory",
			func(q *shown) int { return q.ReadyInMemory }),
		of("queue_messages_unacked_ram", gauge, "Unacknowledged messages stored in memory",
			func(q *shown) int { return q.Unacked }),
		of("queue_messages_bytes", gauge, "Size in bytes of ready and unacknowledged messages",
			func(q *shown) int { return q.Bytes }),
		of("queue_messages_ready_bytes", gauge, "Size in bytes of ready messages",
			func(q *shown) int { return q.ReadyBytes }),
		of("queue_messages_unacked_bytes", gauge, "Size in bytes of all unacknowledged messages",
			func(q *shown) int { return q.UnackedBytes }),
		of("queue_messages_paged_out", gauge, "Messages paged out to disk",
			func(q *shown) int { return q.Ready + q.Unacked - q.InMemory }),
		of("queue_messages_paged_out_bytes", gauge, "Size in bytes of messages paged out to disk",
			func(q *shown) int { return q.Bytes - q.InMemoryBytes }),
		{"queue_head_message_timestamp", gauge, "Timestamp of the first message in the queue," +
			" if any", func(q *shown) float64 {
			if q.HeadTimestamp == 0 {
				return math.NaN()
			}
			return float64(q.HeadTimestamp)
		}},
	}
}

func queuePublishes() []metric[shownQueue] {
	return []metric[shownQueue]{
		of("queue_messages_published_total", counter, "Messages published into the queue",
			func(q *shownQueue) uint64 { return q.Messages.Publish }),
	}
}

func queueDeliveries() []metric[shownQueue] {
	type shown = shownQueue
	return []metric[shown]{
		of("queue_get_ack_total", counter, "Messages fetched with basic.get in manual"+
			" acknowledgement mode", func(q *shown) uint64 { return q.Messages.Get }),
		of("queue_get_total", counter, "Messages fetched with basic.get in automatic"+
			" acknowledgement mode", func(q *shown) uint64 { return q.Messages.GetNoAck }),
		of("queue_messages_delivered_ack_total", counter, "Messages delivered to consumers in"+
			" manual acknowledgement mode", func(q *shown) uint64 { return q.Messages.Deliver }),
		of("queue_messages_delivered_total", counter, "Messages delivered to consumers in"+
			" automatic acknowledgement mode",
			func(q *shown) uint64 { return q.Messages.DeliverNoAck }),
		of("queue_messages_redelivered_total", counter, "Messages redelivered to consumers",
			func(q *shown) uint64 { return q.Messages.Redeliver }),
		of("queue_messages_acked_total", counter, "Messages acknowledged by consumers",
			func(q *shown) uint64 { return q.Messages.Ack }),
		of("queue_get_empty_total", counter, "Times basic.get operations fetched no message",
			func(q *shown) uint64 { return q.Messages.GetEmpty }),
	}
}

func channelState() []metric[broker.Channel] {
	type channel = broker.Channel
	return []metric[channel]{
		of("channel_consumers", gauge, "Consumers on a channel",
			func(c *channel) int { return c.Consumers }),
		of("channel_messages_unacked", gauge, "Delivered but not yet acknowledged messages",
			func(c *channel) int { return c.Unacked }),
		of("channel_messages_unconfirmed", gauge, "Published but not yet confirmed messages",
			func(c *channel) int { return c.Unconfirmed }),
		of("channel_messages_uncommitted", gauge, "Messages received in a transaction but not yet"+
			" committed", func(c *channel) int { return c.UncommittedMessages }),
		of("channel_acks_uncommitted", gauge, "Message acknowledgements in a transaction not yet"+
			" committed", func(c *channel) int { return c.UncommittedAcks }),
		of("consumer_prefetch", gauge, "Limit of unacknowledged messages for each consumer",
			func(c *channel) int { return c.Prefetch }),
		of("channel_prefetch", gauge, "Total limit of unacknowledged messages for all consumers"+
			" on a channel", func(c *channel) int { return c.GlobalPrefetch }),
	}
}

func channelPublishes() []metric[broker.Channel] {
	type channel = broker.Channel
	return []metric[channel]{
		of("channel_messages_published_total", counter, "Messages published into an exchange on"+
			" a channel", func(c *channel) uint64 { return c.Stats.Publish }),
		of("channel_messages_confirmed_total", counter, "Messages published into an exchange and"+
			" confirmed on the channel", func(c *channel) uint64 { return c.Stats.Confirm }),
		of("channel_messages_unroutable_returned_total", counter, "Messages published as mandatory"+
			" into an exchange and returned to the publisher as unroutable",
			func(c *channel) uint64 { return c.Stats.ReturnUnroutable }),
		of("channel_messages_unroutable_dropped_total", counter, "Messages published as"+
			" non-mandatory into an exchange and dropped as unroutable",
			func(c *channel) uint64 { return c.Stats.DropUnroutable }),
	}
}

func channelDeliveries() []metric[broker.Channel] {
	type channel = broker.Channel
	return []metric[channel]{
		of("channel_get_ack_total", counter, "Messages fetched with basic.get in manual"+
			" acknowledgement mode", func(c *channel) uint64 { return c.Stats.Get }),
		of("channel_get_total", counter, "Messages fetched with basic.get in automatic"+
			" acknowledgement mode", func(c *channel) uint64 { return c.Stats.GetNoAck }),
		of("channel_messages_delivered_ack_total", counter, "Messages delivered to consumers in"+
			" manual acknowledgement mode", func(c *channel) uint64 { return c.Stats.Deliver }),
		of("channel_messages_delivered_total", counter, "Messages delivered to consumers in"+
			" automatic acknowledgement mode",
			func(c *channel) uint64 { return c.Stats.DeliverNoAck }),
		of("channel_messages_redelivered_total", counter, "Messages redelivered to consumers",
			func(c *channel) uint64 { return c.Stats.Redeliver }),
		of("channel_messages_acked_total", counter, "Messages acknowledged by consumers",
			func(c *channel) uint64 { return c.Stats.Ack }),
		of("channel_get_empty_total", counter, "Times basic.get operations fetched no message",
			func(c *channel) uint64 { return c.Stats.GetEmpty }),
	}
}

func connectionCoarse() []metric[broker.Connection] {
	type connection = broker.Connection
	return []metric[connection]{
		of("connection_incoming_bytes_total", counter, "Bytes received on a connection",
			func(c *connection) uint64 { return c.Received }),
		of("connection_outgoing_bytes_total", counter, "Bytes sent on a connection",
			func(c *connection) uint64 { return c.Sent }),
	}
}

func connectionMore() []metric[broker.Connection] {
	type connection = broker.Connection
	return []metric[connection]{
		of("connection_incoming_packets_total", counter, "Packets received on a connection",
			func(c *connection) uint64 { return c.Reads }),
		of("connection_outgoing_packets_total", counter, "Packets sent on a connection",
			func(c *connection) uint64 { return c.Writes }),
		of("connection_pending_packets", gauge, "Bytes waiting to be sent on a connection",
			func(c *connection) int { return c.Pending }),
		of("connection_channels", gauge, "Channels on a connection",
			func(c *connection) int { return c.Channels }),
	}
}
