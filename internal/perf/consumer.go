package perf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// consumer receives on its connection; everything but stop belongs to the goroutine of run.
type consumer struct {
	conn    *conn
	clock   clock
	options ConsumerOptions
	subs    []subscription  // by consumer tag
	nats    *natsDeliveries // nil: AMQP
	home    stamp           // what bodies too small to say are taken for
	stop    chan struct{}
	pacer   pacer

	held     *queueLog // whose lock is held
	current  delivery
	runSent  int64 // latency run: so many messages were sent at the same time
	runCount int64
	received uint64
	unacked  int // since the last ack
	ackTag   uint64
	out      []byte // acks to write after the batch
}

// delivery is the message being parsed.
type delivery struct {
	sub         *subscription
	redelivered bool
	tag         uint64
	size        uint64
	remaining   uint64 // octets of the body not seen yet
	stamp       stamp
}

// newConsumer connects consumer number n, declares the queues it owns and subscribes.
func newConsumer(ctx context.Context, o Options, t target, p plan, n int, logs []*queueLog) (
	*consumer, error,
) {
	conn, err := dial(ctx, o.Dial, t, ReadSize)
	if err != nil {
		return nil, err
	}
	c := &consumer{conn: conn, options: o.Consumers, stop: make(chan struct{})}
	c.home.run = runOf(o.ID)
	for _, q := range p.consumed[n] {
		c.subs = append(c.subs, subscription{log: logs[q%len(logs)]})
	}
	if conn.bare {
		return c, nil
	}
	if err := conn.dialect.subscribe(c, o, p, n); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// consumerTag names subscription n of a consumer.
func consumerTag(n int) string { return strconv.Itoa(n) }

// subscribe implements dialect.
func (amqpDialect) subscribe(c *consumer, o Options, p plan, n int) error {
	for _, q := range p.queues {
		if q.owner == n {
			if err := p.declareQueue(c.conn, o, q); err != nil {
				return err
			}
		}
	}
	if prefetch := o.Consumers.Prefetch; prefetch > 0 {
		qos := &amqp.BasicQos{PrefetchCount: uint16(prefetch)}
		if _, err := c.conn.declare(qos, amqp.MethodBasicQosOk); err != nil {
			return err
		}
	}
	return c.consume(o, p, n)
}

func (c *consumer) consume(o Options, p plan, n int) error {
	var rest []byte
	for i, q := range p.consumed[n] {
		consume := &amqp.BasicConsume{
			Queue: p.queues[q].name, ConsumerTag: consumerTag(i), NoAck: o.Consumers.AutoAck,
		}
		if i > 0 {
			rest = amqp.AppendMethodFrame(rest, channelID, consume)
			continue
		}
		if _, err := c.conn.declare(consume, amqp.MethodBasicConsumeOk); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	// After the first, deliveries may come before answers: run skips those.
	if _, err := c.conn.Write(rest); err != nil {
		return fmt.Errorf("perf: basic.consume: %w", err)
	}
	return nil
}

// start sets the clock and the schedule.
func (c *consumer) start(now clock) {
	c.clock = now
	c.pacer = pacer{rate: c.options.Rate, start: now.now()}
}

// halt makes run return, with nothing lost of what it has read.
func (c *consumer) halt() {
	close(c.stop)
	_ = c.conn.SetReadDeadline(past)
}

// run receives until its limit is reached or halt is called.
func (c *consumer) run() error {
	for {
		if err := c.batch(c.clock.now()); err != nil {
			return fmt.Errorf("perf: consume: %w", err)
		}
		if err := c.settle(c.full()); err != nil {
			return err
		}
		if c.full() {
			_ = c.conn.hangUp() // nobody reads here any more: the broker must know
			return nil
		}
		err := c.conn.fill()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return c.settle(true)
		}
		if err != nil {
			return fmt.Errorf("perf: consume: %w", err)
		}
	}
}

func (c *consumer) full() bool {
	return c.options.Messages > 0 && c.received >= c.options.Messages
}

// settle acknowledges what the last batch brought, after the pause that a rate demands; at the
// end of run, whatever is left.
func (c *consumer) settle(last bool) error {
	if c.options.Rate > 0 && c.received > 0 {
		c.pause()
	}
	if c.unacked > 0 && (c.options.MultiAckEvery == 0 || last) {
		c.out = amqp.AppendBasicAck(c.out, channelID, c.ackTag, true)
		c.unacked = 0
	}
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		return fmt.Errorf("perf: acknowledge: %w", err)
	}
	return nil
}

