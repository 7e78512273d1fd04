package amqp091

import (
	"maps"
	"slices"

	"github.com/warrenmq/warren/internal/broker"
)

// detailsMax is how many exchanges, and how many queues, a channel keeps stats of. What it has to
// do with beyond that is counted for the channel alone.
const detailsMax = 1024

// details are the stats of a channel with each exchange and queue, where that is wanted. They cost
// a lock and a look into a map for each message. out.mu guards them.
type details struct {
	publishes, deliveries map[string]*broker.MessageStats
}

// newDetails returns what a channel has of details; nil: nothing.
func (o *Options) newDetails() *details {
	if !o.DetailedStats {
		return nil
	}
	return &details{
		publishes:  make(map[string]*broker.MessageStats),
		deliveries: make(map[string]*broker.MessageStats),
	}
}

// of returns the stats with that name, nil if there are too many.
func (d *details) of(names map[string]*broker.MessageStats, name []byte) *broker.MessageStats {
	s := names[string(name)]
	if s == nil && len(names) < detailsMax {
		s = new(broker.MessageStats)
		names[string(name)] = s
	}
	return s
}

// detailPublish counts a message for its exchange.
func (ch *Channel) detailPublish(exchange []byte) {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	if s := ch.details.of(ch.details.publishes, exchange); s != nil {
		s.Publish++
	}
}

// detailSettle counts acknowledgements for their queues.
func (ch *Channel) detailSettle(taken []delivery) {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	for i := range taken {
		if s := taken[i].consumer.details(); s != nil {
			s.Ack++
		}
	}
}

// details returns the stats of the consumer's queue, nil if there are none; out.mu is held.
func (k *consumer) details() *broker.MessageStats {
	d := k.channel.details
	if d == nil {
		return nil
	}
	return d.of(d.deliveries, []byte(k.queue.Name()))
}

// list returns the stats in the order of their names; out.mu is held.
func (d *details) list(names map[string]*broker.MessageStats) []broker.NamedStats {
	list := make([]broker.NamedStats, 0, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		list = append(list, broker.NamedStats{Name: name, Stats: *names[name]})
	}
	return list
}
