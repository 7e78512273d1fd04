package perf

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

// fakeBroker is as much of a broker as a run needs, over in-memory connections: it routes by
// routing key, delivers at once, and confirms at once. The hooks make it a bad one.
type fakeBroker struct {
	// deliver returns what the broker gives out in place of message number n of a queue.
	deliver func(n int, body []byte) []fakeDelivery
	// confirm takes a published message and says what to send to the producer. Default: ack.
	confirm func(c *fakeConn, tag uint64)
	// refuse names a method that is answered with a close of the channel.
	refuse amqp.MethodID
	// unroutable has every message returned.
	unroutable bool
	// deaf makes the broker stop reading after so many publishes of a connection.
	deaf int

	mu     sync.Mutex
	bound  map[string][]*fakeQueue // by routing key
	queues map[string]*fakeQueue
	conns  sync.WaitGroup
	acked  uint64
	seen   []amqp.MethodID // everything but the hot path
	quit   chan struct{}
}

type fakeDelivery struct {
	body        []byte
	redelivered bool
}

type fakeQueue struct {
	mu        sync.Mutex
	count     int
	next      int
	consumers []*fakeConsumer
	backlog   [][]byte
}

type fakeConsumer struct {
	conn *fakeConn
	tag  string
	last uint64
}

// fakeConn is the broker's end of a connection. Like a socket, and unlike a pipe, it takes what
// is written before the other end reads it: queues write while they are locked.
type fakeConn struct {
	net.Conn
	mu        sync.Mutex // guards out and ended
	more      sync.Cond
	out       []byte
	ended     bool
	broker    *fakeBroker
	buf       []byte
	confirms  bool
	published uint64
	key       string // of the message being received
	body      []byte
	want      uint64
	size      uint64
}

// newFakeBroker returns a broker that ends with the test, and its Dial function.
func newFakeBroker(t *testing.T) *fakeBroker {
	t.Helper()
	b := &fakeBroker{
		bound: make(map[string][]*fakeQueue), queues: make(map[string]*fakeQueue),
		quit: make(chan struct{}),
	}
	t.Cleanup(func() {
		close(b.quit)
		b.conns.Wait()
	})
	return b
}

func (b *fakeBroker) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	b.conns.Go(func() { b.serve(server) })
	return client, nil
}

// serve speaks with the client behind conn until it hangs up.
func (b *fakeBroker) serve(conn net.Conn) {
	c := &fakeConn{Conn: conn, broker: b}
	c.more.L = &c.mu
	var writing sync.WaitGroup
	writing.Go(c.writeAll)
	c.serve()
	c.end()
	writing.Wait()
}

// serve ends when the client hangs up.
func (c *fakeConn) serve() {
	in := make([]byte, 256<<10)
	used, header := 0, false
	for {
		n, err := c.Read(in[used:])
		if err != nil {
			return
		}
		used += n
		if !header {
			if used < len(amqp.ProtocolHeader) {
				continue
			}
			header = true
			used = copy(in, in[len(amqp.ProtocolHeader):used])
			c.send(0, &amqp.ConnectionStart{VersionMinor: 9, Mechanisms: "PLAIN", Locales: "en_US"})
		}
		at := 0
		for {
			f, n, err := amqp.ParseFrame(in[at:used], 0)
			if err != nil {
				return
			}
			if n == 0 {
				break
			}
			at += n
			if c.frame(f) != nil {
				return
			}
		}
		used = copy(in, in[at:used])
	}
}

func (c *fakeConn) send(channel uint16, m amqp.Method) {
	c.write(amqp.AppendMethodFrame(nil, channel, m))
}

func (c *fakeConn) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, b...)
	c.more.Signal()
}

// end lets writeAll write what is left and hang up.
func (c *fakeConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.more.Signal()
}

// writeAll writes to the client whatever there is, until the end.
func (c *fakeConn) writeAll() {
	defer c.Close()
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.ended {
			c.more.Wait()
		}
		b := c.out
		c.out = nil
		c.mu.Unlock()
		if len(b) == 0 {
			return
		}
		if _, err := c.Write(b); err != nil {
			return // the client is gone
		}
	}
}

var errFakeClosed = errors.New("closed")

func (c *fakeConn) frame(f amqp.Frame) error {
	switch f.Type {
	case amqp.FrameMethod:
		m, err := amqp.ParseMethod(f.Payload)
		if err != nil {
			return err
		}
		return c.method(m)
	case amqp.FrameHeader:
		c.size = binary.BigEndian.Uint64(f.Payload[4:])
		c.want, c.body = c.size, nil
	case amqp.FrameBody:
		c.body = append(c.body, f.Payload...)
		c.want -= uint64(len(f.Payload))
	}
	if c.want == 0 {
		return c.publish()
	}
	return nil
}