// pause waits until the last message received was due.
func (c *consumer) pause() {
	_, wait := c.pacer.due(c.clock.now(), c.received-1)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.stop:
	}
}

// batch parses what is in the buffer. Messages count as received at now.
func (c *consumer) batch(now int64) error {
	defer c.release(now)
	if c.nats != nil {
		return c.nats.take(c, now)
	}
	for !c.full() {
		f, ok, err := c.conn.buffered()
		if !ok || err != nil {
			return err
		}
		switch f.Type {
		case amqp.FrameMethod:
			err = c.method(f.Payload)
		case amqp.FrameHeader:
			err = c.header(f.Payload, now)
		case amqp.FrameBody:
			err = c.body(f.Payload, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errMalformed = errors.New("the broker sent a malformed delivery")

// method takes basic.deliver apart by hand: this is the hot path.
func (c *consumer) method(payload []byte) error {
	if len(payload) < amqp.MethodIDSize {
		return errMalformed
	}
	id := amqp.MethodID(binary.BigEndian.Uint32(payload))
	if id != amqp.MethodBasicDeliver {
		return c.otherMethod(id, payload)
	}
	if len(payload) < 5 || len(payload) < 5+int(payload[4])+9 {
		return errMalformed
	}
	at := 5 + int(payload[4])
	c.current.sub = &c.subs[0]
	if len(c.subs) > 1 {
		n, err := strconv.Atoi(string(payload[5:at]))
		if err != nil || n < 0 || n >= len(c.subs) {
			return errMalformed
		}
		c.current.sub = &c.subs[n]
	}
	c.current.tag = binary.BigEndian.Uint64(payload[at:])
	c.current.redelivered = payload[at+8]&1 != 0
	return nil
}

func (c *consumer) otherMethod(id amqp.MethodID, payload []byte) error {
	if id == amqp.MethodBasicCancel {
		return errors.New("the broker cancelled the consumer: is the queue gone?")
	}
	return closeError(id, payload)
}

func (c *consumer) header(payload []byte, now int64) error {
	if len(payload) < 12 || c.current.sub == nil {
		return errMalformed
	}
	c.current.size = binary.BigEndian.Uint64(payload[4:])
	c.current.remaining = c.current.size
	c.current.stamp = c.home
	if c.current.size == 0 {
		c.complete(now)
	}
	return nil
}

func (c *consumer) body(payload []byte, now int64) error {
	d := &c.current
	if uint64(len(payload)) > d.remaining {
		return errMalformed
	}
	if d.remaining == d.size { // the first frame: a stamp fits into it
		d.stamp = parseStamp(payload, c.home)
	}
	d.remaining -= uint64(len(payload))
	if d.remaining == 0 {
		c.complete(now)
	}
	return nil
}

// complete counts a message that has arrived as a whole.
func (c *consumer) complete(now int64) {
	d := &c.current
	log := d.sub.log
	if log != c.held {
		c.release(now)
		log.mu.Lock()
		c.held = log
	}
	c.received++
	if log.note(d.sub, d.stamp, int(d.size), d.redelivered) && d.stamp.sent != 0 {
		if d.stamp.sent != c.runSent {
			c.recordRun(now)
			c.runSent = d.stamp.sent
		}
		c.runCount++
	}
	if c.options.AutoAck || c.nats != nil {
		return
	}
	c.ackTag = d.tag
	c.unacked++
	if c.unacked == c.options.MultiAckEvery {
		c.out = amqp.AppendBasicAck(c.out, channelID, d.tag, c.unacked > 1)
		c.unacked = 0
	}
}

// recordRun records the latency of messages that were sent in the same write, and so share
// their time.
func (c *consumer) recordRun(now int64) {
	c.held.latency.record(now-c.runSent, c.runCount)
	c.runCount = 0
}

// release ends the use of a queue's log.
func (c *consumer) release(now int64) {
	if c.held == nil {
		return
	}
	c.recordRun(now)
	c.held.last = now
	c.held.mu.Unlock()
	c.held = nil
}
