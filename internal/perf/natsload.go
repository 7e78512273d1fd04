package perf

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// produce implements dialect: it formats PUB, with a reply subject where answers are counted.
func (natsDialect) produce(pr *producer, o Options, p plan, n int, origin stamp) (speech, error) {
	if o.Producers.Mandatory {
		return nil, errors.New("perf: NATS returns nothing: mandatory means nothing to it")
	}
	body := newBody(o.Producers, origin)
	inbox := natsInbox(o.ID, n)
	tag := 0
	var formats [][]byte
	for _, key := range p.keysOf(n) {
		one := []byte("PUB " + key + " ")
		if pr.window != nil {
			one = append(one, inbox...)
			tag = len(one)
			one = append(one, "00000000 "...)
		}
		one = fmt.Appendf(one, "%d\r\n", len(body))
		formats = append(formats, append(append(one, body...), "\r\n"...))
	}
	pr.template = repeat(formats, o.Producers)
	pr.template.tag = tag
	pr.template.body = len(formats[0]) - len(body) - len("\r\n")
	s := &natsSpeech{producer: pr}
	if pr.window == nil {
		return s, nil
	}
	return s, pr.conn.natsSync([]byte("SUB " + inbox + "* 1\r\n"))
}

// natsInbox is where the answers to a producer's messages go, up to the tag.
func natsInbox(id string, producer int) string {
	return "_INBOX." + id + "-" + strconv.Itoa(producer) + "."
}

// natsSpeech is what a producer and a NATS server say to each other but for messages.
type natsSpeech struct {
	*producer
	first, next uint64 // tags answered with success and not settled yet: next is not one of them
}

// goodbye implements speech.
func (*natsSpeech) goodbye() []byte { return []byte("PING\r\n") }

// hear implements speech.
func (s *natsSpeech) hear(now int64) (closed bool, err error) {
	defer s.settle(now)
	var item natsItem
	for {
		ok, err := s.conn.natsBuffered(&item)
		if err != nil || !ok {
			return false, err
		}
		switch item.verb {
		case natsPong:
			return true, nil
		case natsPing:
			if _, err := s.conn.Write([]byte("PONG\r\n")); err != nil {
				return false, err
			}
		case natsMessage:
			if err := s.answered(&item, now); err != nil {
				return false, err
			}
		}
	}
}

// answered takes the stream's answer to one message. Answers in order are settled together, as
// one ack of AMQP settles many.
func (s *natsSpeech) answered(item *natsItem, now int64) error {
	if s.window == nil || len(item.subject) < tagDigits {
		return errNATSLine
	}
	var digits [4]byte
	if _, err := hex.Decode(digits[:], item.subject[len(item.subject)-tagDigits:]); err != nil {
		return errNATSLine
	}
	tag := widen(binary.BigEndian.Uint32(digits[:]), s.next)
	if item.headers > 0 || bytes.Contains(item.payload, []byte(`"error"`)) {
		s.settle(now)
		s.window.settle(tag, false, false, now)
		return nil
	}
	if tag != s.next {
		s.settle(now)
		s.first = tag
	}
	s.next = tag + 1
	return nil
}

// settle tells the window what was answered with success.
func (s *natsSpeech) settle(now int64) {
	if s.first < s.next && s.next > 1 {
		s.window.settleSpan(max(s.first, 1), s.next-1, true, now)
	}
	s.first = s.next
}

// subscribe implements dialect.
func (natsDialect) subscribe(c *consumer, o Options, p plan, n int) error {
	c.nats = &natsDeliveries{streamed: streamed(o)}
	var out []byte
	for i, q := range p.consumed[n] {
		subject, group := natsSubject(p, p.queues[q]), ""
		if c.nats.streamed {
			subject = natsDeliverTo(p.queues[q].name)
		}
		if p.queues[q].owner < 0 {
			group = p.queues[q].name + " "
		}
		out = fmt.Appendf(out, "SUB %s %s%d\r\n", subject, group, i)
	}
	if c.nats.streamed { // what is stored comes at once, and must not be dropped
		_, err := c.conn.Write(out)
		return err
	}
	return c.conn.natsSync(out)
}

// natsDeliveries takes what a consumer is sent.
type natsDeliveries struct {
	streamed bool
	item     natsItem
}

// take parses what is in the buffer.
func (d *natsDeliveries) take(c *consumer, now int64) error {
	for !c.full() {
		ok, err := c.conn.natsBuffered(&d.item)
		if err != nil || !ok {
			return err
		}
		switch d.item.verb {
		case natsMessage:
			if err := d.message(c, now); err != nil {
				return err
			}
		case natsPing:
			c.out = append(c.out, "PONG\r\n"...)
		}
	}
	return nil
}

func (d *natsDeliveries) message(c *consumer, now int64) error {
	if d.item.sid >= len(c.subs) || d.item.headers > 0 {
		return errNATSLine
	}
	c.current.sub = &c.subs[d.item.sid]
	c.current.size = uint64(len(d.item.payload))
	c.current.stamp = parseStamp(d.item.payload, c.home)
	c.current.redelivered = false
	if !d.streamed {
		c.complete(now)
		return nil
	}
	c.current.redelivered = natsRedelivered(d.item.reply)
	c.complete(now)
	if !c.options.AutoAck {
		c.out = append(c.out, "PUB "...)
		c.out = append(c.out, d.item.reply...)
		c.out = append(c.out, " 4\r\n+ACK\r\n"...)
	}
	return nil
}

// natsRedelivered reads $JS.ACK.stream.consumer.deliveries.and-so-on.
func natsRedelivered(reply []byte) bool {
	for range 4 {
		_, rest, ok := bytes.Cut(reply, []byte("."))
		if !ok {
			return false
		}
		reply = rest
	}
	count, _, _ := bytes.Cut(reply, []byte("."))
	return string(count) != "1"
}
