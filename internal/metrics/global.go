package metrics

import (
	"strconv"

	"github.com/warrenmq/warren/internal/broker"
)

// queueTypeLabel is how RabbitMQ labels a type of queues.
func queueTypeLabel(t broker.QueueType) label {
	return label{"queue_type", "rabbit_" + t.String() + "_queue"}
}

// globals writes what has been counted since the node started, whoever it was about and whether
// that is still there.
func (h *Handler) globals(p *page) {
	totals := h.o.Broker.Totals()
	byProtocol(p, totals)
	byQueueType(p, totals)
	sizes(p, totals)
	h.deadLetters(p)
}

func byProtocol(p *page, totals []broker.Totals) {
	for _, m := range []metric[broker.Totals]{
		of("global_messages_received_total", counter, "Messages received from publishers",
			func(t *broker.Totals) uint64 { return t.Received }),
		of("global_messages_received_confirm_total", counter, "Messages received from publishers"+
			" expecting confirmations", func(t *broker.Totals) uint64 { return t.ReceivedConfirm }),
		of("global_messages_confirmed_total", counter, "Messages confirmed to publishers",
			func(t *broker.Totals) uint64 { return t.Confirmed }),
		of("global_messages_routed_total", counter, "Messages routed to queues",
			func(t *broker.Totals) uint64 { return t.Routed }),
		of("global_messages_unroutable_dropped_total", counter, "Messages published as"+
			" non-mandatory and dropped as unroutable",
			func(t *broker.Totals) uint64 { return t.UnroutableDropped }),
		of("global_messages_unroutable_returned_total", counter, "Messages published as mandatory"+
			" and returned to the publisher as unroutable",
			func(t *broker.Totals) uint64 { return t.UnroutableReturned }),
		of("global_publishers", gauge, "Publishers currently connected",
			func(t *broker.Totals) int { return t.Publishers }),
		of("global_consumers", gauge, "Consumers currently connected",
			func(t *broker.Totals) int { return t.Consumers }),
	} {
		p.family(m.name, m.kind, m.help)
		for i := range totals {
			p.sample(m.name, "", m.value(&totals[i]), label{"protocol", totals[i].Protocol})
		}
	}
}

func byQueueType(p *page, totals []broker.Totals) {
	type deliveries = broker.Deliveries
	for _, m := range []metric[deliveries]{
		of("global_messages_delivered_total", counter, "Messages delivered to consumers",
			func(d *deliveries) uint64 { return d.Deliver + d.DeliverNoAck + d.Get + d.GetNoAck }),
		of("global_messages_delivered_consume_auto_ack_total", counter, "Messages delivered to"+
			" consumers using basic.consume with automatic acknowledgment",
			func(d *deliveries) uint64 { return d.DeliverNoAck }),
		of("global_messages_delivered_consume_manual_ack_total", counter, "Messages delivered to"+
			" consumers using basic.consume with manual acknowledgment",
			func(d *deliveries) uint64 { return d.Deliver }),
		of("global_messages_delivered_get_auto_ack_total", counter, "Messages delivered to"+
			" consumers using basic.get with automatic acknowledgment",
			func(d *deliveries) uint64 { return d.GetNoAck }),
		of("global_messages_delivered_get_manual_ack_total", counter, "Messages delivered to"+
			" consumers using basic.get with manual acknowledgment",
			func(d *deliveries) uint64 { return d.Get }),
		of("global_messages_get_empty_total", counter, "Times basic.get operations fetched no"+
			" message", func(d *deliveries) uint64 { return d.GetEmpty }),
		of("global_messages_redelivered_total", counter, "Messages redelivered to consumers",
			func(d *deliveries) uint64 { return d.Redeliver }),
		of("global_messages_acknowledged_total", counter, "Messages acknowledged by consumers",
			func(d *deliveries) uint64 { return d.Ack }),
	} {
		p.family(m.name, m.kind, m.help)
		for i := range totals {
			for t := range broker.QueueTypes {
				p.sample(m.name, "", m.value(&totals[i].Deliveries[t]),
					label{"protocol", totals[i].Protocol}, queueTypeLabel(t))
			}
		}
	}
}

