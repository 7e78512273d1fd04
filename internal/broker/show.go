package broker

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// MessageStats count what happened to messages, in RabbitMQ's words. None ever goes back. What a
// connection, a channel, a queue, an exchange or the node does not count is 0.
type MessageStats struct {
	// Publish counts messages published; Confirm those that were confirmed, ReturnUnroutable and
	// DropUnroutable those that went to no queue and were mandatory, or not.
	Publish, Confirm, ReturnUnroutable, DropUnroutable uint64
	// PublishIn and PublishOut are of exchanges: messages published to them, and routed by them to
	// queues, one for each queue.
	PublishIn, PublishOut uint64
	// Deliver and Get count messages given to consumers and for basic.get that want an
	// acknowledgement, DeliverNoAck and GetNoAck the others, GetEmpty what found nothing.
	Deliver, DeliverNoAck, Get, GetNoAck, GetEmpty uint64
	// Redeliver counts those of the deliveries that were delivered before; Ack acknowledgements.
	Redeliver, Ack uint64
}

// DeliverGet is RabbitMQ's deliver_get: all messages that were given to clients.
func (s *MessageStats) DeliverGet() uint64 {
	return s.Deliver + s.DeliverNoAck + s.Get + s.GetNoAck
}

// Connection is a moment of a connection, as a door shows it.
type Connection struct {
	// ID is unique as long as the node runs, among channels, too; see PID.
	ID uint64
	// Name is how RabbitMQ calls it: "127.0.0.1:4711 -> 127.0.0.1:5672".
	Name           string
	PeerHost, Host string
	PeerPort, Port int
	// User and VHost are empty before the vhost is open. Owner is whom its exclusive queues
	// belong to, see definition.Queue.
	User, VHost string
	Owner       uint64
	Protocol    string
	ConnectedAt time.Time
	// Flow says what holds it. During the handshake and at the end its state is RabbitMQ's name
	// for that, such as "opening" or "closing".
	Flow Flow
	// ClientProperties are what the client says of itself.
	ClientProperties amqp.Table
	// Mechanism is the SASL mechanism of the login.
	Mechanism string
	// TLS says how the connection is encrypted; nil: it is not.
	TLS *TLSState
	// Channels counts the open ones; ChannelMax, FrameMax (bytes) and Heartbeat were agreed.
	Channels, ChannelMax, FrameMax int
	Heartbeat                      time.Duration
	// Received and Sent count bytes; Reads and Writes system calls; Pending is what waits to be
	// written, in bytes.
	Received, Sent, Reads, Writes uint64
	Pending                       int
	// Stats sum up what its channels did, those that are closed included.
	Stats MessageStats
	// Close ends the connection with CONNECTION_FORCED and this reason. It does not wait.
	Close func(reason string)
}

// TLSState says how a connection is encrypted.
type TLSState struct {
	// Version is as RabbitMQ writes it, such as "tlsv1.3"; Cipher the name of the suite.
	Version, Cipher string
	// PeerSubject, PeerIssuer and PeerValidity are of the client's certificate, if it has one.
	PeerSubject, PeerIssuer, PeerValidity string
}

// Channel is a moment of a channel.
type Channel struct {
	// ID is unique as long as the node runs, among connections, too.
	ID uint64
	// Number is that of AMQP, unique in its connection.
	Number int
	// Connection is the name of its connection, ConnectionID the number of that.
	Connection   string
	ConnectionID uint64
	User, VHost  string
	PeerHost     string
	PeerPort     int
	// Transactional and Confirm are its mode.
	Transactional, Confirm bool
	Consumers              int
	// Unacked counts messages delivered and not settled, Unconfirmed those published and not
	// confirmed yet, UncommittedMessages and UncommittedAcks what an open transaction has.
	Unacked, Unconfirmed, UncommittedMessages, UncommittedAcks int
	// Prefetch is what a new consumer may have unacknowledged, GlobalPrefetch all of the channel
	// together; 0 is no limit.
	Prefetch, GlobalPrefetch int
	Flow                     Flow
	// IdleSince is when the channel did something last, to some seconds; zero: it is busy.
	IdleSince time.Time
	Stats     MessageStats
	// Publishes are the stats by exchange, Deliveries by queue, as far as a door keeps them.
	Publishes, Deliveries []NamedStats
}

// NamedStats are the stats of a channel with one exchange or queue.
type NamedStats struct {
	Name  string
	Stats MessageStats
}

// Name is how RabbitMQ calls the channel: "127.0.0.1:4711 -> 127.0.0.1:5672 (1)".
func (c *Channel) Name() string { return c.Connection + " (" + strconv.Itoa(c.Number) + ")" }

// Subscription is a moment of a consumer.
type Subscription struct {
	Queue, VHost string
	Tag          string
	// Connection, ConnectionID and Channel say whose it is.
	Connection   string
	ConnectionID uint64
	Channel      int
	ChannelID    uint64
	User         string
	PeerHost     string
	PeerPort     int
	// Exclusive consumers are alone on their queue; AckRequired ones acknowledge.
	Exclusive, AckRequired bool
	Prefetch               int
	// Active consumers may get messages; Activity is RabbitMQ's word for why: "up",
	// "single_active", "waiting".
	Active    bool
	Activity  string
	Arguments amqp.Table
}

// PID returns how RabbitMQ's tools call the connection or channel of that ID on a node. It stands
// for it as long as the node runs.
func PID(node string, id uint64) string {
	return "<" + node + ".1." + strconv.FormatUint(id, 10) + ".0>"
}

// SortConnections puts connections into the order of their names.
func SortConnections(list []Connection) {
	slices.SortFunc(list, func(a, b Connection) int { return strings.Compare(a.Name, b.Name) })
}
