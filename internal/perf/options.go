package perf

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// Limits of a run.
const (
	// ProducersMax bounds producers, and ConsumersMax consumers: each has a connection.
	ProducersMax = 10_000
	ConsumersMax = 10_000
	// ConfirmMax bounds the unconfirmed messages of a producer: 16 octets are kept of each.
	ConfirmMax = 1 << 20
	// QueuesMax bounds the range of a queue pattern.
	QueuesMax = 10_000
	// PatternsMax bounds Topology.Patterns: six digits number them.
	PatternsMax = 1_000_000
)

// Options says what to run. The zero value of each field is its default; only URI, and a count
// of producers or consumers, must be given.
type Options struct {
	// URI is the broker: amqp://user:password@host:port/vhost. With relay://host:port it is a
	// Relay, through which one producer and one auto-acking consumer can run.
	URI string
	// ID names the run in its lines and names its queues. Default: perf- and a random number.
	// Processes that produce and consume the same messages must share their ID.
	ID string
	// Time stops the producers after so long. 0 is no limit.
	Time time.Duration
	// Interval is the time between two samples. Default: one second.
	Interval time.Duration
	// DrainIdle is how long consumers go on without receiving anything once the producers have
	// stopped and messages are still missing. Default: five seconds.
	DrainIdle time.Duration
	// BrokerPIDs are the broker's processes on this machine; their children count too. CPU
	// time and memory of them are measured. Linux only.
	BrokerPIDs []int

	Topology  Topology
	Producers ProducerOptions
	Consumers ConsumerOptions

	// Dial opens connections. Default: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Progress is called with each sample, from the goroutine that called Run. Default: none.
	Progress func(Sample)
}

// Topology says what to declare and how producers reach queues. Producer number p uses queue
// number p modulo the number of queues; so do consumers, and if there are fewer consumers than
// queues, each consumes from several.
type Topology struct {
	// Exchange is where producers publish; "" is the default exchange.
	Exchange string
	// ExchangeType is its type, used to declare it unless it is "" or starts with "amq.".
	// Default: direct.
	ExchangeType string
	// RoutingKey is for messages and bindings. Default: the name of the queue, and without
	// named queues, the ID of the run.
	RoutingKey string
	// Queue is shared by all consumers. Default: an exclusive queue for each consumer.
	Queue string
	// QueuePattern names several queues, of the numbers QueueFrom to QueueTo; it is a format
	// with one %d. It excludes Queue.
	QueuePattern       string
	QueueFrom, QueueTo int
	// QueueArguments are for the declaration of queues.
	QueueArguments amqp.Table
	// KeepQueues declares queues without auto-delete.
	KeepQueues bool
	// Durable declares durable queues; so does ProducerOptions.Persistent.
	Durable bool
	// Patterns binds so many wildcard patterns, spread over the queues of a QueuePattern, to a
	// topic exchange; the messages of each producer take turns with keys that match exactly one
	// pattern each: so each message goes to one queue. PatternKeys bounds the number of keys;
	// 0: one for each pattern.
	Patterns, PatternKeys int
	// Predeclared declares and binds nothing: exchange and queue must exist.
	Predeclared bool
}

// ProducerOptions says how to produce.
type ProducerOptions struct {
	// Count is the number of producers, each with its connection.
	Count int
	// Size is the body's in bytes; the package comment says what a small body cannot carry.
	Size int
	// Confirm turns publisher confirms on and is the most messages of a producer that may be
	// unconfirmed. 0: no confirms.
	Confirm int
	// Persistent marks messages with delivery mode 2, and has queues declared durable.
	Persistent bool
	// Mandatory has unroutable messages returned.
	Mandatory bool
	// Rate is messages per second of each producer. 0 is as many as possible.
	Rate float64
	// Messages is how many each producer sends. 0 is no limit.
	Messages uint64
	// WriteBatch is the most messages in one write. Default: what fits into WriteSize; 1 is
	// what many client libraries do. Messages never wait for others to fill a write.
	WriteBatch int
}

