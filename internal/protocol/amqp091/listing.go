package amqp091

import (
	"cmp"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// listRun is how many channels or consumers of a connection are looked at before it may go on.
const listRun = 64

// mode is what a client has asked of its channel, as others see it; out.mu guards it.
type mode struct {
	confirm, transactional bool
	prefetch               int
	// publisher: it has published.
	publisher bool
	// published is the sequence number of the last publish, as of the last tally.
	published uint64
	// heldPublishes and heldSettles are what an open transaction has, as of the last tally.
	heldPublishes, heldSettles int
	// What was seen when somebody looked last.
	actions uint64
	idle    time.Time
}

// setMode changes what others see of the channel.
func (ch *Channel) setMode(change func(*mode)) {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	change(&ch.mode)
}

// Channels returns what may be shown of the open channels, in the order of their connections'
// names and of their numbers. It holds up none of them for longer than a moment.
func (d *Door) Channels() []broker.Channel {
	var shown []broker.Channel
	now := time.Now()
	for _, c := range d.running() {
		of := c.showSelf()
		for run := range slices.Chunk(c.listChannels(), listRun) {
			shown = c.showChannels(shown, &of, run, now)
		}
	}
	slices.SortFunc(shown, func(a, b broker.Channel) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), a.Number-b.Number)
	})
	return shown
}

// running returns the connections that are open.
func (d *Door) running() []*Connection {
	return slices.DeleteFunc(d.list(), func(c *Connection) bool {
		return state(c.shown.Load()) != running
	})
}

// listChannels returns the open channels.
func (c *Connection) listChannels() []*Channel {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	list := make([]*Channel, 0, len(c.channels))
	for _, ch := range c.channels {
		list = append(list, ch)
	}
	return list
}

// showChannels adds some channels of a connection to what is shown.
func (c *Connection) showChannels(
	shown []broker.Channel, of *broker.Connection, list []*Channel, now time.Time,
) []broker.Channel {
	flow := c.flow(now)
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	for _, ch := range list {
		if ch.gone {
			continue
		}
		unconfirmed := 0
		if ch.mode.confirm {
			unconfirmed = int(max(ch.mode.published, ch.confirmed) - ch.confirmed)
		}
		shown = append(shown, broker.Channel{
			Unconfirmed: unconfirmed, UncommittedMessages: ch.mode.heldPublishes,
			UncommittedAcks: ch.mode.heldSettles, Stats: ch.stats, IdleSince: ch.idleSince(now),
			ID: ch.serial, Number: int(ch.id),
			Connection: of.Name, ConnectionID: of.ID, User: of.User, VHost: of.VHost,
			PeerHost: of.PeerHost, PeerPort: of.PeerPort,
			Transactional: ch.mode.transactional, Confirm: ch.mode.confirm,
			Consumers: len(ch.consumers), Unacked: ch.unacked.len(),
			Prefetch: ch.mode.prefetch, GlobalPrefetch: int(ch.limit.Load()),
			Flow: flow,
		})
		if d := ch.details; d != nil {
			last := &shown[len(shown)-1]
			last.Publishes, last.Deliveries = d.list(d.publishes), d.list(d.deliveries)
		}
	}
	return shown
}

// Subscriptions returns what may be shown of the consumers, in the order of their connections'
// names, their channels and their tags. Consumers of answers, which have no queue, are not among
// them. It holds up no connection for longer than a moment.
func (d *Door) Subscriptions() []broker.Subscription {
	var shown []broker.Subscription
	for _, c := range d.running() {
		of := c.showSelf()
		for _, k := range c.listConsumers() {
			active, activity := k.queue.Activity(&k.Consumer)
			shown = append(shown, broker.Subscription{
				Queue: k.queue.Name(), VHost: of.VHost, Tag: k.Tag,
				Connection: of.Name, ConnectionID: of.ID,
				Channel: int(k.channel.id), ChannelID: k.channel.serial, User: of.User,
				PeerHost: of.PeerHost, PeerPort: of.PeerPort,
				Exclusive: k.Exclusive, AckRequired: !k.NoAck, Prefetch: k.Prefetch,
				Active: active, Activity: activity, Arguments: k.arguments,
			})
		}
	}
	slices.SortFunc(shown, func(a, b broker.Subscription) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), a.Channel-b.Channel,
			cmp.Compare(a.Tag, b.Tag))
	})
	return shown
}

// listConsumers returns the consumers of all channels.
func (c *Connection) listConsumers() []*consumer {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	list := make([]*consumer, 0, len(c.consumers))
	for k := range c.consumers {
		list = append(list, k)
	}
	return list
}

// idleSince returns when it was seen that the channel did something last; zero if it has since
// somebody looked. out.mu is held.
func (ch *Channel) idleSince(now time.Time) time.Time {
	s, m := &ch.stats, &ch.mode
	actions := ch.tag + s.Publish + s.Confirm + s.Ack + s.GetEmpty + uint64(m.heldPublishes)
	if m.idle.IsZero() || actions != m.actions {
		m.actions, m.idle = actions, now
		return time.Time{}
	}
	return m.idle
}