// bucketLabel writes a bound as RabbitMQ does, for panels match it literally: 100.0, 1000.0,
// 10000.0, 100000.0, then 1e+06.
func bucketLabel(bound uint64) string {
	if bound < 1e6 {
		return strconv.FormatUint(bound, 10) + ".0"
	}
	return strconv.FormatFloat(float64(bound), 'e', -1, 64)
}

func sizes(p *page, totals []broker.Totals) {
	const name = "message_size_bytes"
	p.family(name, histogram, "Size of messages received from publishers")
	bounds := broker.SizeBounds()
	for i := range totals {
		t := &totals[i]
		protocol := label{"protocol", t.Protocol}
		sum := uint64(0)
		for class, n := range t.Sizes.Classes {
			sum += n
			le := label{"le", "+Inf"}
			if class < len(bounds) {
				le.value = bucketLabel(bounds[class])
			}
			p.sample(name, "_bucket", float64(sum), protocol, le)
		}
		p.sample(name, "_count", float64(sum), protocol)
		p.sample(name, "_sum", float64(t.Sizes.Sum), protocol)
	}
}

func (h *Handler) deadLetters(p *page) {
	type letters = broker.DeadLetters
	for _, m := range []struct {
		metric[letters]
		quorumOnly, leastOnly bool
	}{
		{metric: of("global_messages_dead_lettered_expired_total", counter,
			"Messages dead-lettered due to message TTL exceeded",
			func(l *letters) uint64 { return l.Expired })},
		{metric: of("global_messages_dead_lettered_maxlen_total", counter,
			"Messages dead-lettered due to overflow drop-head or reject-publish-dlx",
			func(l *letters) uint64 { return l.MaxLen })},
		{metric: of("global_messages_dead_lettered_rejected_total", counter,
			"Messages dead-lettered due to basic.reject or basic.nack",
			func(l *letters) uint64 { return l.Rejected })},
		{metric: of("global_messages_dead_lettered_delivery_limit_total", counter,
			"Messages dead-lettered due to delivery-limit exceeded",
			func(l *letters) uint64 { return l.DeliveryLimit }), quorumOnly: true},
		{metric: of("global_messages_dead_lettered_confirmed_total", counter,
			"Messages dead-lettered and confirmed by target queues",
			func(l *letters) uint64 { return l.Confirmed }), quorumOnly: true, leastOnly: true},
	} {
		p.family(m.name, m.kind, m.help)
		for t := range broker.QueueTypes {
			for s := range broker.DeadLetterStrategies {
				if m.quorumOnly && t != broker.QuorumQueue ||
					m.leastOnly && s != broker.DeadLettersAtLeastOnce ||
					t == broker.ClassicQueue && s == broker.DeadLettersAtLeastOnce {
					continue
				}
				died := h.o.Broker.DeadLetters(t, s)
				p.sample(m.name, "", m.value(&died), queueTypeLabel(t),
					label{"dead_letter_strategy", s.String()})
			}
		}
	}
}

// store writes what the log of messages has done.
func (h *Handler) store(p *page) {
	s := h.o.Store()
	p.one("log_records_total", counter, "Records taken by the log", float64(s.Records))
	p.one("log_syncs_total", counter, "Syncs of the log", float64(s.Syncs))
	p.one("log_written_bytes_total", counter, "Bytes written to the log", float64(s.WrittenBytes))
	p.one("log_bytes", gauge, "Bytes in log files that a start would read", float64(s.LogBytes))
	p.one("segment_bytes", gauge, "Bytes in segments", float64(s.SegmentBytes))
	p.one("segment_written_bytes_total", counter, "Bytes moved to segments", float64(s.MovedBytes))
	p.one("spill_bytes", gauge, "Bytes in spill files", float64(s.SpillBytes))
	p.one("spill_written_bytes_total", counter, "Bytes written to spill files",
		float64(s.SpilledBytes))
	p.one("live_bytes", gauge, "Bytes on disk of messages that are there", float64(s.LiveBytes))
	p.one("definitions_bytes", gauge, "Size of the file of definitions",
		float64(s.DefinitionsBytes))
}
