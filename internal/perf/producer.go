package perf

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// confirmPoll is how often a producer that has sent all looks whether all is confirmed.
const confirmPoll = 2 * time.Millisecond

// producer publishes on its connection: run in one goroutine, listen in another.
type producer struct {
	conn      *conn
	clock     clock
	options   ProducerOptions
	speech    speech
	template  *template
	window    *window       // nil: no confirms
	pacer     pacer         // used when there is a rate
	stop      chan struct{} // closed to end run
	heard     chan struct{} // closed when listen ends
	heardErr  error         // why, if it ended badly; to be read when heard is closed
	timer     *time.Timer
	drainIdle time.Duration

	sent     atomic.Uint64
	returned atomic.Uint64
	blocked  atomic.Bool  // the broker said connection.blocked
	lag      atomic.Int64 // the longest delay behind the schedule of a rate, nanoseconds
}

// newProducer connects producer number n. It reads nothing before start.
func newProducer(ctx context.Context, o Options, t target, p plan, n int, origin stamp) (
	*producer, error,
) {
	bufSize := controlSize
	if o.Producers.Mandatory {
		bufSize = ReadSize // messages may come back
	}
	c, err := dial(ctx, o.Dial, t, bufSize)
	if err != nil {
		return nil, err
	}
	pr := &producer{
		conn: c, options: o.Producers, drainIdle: o.DrainIdle,
		stop: make(chan struct{}), heard: make(chan struct{}),
	}
	origin.producer = uint16(n)
	if o.Producers.Confirm > 0 {
		pr.window = newWindow(o.Producers.Confirm)
	}
	if pr.speech, err = c.dialect.produce(pr, o, p, n, origin); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return pr, nil
}

