package amqp091

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
)

// errMechanism is the mistake of a client that chose a mechanism that was not offered.
var errMechanism = fmt.Errorf("unknown mechanism: %w", auth.ErrMalformed)

// tlsHandshake is the first byte a TLS client sends.
const tlsHandshake = 0x16

// header09 is what clients of AMQP 0-9 send; RabbitMQ takes it for 0-9-1.
const header09 = "AMQP\x01\x01\x00\x09"

// protocolHeader reads the client's first eight bytes. Anything but AMQP 0-9-1 is answered
// with the header the server would have liked, and the connection ends.
func (c *Connection) protocolHeader(data []byte) (used int, err error) {
	want := amqp.ProtocolHeader[:]
	if bytes.HasPrefix(data, []byte(header09)) {
		want = []byte(header09)
	}
	n := min(len(data), len(want))
	amqpAtAll := bytes.HasPrefix(data, want[:len("AMQP")])
	if !bytes.Equal(data[:n], want[:n]) && (n == len(want) || !amqpAtAll) {
		c.raw(amqp.ProtocolHeader[:])
		c.become(ended)
		if data[0] == tlsHandshake {
			c.say(slog.LevelWarn, "a TLS client spoke to the port for plain AMQP")
		}
		return n, errEnded
	}
	if n < len(want) {
		return 0, nil
	}
	c.become(awaitStartOk)
	greeting := c.options.greeting
	if c.certified {
		greeting = c.options.greetingCertified
	}
	c.raw(greeting)
	return n, nil
}

// raw sends bytes as they are.
func (c *Connection) raw(b []byte) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.end(append(c.out.begin(), b...))
}

// serverProperties are what clients look at to learn what the server can do. Product and
// version are those clients know: several switch features on and off by them.
func (o *Options) serverProperties() amqp.Table {
	return amqp.NewTable(map[string]any{
		"capabilities": map[string]any{
			"publisher_confirms":           true,
			"exchange_exchange_bindings":   true,
			"basic.nack":                   true,
			"consumer_cancel_notify":       true,
			"connection.blocked":           true,
			"consumer_priorities":          true,
			"authentication_failure_close": true,
			"per_consumer_qos":             true,
			"direct_reply_to":              true,
		},
		"cluster_name": o.ClusterName,
		"copyright":    "Copyright (c) the warren authors",
		"information":  "Licensed under the Apache License 2.0",
		"platform":     "warren " + o.Version,
		"product":      "RabbitMQ",
		"version":      compatibleVersion,
	})
}

// compatibleVersion is the RabbitMQ version whose behaviour clients may expect.
const compatibleVersion = "3.13.7"

// method takes a method on channel 0.
func (c *Connection) method(id amqp.MethodID, m amqp.Method) error {
	if c.state == closing {
		return c.closingMethod(id)
	}
	switch m := m.(type) {
	case *amqp.ConnectionStartOk:
		if c.state == awaitStartOk {
			return c.startOk(m)
		}
	case *amqp.ConnectionTuneOk:
		if c.state == awaitTuneOk {
			return c.tuneOk(m)
		}
	case *amqp.ConnectionOpen:
		if c.state == awaitOpen {
			return c.open(m)
		}
	case *amqp.ConnectionClose:
		c.leave()
		c.sayLast(&amqp.ConnectionCloseOk{})
		return errLeft
	case *amqp.ConnectionUpdateSecret:
		if c.state == running {
			c.send(0, &amqp.ConnectionUpdateSecretOk{})
			return nil
		}
	case *amqp.ConnectionCloseOk:
		if c.forced.Load() {
			return errEnded
		}
	}
	return c.unexpectedMethod(id)
}

// startOk checks who the client is.
func (c *Connection) startOk(m *amqp.ConnectionStartOk) error {
	if v, ok := m.ClientProperties.Lookup("capabilities"); ok {
		if capabilities, ok := v.Table(); ok {
			c.cancelNotify = capable(capabilities, "consumer_cancel_notify")
			c.blockedNotify = capable(capabilities, "connection.blocked")
			c.closeOnFailedLogin = capable(capabilities, "authentication_failure_close")
		}
	}
	var err error
	c.user, err = c.login(m)
	c.options.attempts.count(err)
	if err != nil {
		return c.refuse(m.Mechanism, err)
	}
	c.properties, c.mechanism = m.ClientProperties.Clone(), m.Mechanism
	c.become(awaitTuneOk)
	c.send(0, &amqp.ConnectionTune{
		ChannelMax: c.options.ChannelMax, FrameMax: c.options.FrameMax,
		Heartbeat: uint16(c.options.Heartbeat / time.Second),
	})
	return nil
}

func capable(t amqp.Table, name string) bool {
	v, ok := t.Lookup(name)
	if !ok {
		return false
	}
	yes, _ := v.Bool()
	return yes
}

// refuse ends a connection whose login failed. A client that speaks its mechanism, and has
// said that it can hear it, is told why.
func (c *Connection) refuse(mechanism string, reason error) error {
	c.say(slog.LevelWarn, "login refused", "mechanism", mechanism, "reason", reason)
	c.become(ended)
	if !c.closeOnFailedLogin || errors.Is(reason, auth.ErrMalformed) {
		return errEnded
	}
	text := fmt.Sprintf("Login was refused using authentication mechanism %s. "+
		"For details see the broker logfile.", mechanism)
	return c.hard(amqp.NewError(amqp.AccessRefused, "%s", text))
}