func (c *fakeConn) method(m amqp.Method) error {
	b := c.broker
	if b.refuse == m.ID() {
		c.send(channelID, &amqp.ChannelClose{ReplyCode: amqp.NotFound, ReplyText: "NOT_FOUND - no"})
		return nil
	}
	switch m := m.(type) {
	case *amqp.BasicPublish:
		c.key = m.RoutingKey
		return nil
	case *amqp.BasicAck:
		b.mu.Lock()
		b.acked++
		b.mu.Unlock()
		return nil
	case *amqp.ConnectionClose:
		c.send(0, &amqp.ConnectionCloseOk{})
		return errFakeClosed
	}
	b.mu.Lock()
	b.seen = append(b.seen, m.ID())
	b.mu.Unlock()
	c.declare(m)
	return nil
}

func (c *fakeConn) declare(m amqp.Method) {
	b := c.broker
	switch m := m.(type) {
	case *amqp.ConnectionStartOk:
		c.send(0, &amqp.ConnectionTune{ChannelMax: 2047, FrameMax: 8192, Heartbeat: 60})
	case *amqp.ConnectionOpen:
		c.send(0, &amqp.ConnectionOpenOk{})
	case *amqp.ChannelOpen:
		c.send(channelID, &amqp.ChannelOpenOk{})
	case *amqp.ChannelClose:
		c.send(channelID, &amqp.ChannelCloseOk{})
	case *amqp.ConfirmSelect:
		c.confirms = true
		c.send(channelID, &amqp.ConfirmSelectOk{})
	case *amqp.ExchangeDeclare:
		c.send(channelID, &amqp.ExchangeDeclareOk{})
	case *amqp.QueueDeclare:
		b.queue(m.Queue)
		c.send(channelID, &amqp.QueueDeclareOk{Queue: m.Queue})
	case *amqp.QueueBind:
		b.mu.Lock()
		b.bound[m.RoutingKey] = append(b.bound[m.RoutingKey], b.queues[m.Queue])
		b.mu.Unlock()
		c.send(channelID, &amqp.QueueBindOk{})
	case *amqp.BasicQos:
		c.send(channelID, &amqp.BasicQosOk{})
	case *amqp.BasicConsume:
		c.send(channelID, &amqp.BasicConsumeOk{ConsumerTag: m.ConsumerTag})
		b.queue(m.Queue).subscribe(&fakeConsumer{conn: c, tag: m.ConsumerTag})
	}
}

func (b *fakeBroker) queue(name string) *fakeQueue {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues[name] == nil {
		b.queues[name] = &fakeQueue{}
	}
	return b.queues[name]
}

func (q *fakeQueue) subscribe(c *fakeConsumer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.consumers = append(q.consumers, c)
	for _, body := range q.backlog {
		c.give(fakeDelivery{body: body})
	}
	q.backlog = nil
}

// publish routes the message that is complete.
func (c *fakeConn) publish() error {
	b := c.broker
	c.published++
	if b.deaf > 0 && c.published > uint64(b.deaf) {
		<-b.quit
		return errFakeClosed
	}
	b.mu.Lock()
	queues := b.bound[c.key]
	b.mu.Unlock()
	if b.unroutable {
		out := amqp.AppendMethodFrame(nil, channelID, &amqp.BasicReturn{
			ReplyCode: amqp.NoRoute, ReplyText: "NO_ROUTE", RoutingKey: c.key,
		})
		c.write(amqp.AppendContent(out, channelID, nil, c.body, 8192))
		queues = nil
	}
	for _, q := range queues {
		q.add(b, c.body)
	}
	switch {
	case !c.confirms:
	case b.confirm != nil:
		b.confirm(c, c.published)
	default:
		c.write(amqp.AppendBasicAck(nil, channelID, c.published, false))
	}
	return nil
}

func (q *fakeQueue) add(b *fakeBroker, body []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.consumers) == 0 {
		q.backlog = append(q.backlog, body)
		return
	}
	given := []fakeDelivery{{body: body}}
	if b.deliver != nil {
		given = b.deliver(q.count, body)
	}
	q.count++
	for _, d := range given {
		q.consumers[q.next%len(q.consumers)].give(d)
		q.next++
	}
}

func (c *fakeConsumer) give(d fakeDelivery) {
	c.last++
	out := amqp.AppendBasicDeliver(nil, channelID, c.tag, c.last, d.redelivered, nil, nil)
	c.conn.write(amqp.AppendContent(out, channelID, nil, d.body, 8192))
}