// ConsumerOptions says how to consume.
type ConsumerOptions struct {
	// Count is the number of consumers, each with its connection.
	Count int
	// AutoAck consumes without acknowledgements.
	AutoAck bool
	// MultiAckEvery acknowledges every so many messages, up to the last, in one ack. Default:
	// one ack per read from the socket.
	MultiAckEvery int
	// Prefetch limits the unacknowledged messages of each consumer. 0 is no limit.
	Prefetch int
	// Rate is the most messages per second of each consumer. 0 is no limit.
	Rate float64
	// Messages is how many each consumer receives before it stops. 0 is no limit.
	Messages uint64
}

func (o Options) withDefaults() Options {
	if o.ID == "" {
		var random [4]byte
		rand.Read(random[:]) // never fails
		o.ID = "perf-" + hex.EncodeToString(random[:])
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.DrainIdle == 0 {
		o.DrainIdle = 5 * time.Second
	}
	if o.Topology.ExchangeType == "" {
		o.Topology.ExchangeType = "direct"
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Progress == nil {
		o.Progress = func(Sample) {}
	}
	return o
}

// Validate says what is wrong with the options, and nil if nothing is.
func (o Options) Validate() error {
	t, err := parseURI(o.URI)
	if err != nil {
		return err
	}
	if t.scheme == schemeRelay && !o.relayable() {
		err = errors.New("a relay takes one producer and one consumer with auto-ack, no confirms")
	}
	err = errors.Join(err, o.Topology.validate(), o.Producers.validate(), o.Consumers.validate())
	if o.Producers.Count+o.Consumers.Count == 0 {
		err = errors.Join(err, errors.New("neither producers nor consumers"))
	}
	if o.Time < 0 || o.Interval < 0 || o.DrainIdle < 0 {
		err = errors.Join(err, errors.New("a negative duration"))
	}
	if err != nil {
		return fmt.Errorf("perf: options: %w", err)
	}
	return nil
}

func (o Options) relayable() bool {
	return o.Producers.Count == 1 && o.Consumers.Count == 1 && o.Consumers.AutoAck &&
		o.Producers.Confirm == 0
}

func (t Topology) validate() error {
	err := errors.Join(within("patterns", t.Patterns, PatternsMax),
		within("keys of patterns", t.PatternKeys, PatternsMax))
	if t.Patterns > 0 && (t.ExchangeType != "topic" || t.Exchange == "" || t.QueuePattern == "") {
		err = errors.Join(err, errors.New("patterns need a topic exchange and a queue pattern"))
	}
	if t.QueuePattern == "" || err != nil {
		return err
	}
	switch n := t.QueueTo - t.QueueFrom + 1; {
	case t.Queue != "":
		return errors.New("both a queue and a queue pattern")
	case strings.Contains(fmt.Sprintf(t.QueuePattern, 1), "%!"): // how fmt complains
		return fmt.Errorf("the queue pattern %q needs one %%d", t.QueuePattern)
	case n < 1 || n > QueuesMax:
		return fmt.Errorf("a queue pattern for %d queues: want 1 to %d", n, QueuesMax)
	}
	return nil
}

func (p ProducerOptions) validate() error {
	return errors.Join(
		within("producers", p.Count, ProducersMax),
		within("size", p.Size, SizeMax),
		within("confirm", p.Confirm, ConfirmMax),
		within("messages per write", p.WriteBatch, WriteSize),
		notNegative("producer rate", p.Rate),
	)
}

func (c ConsumerOptions) validate() error {
	const prefetchMax = 1<<16 - 1 // a short on the wire
	err := errors.Join(
		within("consumers", c.Count, ConsumersMax),
		within("prefetch", c.Prefetch, prefetchMax),
		within("multi-ack-every", c.MultiAckEvery, 1<<30),
		notNegative("consumer rate", c.Rate),
	)
	if c.Prefetch > 0 && c.MultiAckEvery > c.Prefetch {
		err = errors.Join(err, fmt.Errorf("an ack every %d messages with a prefetch of %d"+
			" would wait forever", c.MultiAckEvery, c.Prefetch))
	}
	return err
}

func within(name string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s of %d: want 0 to %d", name, n, most)
	}
	return nil
}

func notNegative(name string, n float64) error {
	if n < 0 {
		return fmt.Errorf("%s of %g: want 0 or more", name, n)
	}
	return nil
}
