package amqp091

import (
	"net"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
)

// contentCame is called after every content header. While an alarm is on, it blocks the
// connection: nothing more is read of it, not even the body of this content.
func (c *Connection) contentCame() {
	if c.options.Broker.Publishing() != 0 {
		c.block()
	}
}

// block tells the client, if it can hear it, that it is blocked. RabbitMQ blocks at the same
// frame: a connection that does not publish goes on.
func (c *Connection) block() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	// Asked again under the lock: either alarmsChanged comes later, or the alarm has ended.
	alarms := c.options.Broker.Alarms()
	if alarms == 0 || c.closeSaid {
		return
	}
	c.blocked = true
	_ = c.sayBlocked(alarms) // it may have been told while the log was waited for
}

// sayBlocked tells the client that it is blocked, unless it knows; out.mu is held.
func (c *Connection) sayBlocked(by broker.Alarm) (said bool) {
	if c.blockedBy != 0 || c.closeSaid {
		return false
	}
	c.blockedBy, c.blockedSince = by, time.Now()
	if c.blockedNotify {
		c.out.end(amqp.AppendMethodFrame(c.out.begin(), 0,
			&amqp.ConnectionBlocked{Reason: by.Reason()}))
	}
	return true
}

// hold is what the reader waits for. It knows the connection, since the client may have to know.
type hold struct {
	broker.Hold
	conn *Connection
}

// Begin implements broker.Holder.
func (h *hold) Begin(w broker.Wait) {
	h.Hold.Begin(w)
	if w == broker.WaitLog {
		h.conn.answerBatch() // its batch has run, and what was confirmed does not wait
		h.conn.waitsForLog(true)
	}
}

// End implements broker.Holder.
func (h *hold) End() {
	h.Hold.End()
	h.conn.waitsForLog(false)
}

// waitsForLog notes whether the reader waits for the log with what was published.
func (c *Connection) waitsForLog(now bool) {
	c.out.mu.Lock()
	c.publishing = now
	c.out.mu.Unlock()
	if now {
		c.blockHeld()
	}
}

// blockHeld tells the client that it is blocked if it waits, for a confirm or for its next message
// to be read, and the store has no room for what it published before the alarm. It may never
// publish again before that is done, so the next content header is too late. It may be called from
// any goroutine.
func (c *Connection) blockHeld() {
	c.out.mu.Lock()
	// As in block; and either alarmsChanged sees that it waits, or whoever waits sees the alarm.
	alarms := c.options.Broker.Alarms()
	said := alarms&broker.StoreAlarm != 0 && (c.publishing || len(c.unconfirmed) > 0) &&
		c.sayBlocked(alarms)
	c.out.mu.Unlock()
	if said {
		c.out.flush()
	}
}

// unblock lets the reader go on. It may be called from any goroutine.
func (c *Connection) unblock() {
	c.out.mu.Lock()
	was := c.blockedBy
	if c.blockedBy = 0; was != 0 {
		if c.blockedNotify {
			c.out.end(amqp.AppendMethodFrame(c.out.begin(), 0, &amqp.ConnectionUnblocked{}))
		}
		c.out.room.Broadcast()
	}
	c.out.mu.Unlock()
	if was != 0 {
		c.out.flush()
	}
}

// awaitUnblock is where the reader of a blocked connection waits. It gives back what it does
// not need meanwhile. A client that the node sends away is heard no more but for its answer to
// that.
func (c *Connection) awaitUnblock() error {
	c.in.park()
	c.out.mu.Lock()
	for c.blockedBy != 0 && !c.out.closed && !c.forced.Load() {
		c.out.room.Wait()
	}
	c.blockedBy = 0
	closed := c.out.closed
	c.out.mu.Unlock()
	c.blocked = false
	c.busy()
	switch {
	case closed:
		return net.ErrClosed
	case c.forced.Load():
		c.leave()
		c.become(closing)
	}
	return nil
}

// alarmsChanged lets connections go on when no alarm is left. Those that publish during one
// notice by themselves, unless what they published before waits for it.
func (d *Door) alarmsChanged(on broker.Alarm) {
	for _, c := range d.list() {
		switch {
		case on == 0:
			c.unblock()
		case on&broker.StoreAlarm != 0:
			c.blockHeld()
		}
	}
}

// list returns the connections there are.
func (d *Door) list() []*Connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]*Connection, 0, len(d.connections))
	for c := range d.connections {
		list = append(list, c)
	}
	return list
}
