package amqp091

import (
	"encoding/binary"
	"errors"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
)

// expected says which content frame has to come next on a channel.
type expected uint8

const (
	nothing expected = iota
	header
	body
	rest // of a body that was refused: it may come or not
)

// content is the basic.publish under way on a channel.
type content struct {
	expected      expected
	mandatory     bool
	exchange, key []byte
	copies        copies
	// ignored is how much is still to come of a body that goes nowhere: the channel is closing.
	ignored uint64
}

// unexpected is the answer to a frame that is not the content frame that has to come next.
func (c *content) unexpected() *amqp.Error {
	e := amqp.NewError(amqp.UnexpectedFrame, "expected content header for class %d, "+
		"got non content header frame instead", amqp.ClassBasic)
	if c.expected >= body {
		e = amqp.NewError(amqp.UnexpectedFrame,
			"expected content body, got non content body frame instead")
	}
	e.Method = amqp.MethodBasicPublish
	return e
}

// basicPublish begins a publish; the content frames that follow complete it.
func (ch *Channel) basicPublish(args []byte) error {
	var m amqp.BasicPublishView
	if err := m.Decode(args); err != nil {
		return err
	}
	if m.Immediate {
		return amqp.NewError(amqp.NotImplemented, "immediate=true")
	}
	c := &ch.content
	c.exchange = append(c.exchange[:0], m.Exchange...)
	c.key = append(c.key[:0], m.RoutingKey...)
	c.mandatory = m.Mandatory
	c.copies.reset()
	c.expected = header
	return nil
}

// contentFrame takes a header or body frame.
func (ch *Channel) contentFrame(f *amqp.Frame) error {
	switch {
	case ch.content.expected == nothing:
		return strayContent()
	case ch.content.expected == header && f.Type == amqp.FrameHeader:
		err := ch.contentHeader(f.Payload)
		if err == nil {
			ch.conn.contentCame()
		}
		return err
	case ch.content.expected == body && f.Type == amqp.FrameBody:
		return ch.contentBody(f.Payload)
	}
	return ch.content.unexpected()
}

func (ch *Channel) contentHeader(payload []byte) error {
	h, err := amqp.ParseContentHeader(payload)
	if err != nil {
		var e *amqp.Error
		if errors.As(err, &e) && e.Code == amqp.FrameError {
			return err // the frame is at fault, not the method
		}
		return on(amqp.MethodBasicPublish, err)
	}
	limit := ch.conn.options.MessageMax
	if h.BodySize > limit {
		ch.content.expected, ch.content.ignored = rest, h.BodySize
		e := amqp.NewError(amqp.PreconditionFailed,
			"message size %d is larger than configured max size %d", h.BodySize, limit)
		e.Method = amqp.MethodBasicPublish
		return e
	}
	c := &ch.content
	props := h.Properties
	if binary.BigEndian.Uint16(props)&(flagHeaders|flagReplyTo) != 0 {
		props = ch.special(props)
	}
	err = ch.builder.Begin(&ch.conn.arena, c.exchange, c.key, props, h.BodySize)
	if err != nil {
		return err
	}
	c.expected = body
	if h.BodySize == 0 {
		return on(amqp.MethodBasicPublish, ch.publish())
	}
	return nil
}

// ignore takes a frame on a channel that is closing: contents go nowhere, but have to be whole.
func (c *content) ignore(f *amqp.Frame) error {
	switch {
	case c.expected == nothing && f.Type != amqp.FrameMethod:
		return strayContent()
	case c.expected == header && f.Type == amqp.FrameHeader:
		h, err := amqp.ParseContentHeader(f.Payload)
		if err != nil {
			return err
		}
		if c.expected, c.ignored = body, h.BodySize; h.BodySize == 0 {
			c.expected = nothing
		}
		return nil
	case c.expected >= body && f.Type == amqp.FrameBody && uint64(len(f.Payload)) <= c.ignored:
		if c.ignored -= uint64(len(f.Payload)); c.ignored == 0 {
			c.expected = nothing
		}
		return nil
	case c.expected == rest && f.Type == amqp.FrameMethod:
		c.expected = nothing
		return nil
	case c.expected == nothing:
		return nil
	}
	return c.unexpected()
}

func strayContent() *amqp.Error {
	return amqp.NewError(amqp.UnexpectedFrame,
		"expected method frame, got non method frame instead")
}

func (ch *Channel) contentBody(piece []byte) error {
	missing := ch.builder.Missing()
	if len(piece) > missing {
		return ch.content.unexpected()
	}
	ch.builder.Append(piece)
	return ch.bodyCame()
}

// bodyCame publishes the message if its body is complete.
func (ch *Channel) bodyCame() error {
	if ch.builder.Missing() > 0 {
		return nil
	}
	return on(amqp.MethodBasicPublish, ch.publish())
}

