package amqp091

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// become is how the connection comes further; those who look on see it, too.
func (c *Connection) become(s state) {
	c.state = s
	c.shown.Store(uint32(s))
}

// Connections returns what may be shown of the connections there are, in the order of their
// names. It holds up none of them.
func (d *Door) Connections() []broker.Connection {
	now := time.Now()
	list := d.list()
	shown := make([]broker.Connection, len(list))
	for i, c := range list {
		shown[i] = c.show(now)
	}
	broker.SortConnections(shown)
	return shown
}

// showSelf returns who the connection is. What a client has said of itself is shown when it has
// opened its vhost; from then on it does not change.
func (c *Connection) showSelf() broker.Connection {
	local, remote := c.conn.LocalAddr(), c.conn.RemoteAddr()
	shown := broker.Connection{
		ID: c.id, Name: remote.String() + " -> " + local.String(), Protocol: "AMQP 0-9-1",
		ConnectedAt: c.connectedAt, Close: c.evict,
	}
	shown.PeerHost, shown.PeerPort = hostAndPort(remote)
	shown.Host, shown.Port = hostAndPort(local)
	if s := state(c.shown.Load()); s >= running && s != ended {
		shown.User, shown.VHost, shown.Owner = c.user, c.vhost, c.owner
		shown.ClientProperties, shown.Mechanism = c.properties, c.mechanism
		shown.ChannelMax, shown.FrameMax = int(c.channelMax), int(c.frameMax)
		shown.TLS = c.tls
	}
	return shown
}

// show returns a moment of the connection.
func (c *Connection) show(now time.Time) broker.Connection {
	shown := c.showSelf()
	c.clock.mu.Lock()
	shown.Heartbeat = c.clock.interval
	c.clock.mu.Unlock()
	c.out.mu.Lock()
	shown.Channels = len(c.channels)
	if a := c.account; a != nil {
		shown.Stats = a.totals.Messages()
		shown.Stats.Publish = a.published
	}
	c.out.mu.Unlock()
	shown.Received, shown.Reads = c.in.bytes.Load(), c.in.reads.Load()
	shown.Sent, shown.Writes = c.out.sent.Load(), c.out.writes.Load()
	shown.Pending = int(c.out.pending.Load())
	s := state(c.shown.Load())
	if s != running {
		shown.Flow = broker.Flow{State: handshakeStates[s]}
		return shown
	}
	shown.Flow = c.flow(now)
	return shown
}

// handshakeStates is how RabbitMQ calls the states that are not running.
var handshakeStates = [...]broker.FlowState{
	awaitHeader: "pre_init", awaitStartOk: "starting", awaitTuneOk: "tuning",
	awaitOpen: "opening", closing: "closing", ended: "closed",
}

// flow returns what holds an open connection: an alarm before anything else.
func (c *Connection) flow(now time.Time) broker.Flow {
	c.out.mu.Lock()
	by, since := c.blockedBy, c.blockedSince
	c.out.mu.Unlock()
	if by != 0 {
		return broker.Flow{State: broker.FlowBlocked, Reason: by.Reason(), Since: since}
	}
	if on := c.options.Broker.Alarms(); on != 0 {
		return broker.Flow{State: broker.FlowBlocking, Reason: on.Reason()}
	}
	return c.hold.Flow(now)
}

func hostAndPort(a net.Addr) (host string, port int) {
	host, number, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String(), 0
	}
	host, _, _ = strings.Cut(host, "%") // the zone of an IPv6 address
	port, _ = strconv.Atoi(number)
	return host, port
}