// tuneOk agrees on limits: the client may lower what was offered.
func (c *Connection) tuneOk(m *amqp.ConnectionTuneOk) error {
	frameMax, channelMax, err := c.negotiate(m)
	if err != nil {
		return c.hard(err)
	}
	c.frameMax, c.channelMax = frameMax, channelMax
	c.startHeartbeat(time.Duration(m.Heartbeat) * time.Second)
	c.become(awaitOpen)
	return nil
}

func (c *Connection) negotiate(m *amqp.ConnectionTuneOk) (uint32, uint16, *amqp.Error) {
	frameMax, channelMax := c.options.FrameMax, c.options.ChannelMax
	switch {
	case m.FrameMax != 0 && m.FrameMax < amqp.FrameMinSize:
		return 0, 0, amqp.NewError(amqp.NotAllowed,
			"negotiated frame_max = %d is lower than the minimum allowed value (%d)",
			m.FrameMax, amqp.FrameMinSize)
	case m.FrameMax == 0 || m.FrameMax > frameMax: // 0 is no limit
		return 0, 0, amqp.NewError(amqp.NotAllowed,
			"negotiated frame_max = %d is higher than the maximum allowed value (%d)",
			m.FrameMax, frameMax)
	default:
		frameMax = m.FrameMax
	}
	switch {
	case m.ChannelMax == 0 || m.ChannelMax > channelMax:
		return 0, 0, amqp.NewError(amqp.NotAllowed,
			"negotiated channel_max = %d is higher than the maximum allowed value (%d)",
			m.ChannelMax, channelMax)
	default:
		channelMax = m.ChannelMax
	}
	return frameMax, channelMax, nil
}

// open gives the client its vhost.
func (c *Connection) open(m *amqp.ConnectionOpen) error {
	access, err := c.options.Broker.Open(c.user, m.VirtualHost)
	if err != nil {
		err.Method = amqp.MethodConnectionOpen
		return c.hard(err)
	}
	c.access, c.vhost, c.owner = access, m.VirtualHost, access.ID()
	c.out.mu.Lock()
	c.opened = true
	c.out.mu.Unlock()
	c.become(running)
	c.endHandshake()
	if c.forced.Load() {
		_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	}
	c.send(0, &amqp.ConnectionOpenOk{})
	access.Attach(c)
	c.say(slog.LevelInfo, "connection opened", "vhost", m.VirtualHost,
		"name", c.givenName())
	return nil
}

// hard answers a mistake that costs the connection.
func (c *Connection) hard(e *amqp.Error) error { return c.hardOn(e, 0) }

// hardOn is hard for a mistake on a channel. The client has closeTimeout to answer.
func (c *Connection) hardOn(e *amqp.Error, channel uint16) error {
	c.say(slog.LevelWarn, "connection error", "channel", channel, "error", e)
	c.finishBatch()
	c.leave()
	c.sayLast(&amqp.ConnectionClose{
		ReplyCode: e.Code, ReplyText: e.Text,
		ClassID: e.Method.Class(), MethodID: e.Method.Method(),
	})
	c.become(closing)
	c.endHandshake()
	_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	return nil
}

// broken is hard for bytes that cannot be read any further: nothing after them makes sense.
func (c *Connection) broken(err error) error {
	if c.state == closing {
		return nil // what comes before the answer to connection.close does not matter
	}
	var e *amqp.Error
	if !errors.As(err, &e) || c.state < running {
		c.become(ended)
		return errEnded
	}
	return c.hard(e)
}

// closingMethod waits for the answer to connection.close.
func (c *Connection) closingMethod(id amqp.MethodID) error {
	switch id {
	case amqp.MethodConnectionClose:
		c.send(0, &amqp.ConnectionCloseOk{})
	case amqp.MethodConnectionCloseOk:
		return errEnded
	}
	return nil
}

// unopenedChannel takes a frame on a channel that is not open: the first has to be
// channel.open.
func (c *Connection) unopenedChannel(f *amqp.Frame) error {
	id, err := amqp.ParseMethodID(f.Payload)
	if f.Type != amqp.FrameMethod {
		return c.hardOn(amqp.NewError(amqp.UnexpectedFrame,
			"expected method frame, got non method frame instead"), f.Channel)
	}
	if err != nil {
		return c.hardOn(amqp.NewError(amqp.ChannelError, "expected 'channel.open'"), f.Channel)
	}
	if id != amqp.MethodChannelOpen {
		e := amqp.NewError(amqp.ChannelError, "expected 'channel.open'")
		e.Method = id
		return c.hardOn(e, f.Channel)
	}
	if len(c.channels) >= int(c.channelMax) {
		e := amqp.NewError(amqp.NotAllowed,
			"number of channels opened (%d) has reached the negotiated channel_max (%d)",
			len(c.channels), c.channelMax)
		return c.hardOn(e, f.Channel)
	}
	return c.openChannel(f.Channel)
}

// strayFrame takes a frame that has no place where it appears.
func (c *Connection) strayFrame(f *amqp.Frame) error {
	switch {
	case c.state == closing:
		return nil
	case c.state >= awaitOpen:
		return c.hard(amqp.UnexpectedFrameError(f))
	}
	c.become(ended)
	return errEnded
}

// unexpectedMethod takes a method on channel 0 that has no place where it appears.
func (c *Connection) unexpectedMethod(id amqp.MethodID) error {
	if c.state != running {
		c.become(ended)
		return errEnded
	}
	e := amqp.NewError(amqp.ChannelError, "unexpected method in connection state running")
	e.Method = id
	return c.hard(e)
}