// publish sends a complete message on its way: into the batch, or into the transaction. After an
// error, which is the end of the channel, the message stays in the builder.
func (ch *Channel) publish() error {
	ch.content.expected = nothing
	m := ch.builder.Built()
	c := ch.conn
	props := m.Properties()
	var route *broker.Route
	traced := ch.tx == nil && c.batch.Received(m)
	keys := ch.content.copies.further.Keys
	if len(keys) > 0 {
		route = c.routes.RouteAll(c.access, ch.content.exchange, props, keys...)
	} else {
		route = c.routes.Route(c.access, ch.content.exchange, ch.content.key, props)
	}
	if traced {
		c.batch.Routed(m, ch.content.exchange, route, c.vhost)
	}
	if route.Err != nil {
		return route.Err
	}
	if err := ch.checkProperties(props); err != nil {
		return err
	}
	ch.countPublish(len(m.Body()))
	if c.traced {
		ch.tracePublish(route, m)
	}
	if ch.tx != nil {
		err := ch.tx.publish(&c.routes, route, *m, ch.content.mandatory, keys)
		ch.builder.Forget()
		return asError(err)
	}
	ch.route(route, m, ch.content.mandatory, keys)
	ch.builder.Forget()
	if ch.confirms && !ch.inBatch {
		ch.inBatch = true
		c.confirming = append(c.confirming, ch)
	}
	return nil
}

// route collects a message for its queues and returns it to the client if there is none and the
// client wants it back. While it waits for the log, what was published before is confirmed. It
// takes over the caller's hold of the message.
func (ch *Channel) route(
	route *broker.Route, m *message.Message, mandatory bool, keys [][]byte,
) {
	c := ch.conn
	c.routes.Count()
	if ch.details != nil {
		ch.detailPublish(m.Exchange())
	}
	if mandatory || len(m.Exchange()) == 0 && (len(keys) > 0 || !route.Reaches()) {
		ch.tell(route, m, mandatory, keys) // first: who takes it may let it go
	}
	if route.Takes() {
		ticket := uint32(0)
		if route.Rejects() && ch.confirms {
			ticket = c.ticket(ch)
		}
		stable := c.batch.PublishFor(route, m, ticket)
		if ch.confirms {
			ch.logged = max(ch.logged, stable)
		}
	}
	if ch.confirms {
		ch.published++
	}
	if route.Refuses() && ch.confirms {
		ch.refuse(ch.published)
	}
	if !route.Takes() {
		m.Release()
		ch.countDropped(mandatory)
	}
}

// tell gives a message to those who wait for answers, or back to the client, if it is for them.
func (ch *Channel) tell(
	route *broker.Route, m *message.Message, mandatory bool, keys [][]byte,
) {
	if len(m.Exchange()) == 0 && (len(keys) > 0 || !route.Reaches()) {
		ch.replying = *m
		ch.reply(&ch.replying, keys)
		ch.replying = message.Message{}
	}
	if mandatory && !route.Reaches() && !route.Refuses() {
		ch.basicReturn(m)
	}
}

// Property flags, in the two octets a property list begins with (AMQP 0-9-1, 4.2.6.1).
const (
	flagHeaders      = 1 << 13
	flagDeliveryMode = 1 << 12
	flagReplyTo      = 1 << 9
	flagExpiration   = 1 << 8
	flagUserID       = 1 << 4
)

// checkProperties refuses what RabbitMQ refuses about a message.
func (ch *Channel) checkProperties(props amqp.RawProperties) error {
	flags := binary.BigEndian.Uint16(props)
	copies := &ch.content.copies
	if flags&(flagDeliveryMode|flagExpiration|flagUserID) == 0 && !copies.used {
		return nil
	}
	if copies.noReplier {
		return amqp.NewError(amqp.PreconditionFailed, "fast reply consumer does not exist")
	}
	if user, ok := props.UserID(); ok && string(user) != ch.conn.user &&
		!ch.conn.access.Impersonates() {
		return amqp.NewError(amqp.PreconditionFailed,
			"user_id property set to '%s' but authenticated user was '%s'", user, ch.conn.user)
	}
	if expiration, ok := props.Expiration(); ok {
		if err := broker.CheckExpiration(expiration); err != nil {
			return err
		}
	}
	if copies.further.Wrong != nil {
		return copies.further.Wrong
	}
	if mode := props.DeliveryMode(); flags&flagDeliveryMode != 0 && (mode < 1 || mode > 2) {
		return amqp.NewError(amqp.PreconditionFailed,
			"invalid message: {delivery_mode_unknown,%d}", mode)
	}
	return nil
}

// basicReturn gives a message back that no queue wanted.
func (ch *Channel) basicReturn(m *message.Message) {
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	ch.countReturn()
	b := amqp.AppendMethodFrame(c.out.begin(), ch.id, &amqp.BasicReturn{
		ReplyCode: amqp.NoRoute, ReplyText: "NO_ROUTE",
		Exchange: string(m.Exchange()), RoutingKey: string(m.RoutingKey()),
	})
	c.out.end(c.out.content(b, ch.id, m, c.frameMax))
}