// produce implements dialect.
func (amqpDialect) produce(pr *producer, o Options, p plan, n int, origin stamp) (speech, error) {
	c := pr.conn
	var methods [][]byte
	for _, key := range p.keysOf(n) {
		method := amqp.AppendBasicPublish(nil, channelID, p.exchange, key,
			o.Producers.Mandatory, false)
		if c.bare { // a relay gives out what it takes: send what a consumer expects
			method = amqp.AppendBasicDeliver(nil, channelID, consumerTag(0), 0, false,
				[]byte(p.exchange), []byte(key))
		}
		methods = append(methods, method)
	}
	pr.template = newTemplates(methods, o.Producers, origin, c.frameMax)
	if pr.window != nil {
		_, err := c.declare(&amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
		return amqpSpeech{pr}, err
	}
	return amqpSpeech{pr}, nil
}

// amqpSpeech is what a producer and an AMQP broker say to each other but for messages.
type amqpSpeech struct{ *producer }

// start sets the clock and the schedule; producers of a rate start evenly apart.
func (p *producer) start(c clock, offset time.Duration) {
	p.clock = c
	p.pacer = pacer{rate: p.options.Rate, start: c.now() + int64(offset)}
	p.timer = time.NewTimer(0)
}

// halt makes run stop publishing. It is called once.
func (p *producer) halt() {
	close(p.stop)
	if p.window != nil {
		p.window.close()
	}
}

// run publishes until the limit is reached or halt is called, then waits until the broker has
// taken everything.
func (p *producer) run() error {
	defer p.timer.Stop()
	if p.conn.bare {
		return p.publish()
	}
	go p.listen() // ends before run does: finish waits for it
	err := p.publish()
	if err == nil {
		err = p.finish()
	}
	if err != nil { // listen follows, if it has not gone before
		_ = p.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	}
	<-p.heard
	if p.heardErr != nil {
		return p.heardErr // the broker's own words
	}
	return err
}

func (p *producer) publish() error {
	sent := uint64(0)
	for {
		n := p.allowed(sent)
		if n == 0 {
			return nil
		}
		now := p.clock.now()
		out := p.template.fill(n, sent, now)
		if p.window != nil {
			p.window.mark(n, now)
		}
		if _, err := p.conn.Write(out); err != nil {
			return fmt.Errorf("perf: publish: %w", err)
		}
		sent += uint64(n)
		p.sent.Store(sent)
	}
}

// allowed waits until something may be sent and returns how many messages, at most what the
// template holds; 0 means that run is over.
func (p *producer) allowed(sent uint64) int {
	most := p.template.room()
	if limit := p.options.Messages; limit > 0 {
		most = int(min(uint64(most), limit-sent))
	}
	if p.options.Rate > 0 && most > 0 {
		most = min(most, p.paced(sent))
	}
	select {
	case <-p.stop:
		return 0
	case <-p.heard:
		return 0
	default:
	}
	if p.window != nil && most > 0 {
		return p.window.reserve(most)
	}
	return most
}

// paced waits until a message is due and returns how many are; 0 when stopped.
func (p *producer) paced(sent uint64) int {
	for {
		now := p.clock.now()
		due, wait := p.pacer.due(now, sent)
		if due > 0 {
			if lag := now - p.pacer.at(sent); lag > p.lag.Load() {
				p.lag.Store(lag)
			}
			return int(min(due, WriteSize))
		}
		p.timer.Reset(wait)
		select {
		case <-p.timer.C:
		case <-p.stop:
			return 0
		case <-p.heard:
			return 0
		}
	}
}

// finish waits for outstanding confirms, then says goodbye: the broker answers that when it has
// processed everything before it.
func (p *producer) finish() error {
	if p.window != nil {
		p.awaitConfirms()
	}
	if _, err := p.conn.Write(p.speech.goodbye()); err != nil {
		return fmt.Errorf("perf: end producing: %w", err)
	}
	return nil
}

// awaitConfirms returns when nothing is unconfirmed, or nothing was confirmed for drainIdle.
func (p *producer) awaitConfirms() {
	poll := time.NewTicker(confirmPoll)
	defer poll.Stop()
	before, since := 0, time.Now()
	for {
		_, _, open := p.window.counts()
		if open != before {
			before, since = open, time.Now()
		}
		if open == 0 || time.Since(since) > p.drainIdle {
			return
		}
		select {
		case <-poll.C:
		case <-p.heard:
			return
		}
	}
}

// listen reads what the broker says until it answers the goodbye.
func (p *producer) listen() {
	defer close(p.heard)
	if p.window != nil {
		defer p.window.close()
	}
	if err := p.hearAll(); err != nil {
		p.heardErr = fmt.Errorf("perf: a producer: %w", err)
		_ = p.conn.SetWriteDeadline(past) // wakes publish, should it be blocked
	}
}

func (p *producer) hearAll() error {
	for {
		if closed, err := p.speech.hear(p.clock.now()); closed || err != nil {
			return err
		}
		if err := p.conn.fill(); err != nil {
			return err
		}
	}
}

// goodbye implements speech.
func (amqpSpeech) goodbye() []byte {
	done := &amqp.ChannelClose{ReplyCode: amqp.ReplySuccess, ReplyText: "done"}
	return amqp.AppendMethodFrame(nil, channelID, done)
}

// hear implements speech.
func (p amqpSpeech) hear(now int64) (closed bool, err error) {
	for {
		f, ok, err := p.conn.buffered()
		if err != nil || !ok {
			return false, err
		}
		if f.Type != amqp.FrameMethod {
			continue
		}
		if closed, err := p.method(f.Payload, now); closed || err != nil {
			return closed, err
		}
	}
}

// method takes one method from the broker and reports whether it was the last.
func (p amqpSpeech) method(payload []byte, now int64) (closed bool, err error) {
	id, err := amqp.ParseMethodID(payload)
	if err != nil {
		return true, err
	}
	switch id {
	case amqp.MethodBasicAck, amqp.MethodBasicNack:
		return false, p.settle(id, payload, now)
	case amqp.MethodBasicReturn:
		p.returned.Add(1)
	case amqp.MethodConnectionBlocked:
		p.blocked.Store(true)
	case amqp.MethodConnectionUnblocked:
		p.blocked.Store(false)
	case amqp.MethodChannelCloseOk:
		return true, nil
	}
	err = closeError(id, payload)
	return err != nil, err
}

func (p amqpSpeech) settle(id amqp.MethodID, payload []byte, now int64) error {
	args := payload[amqp.MethodIDSize:]
	var nack amqp.BasicNack
	if id == amqp.MethodBasicAck {
		var ack amqp.BasicAck
		if err := ack.Decode(args); err != nil {
			return err
		}
		nack.DeliveryTag, nack.Multiple = ack.DeliveryTag, ack.Multiple
	} else if err := nack.Decode(args); err != nil {
		return err
	}
	if p.window != nil {
		p.window.settle(nack.DeliveryTag, nack.Multiple, id == amqp.MethodBasicAck, now)
	}
	return nil
}

// counts returns what was settled and returned so far.
func (p *producer) counts() (sent, confirmed, nacked, returned uint64) {
	if p.window != nil {
		confirmed, nacked, _ = p.window.counts()
	}
	return p.sent.Load(), confirmed, nacked, p.returned.Load()
}
