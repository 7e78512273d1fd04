package amqp091

import (
	"log/slog"
	"sync"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/seldom"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/wheel"
)

// Options says how connections are served. The zero value of a field means its default.
type Options struct {
	// Broker is the queue manager. Required.
	Broker *broker.Manager
	// Logger takes a line for each connection that logs in, is refused or breaks. Required.
	Logger *slog.Logger
	// FrameMax is the largest frame the server offers, in bytes; default 131072, at most half
	// a MiB.
	FrameMax uint32
	// ChannelMax is the highest channel number the server offers; default 2047.
	ChannelMax uint16
	// Heartbeat is the interval the server offers; default 60 seconds.
	Heartbeat time.Duration
	// HandshakeTimeout is how long a client may take from connecting to having opened its
	// vhost; default 10 seconds.
	HandshakeTimeout time.Duration
	// MessageMax is the largest body a message may have, in bytes; default 134217728, at most
	// MessageMaxLimit.
	MessageMax uint64
	// Timers are the timers of the node; default: some of its own. The caller closes them, after
	// the last connection.
	Timers *wheel.Timers
	// DetailedStats has channels keep stats with each exchange and queue, which costs time for each
	// message.
	DetailedStats bool
	// ClusterName is what the server calls itself in its properties.
	ClusterName string
	// Version is the version the server reports in its properties.
	Version string

	// Mechanisms are the SASL mechanisms offered, in this order; nil means Mechanisms().
	Mechanisms []string
	// CertificateLogin says which part of a certificate is the user, for EXTERNAL.
	CertificateLogin auth.CertificateLogin

	// greeting is connection.start, the same for all; the other is for those whose certificate
	// was verified.
	greeting, greetingCertified []byte

	// log bounds what clients bring about to be said.
	log *seldom.Log

	logins   *logins
	attempts *attempts
}

// MessageMaxLimit is the largest MessageMax: what the log takes, less room for a message's names
// and properties, which come in one frame.
const MessageMaxLimit = store.MessageBytesMax - 1<<20

// frameMaxLimit is the largest FrameMax.
const frameMaxLimit = 512 << 10

// frameMaxBeforeLogin is the largest frame taken from a client that has not logged in.
const frameMaxBeforeLogin = 8 << 10

// closeTimeout bounds the wait for close-ok, and for the last bytes to be written.
const closeTimeout = 5 * time.Second

func (o Options) withDefaults() Options {
	if o.FrameMax == 0 {
		o.FrameMax = 131072
	}
	if o.ChannelMax == 0 {
		o.ChannelMax = 2047
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 60 * time.Second
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 10 * time.Second
	}
	if o.MessageMax == 0 {
		o.MessageMax = 134217728
	}
	if o.Mechanisms == nil {
		o.Mechanisms = Mechanisms()
	}
	if o.Timers == nil {
		o.Timers = wheel.NewTimers()
	}
	o.MessageMax = min(o.MessageMax, MessageMaxLimit)
	o.FrameMax = min(o.FrameMax, frameMaxLimit)
	return o
}

// Door serves AMQP 0-9-1 connections. It is safe for concurrent use.
type Door struct {
	options Options

	mu          sync.Mutex
	connections map[*Connection]struct{}
	gone        broker.Totals // of connections that are no more
}

// NewDoor returns a door with these options. It lasts as long as the broker.
func NewDoor(o Options) *Door {
	d := &Door{options: o.withDefaults(), connections: make(map[*Connection]struct{})}
	d.options.logins, d.options.attempts = new(logins), new(attempts)
	d.options.log = new(seldom.Log)
	d.options.greeting = d.options.greet(false)
	d.options.greetingCertified = d.options.greet(true)
	o.Broker.CountProtocol(d.Totals)
	o.Broker.WatchAlarms(d.alarmsChanged)
	return d
}

func (d *Door) enter(c *Connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.connections[c] = struct{}{}
}

func (d *Door) leave(c *Connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.connections, c)
	c.addTo(&d.gone)
	if c.opened {
		d.gone.ConnectionsClosed++
	}
}

// Shutdown closes every connection with CONNECTION_FORCED. Clients have closeTimeout to answer;
// Shutdown does not wait for them.
func (d *Door) Shutdown() {
	d.options.logins.giveUp()
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.connections {
		c.force("broker forced connection closure with reason 'shutdown'")
	}
}

// force tells the client that its connection ends, and lets the reader run out. It may be
// called from any goroutine.
func (c *Connection) force(reason string) {
	c.forced.Store(true)
	e := amqp.NewError(amqp.ConnectionForced, "%s", reason)
	c.sayLast(&amqp.ConnectionClose{ReplyCode: e.Code, ReplyText: e.Text})
	c.out.flush()
	_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.room.Broadcast()
}
