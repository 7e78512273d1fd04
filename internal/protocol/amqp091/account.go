package amqp091

import (
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker"
)

// account is what a connection has counted of its messages. It is made when there is something to
// count: a connection that does nothing costs nothing. The reader counts in memory of its own, and
// shows that to others once for all that one read brought; who delivers counts under out.mu.
type account struct {
	// Of the reader, since the last tally.
	touched []*Channel // that have counted something
	bytes   uint64
	classes [len(broker.Sizes{}.Classes)]uint64

	// Under out.mu.
	totals    broker.Totals
	published uint64 // messages that went on their way: of transactions when they are committed
}

// did is what the reader has counted of a channel since the last tally.
type did struct {
	published, held, committed, dropped uint64
	acked                               [broker.QueueTypes]uint64
}

// publishes counts messages that the reader gets on one channel one after the other, of one class
// of sizes: so a message costs no more than a look at whether it is such a one.
type publishes struct {
	channel      *Channel // nil: none
	class        int
	least, above int // sizes of the class: from least, by less than above more
	count, bytes uint64
}

// accounts returns the account of the connection; out.mu is held.
func (c *Connection) accounts() *account {
	if c.account == nil {
		c.account = new(account)
	}
	return c.account
}

// touch has what the channel counts from now on shown after the batch.
func (ch *Channel) touch() {
	c := ch.conn
	if c.counted == nil {
		c.out.mu.Lock()
		c.counted = c.accounts()
		c.out.mu.Unlock()
	}
	ch.touched = true
	c.counted.touched = append(c.counted.touched, ch)
}

// countPublish counts a message that came in.
func (ch *Channel) countPublish(body int) {
	p := &ch.conn.publishes
	if p.channel != ch || uint(body-p.least) >= uint(p.above) {
		ch.beginPublishes(body)
	}
	p.count++
	p.bytes += uint64(body)
}

// beginPublishes begins to count messages like one that has come.
func (ch *Channel) beginPublishes(body int) {
	c := ch.conn
	c.endPublishes()
	if !ch.touched {
		ch.touch()
	}
	class := broker.SizeClass(body)
	least, above := broker.SizeClassBounds(class)
	c.publishes = publishes{channel: ch, class: class, least: least, above: above - least}
}

// endPublishes adds up the messages that were counted together.
func (c *Connection) endPublishes() {
	p := &c.publishes
	if p.channel == nil {
		return
	}
	c.counted.classes[p.class] += p.count
	c.counted.bytes += p.bytes
	if p.channel.tx == nil {
		p.channel.did.published += p.count
	} else {
		p.channel.did.held += p.count
	}
	*p = publishes{}
}

// countCommit counts a message that was committed.
func (ch *Channel) countCommit() {
	if !ch.touched {
		ch.touch()
	}
	ch.did.committed++
}

// countDropped counts a message that went nowhere, unless it came back.
func (ch *Channel) countDropped(mandatory bool) {
	if !mandatory {
		ch.did.dropped++
	}
}

// tally shows others what the reader has counted.
func (c *Connection) tally() {
	c.endPublishes()
	a := c.counted
	if a == nil || len(a.touched) == 0 {
		return
	}
	routed := c.routes.Tally()
	t := &a.totals
	c.out.mu.Lock()
	for i, ch := range a.touched {
		ch.tally(a)
		a.touched[i] = nil
	}
	if a.bytes > 0 || routed > 0 || t.Received > 0 {
		for class, n := range a.classes {
			t.Sizes.Classes[class] += n
		}
		t.Sizes.Sum += a.bytes
		t.Routed += routed
	}
	c.out.mu.Unlock()
	a.touched = a.touched[:0]
	clear(a.classes[:])
	a.bytes = 0
}

// tally shows others what the reader has counted of the channel; out.mu is held.
func (ch *Channel) tally(a *account) {
	d, s, t := &ch.did, &ch.stats, &a.totals
	if d.published+d.held > 0 {
		t.Received += d.published + d.held
		if ch.confirms || ch.tx != nil { // as RabbitMQ counts
			t.ReceivedConfirm += d.published + d.held
		}
		if !ch.mode.publisher && !ch.gone {
			ch.mode.publisher = true
			t.Publishers++
		}
	}
	a.published += d.published + d.committed
	s.Publish += d.published + d.committed
	s.DropUnroutable += d.dropped
	t.UnroutableDropped += d.dropped
	for kind, n := range d.acked {
		s.Ack += n
		t.Deliveries[kind].Ack += n
	}
	ch.mode.published = ch.published
	if ch.tx != nil {
		ch.mode.heldPublishes, ch.mode.heldSettles = len(ch.tx.publishes), len(ch.tx.settles)
	}
	*d = did{}
	ch.touched = false
}

// countConfirm counts publishes that are confirmed; out.mu is held.
func (ch *Channel) countConfirm(n uint64) {
	ch.stats.Confirm += n
	ch.conn.accounts().totals.Confirmed += n
}

// countReturn counts a message that came back; out.mu is held.
func (ch *Channel) countReturn() {
	ch.stats.ReturnUnroutable++
	ch.conn.accounts().totals.UnroutableReturned++
}

// countDelivered counts messages that go to the client; out.mu is held.
func (k *consumer) countDelivered(n uint64) {
	ch := k.channel
	var d broker.Deliveries
	d.Delivered(k.get, k.NoAck, n)
	ch.stats.Deliver += d.Deliver
	ch.stats.DeliverNoAck += d.DeliverNoAck
	ch.stats.Get += d.Get
	ch.stats.GetNoAck += d.GetNoAck
	ch.conn.accounts().totals.Deliveries[k.kind].Delivered(k.get, k.NoAck, n)
	if s := k.details(); s != nil {
		s.Deliver += d.Deliver
		s.DeliverNoAck += d.DeliverNoAck
		s.Get += d.Get
		s.GetNoAck += d.GetNoAck
	}
}

// countRedelivered counts one of the messages delivered that was delivered before; out.mu is held.
func (k *consumer) countRedelivered() {
	k.channel.stats.Redeliver++
	k.channel.conn.accounts().totals.Deliveries[k.kind].Redeliver++
	if s := k.details(); s != nil {
		s.Redeliver++
	}
}

// countEmpty counts a basic.get for which there was nothing; out.mu is held.
func (k *consumer) countEmpty() {
	k.channel.stats.GetEmpty++
	k.channel.conn.accounts().totals.Deliveries[k.kind].GetEmpty++
	if s := k.details(); s != nil {
		s.GetEmpty++
	}
}

// attempts count attempts to log in.
type attempts struct{ succeeded, failed atomic.Uint64 }

// count counts one that ended with err.
func (a *attempts) count(err error) {
	if err != nil {
		a.failed.Add(1)
	} else {
		a.succeeded.Add(1)
	}
}

func (a *attempts) logins() broker.Logins {
	l := broker.Logins{Succeeded: a.succeeded.Load(), Failed: a.failed.Load()}
	l.Attempts = l.Succeeded + l.Failed
	return l
}

// Totals returns what all connections of the door have counted, those that are gone included.
func (d *Door) Totals() broker.Totals {
	d.mu.Lock()
	defer d.mu.Unlock()
	sum := d.gone
	sum.Protocol = "amqp091"
	for c := range d.connections {
		c.addTo(&sum)
	}
	sum.Logins = d.options.attempts.logins()
	return sum
}

// addTo adds what the connection has counted.
func (c *Connection) addTo(sum *broker.Totals) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.account != nil {
		sum.Add(&c.account.totals)
	}
	if c.opened {
		sum.ConnectionsOpened++
	}
	sum.ChannelsOpened += c.channelsOpened
	sum.ChannelsClosed += c.channelsOpened - uint64(len(c.channels))
	sum.Consumers += len(c.consumers)
}
