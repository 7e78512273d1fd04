package migrate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/warrenmq/warren/amqp"
)

const (
	frameMax     = 128 << 10
	bufferSize   = 2 * frameMax
	setupTimeout = 30 * time.Second // of a dial and of each method that waits for an answer
	closeTimeout = 2 * time.Second
	channelID    = 1 // each connection has one channel
)

// past is a deadline that wakes whoever is blocked.
var past = time.Unix(1, 0)

var errClosed = errors.New("the broker closed the connection")

// Endpoint is where a broker speaks AMQP, and who logs in.
type Endpoint struct {
	Address        string // host:port
	User, Password string
	TLS            *tls.Config // nil: none
}

// ParseEndpoint reads amqp://user:password@host:port or amqps://…; a vhost in it is not looked at.
func ParseEndpoint(text string) (Endpoint, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "amqp" && u.Scheme != "amqps" || u.Hostname() == "" {
		return Endpoint{}, errors.New("an AMQP address is amqp://USER:PASSWORD@HOST:PORT")
	}
	port := u.Port()
	e := Endpoint{User: u.User.Username()}
	e.Password, _ = u.User.Password()
	if u.Scheme == "amqps" {
		e.TLS = &tls.Config{ServerName: u.Hostname()}
	}
	if port == "" {
		port = "5672"
		if e.TLS != nil {
			port = "5671"
		}
	}
	e.Address = net.JoinHostPort(u.Hostname(), port)
	return e, nil
}

// conn is a connection with one channel. One goroutine reads; others may write whole frames.
type conn struct {
	net.Conn
	frameMax uint32
	buf      []byte
	r, w     int // buf[r:w] is read but not parsed
}

// dial opens a connection, logs in to a vhost and opens the channel.
func dial(ctx context.Context, e Endpoint, vhost string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return nil, fmt.Errorf("AMQP at %s: %w", e.Address, err)
	}
	if e.TLS != nil {
		socket = tls.Client(socket, e.TLS)
	}
	c := &conn{Conn: socket, frameMax: frameMax, buf: make([]byte, bufferSize)}
	if err := c.open(e, vhost); err != nil {
		_ = socket.Close()
		return nil, fmt.Errorf("AMQP at %s, vhost %q: %w", e.Address, vhost, err)
	}
	return c, nil
}

func (c *conn) open(e Endpoint, vhost string) error {
	if err := c.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return err
	}
	if _, err := c.Write(amqp.ProtocolHeader[:]); err != nil {
		return err
	}
	if _, err := c.await(amqp.MethodConnectionStart); err != nil {
		return err
	}
	m, err := c.send(0, &amqp.ConnectionStartOk{
		ClientProperties: amqp.NewTable(map[string]any{
			"product": "warren migrate",
			"capabilities": map[string]any{
				"publisher_confirms": true, "basic.nack": true, "connection.blocked": true,
				"consumer_cancel_notify": true, "authentication_failure_close": true,
			},
		}),
		Mechanism: "PLAIN", Response: "\x00" + e.User + "\x00" + e.Password, Locale: "en_US",
	}, amqp.MethodConnectionTune)
	if err != nil {
		return err
	}
	tune := m.(*amqp.ConnectionTune)
	if tune.FrameMax != 0 {
		c.frameMax = min(c.frameMax, tune.FrameMax)
	}
	// No heartbeats: nobody would send them while the other broker makes us wait.
	out := amqp.AppendMethodFrame(nil, 0, &amqp.ConnectionTuneOk{
		ChannelMax: tune.ChannelMax, FrameMax: c.frameMax,
	})
	if _, err := c.Write(out); err != nil {
		return err
	}
	open := &amqp.ConnectionOpen{VirtualHost: vhost}
	if _, err := c.send(0, open, amqp.MethodConnectionOpenOk); err != nil {
		return err
	}
	_, err = c.send(channelID, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	return errors.Join(err, c.SetDeadline(time.Time{}))
}

// call sends a method on the channel and waits for its answer, within the time for that.
func (c *conn) call(m amqp.Method, want amqp.MethodID) (amqp.Method, error) {
	if err := c.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return nil, err
	}
	answer, err := c.send(channelID, m, want)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.ID(), err)
	}
	return answer, c.SetDeadline(time.Time{})
}

func (c *conn) send(channel uint16, m amqp.Method, want amqp.MethodID) (amqp.Method, error) {
	if _, err := c.Write(amqp.AppendMethodFrame(nil, channel, m)); err != nil {
		return nil, err
	}
	return c.await(want)
}

// await reads frames until the wanted method, and drops the others.
func (c *conn) await(want amqp.MethodID) (amqp.Method, error) {
	for {
		f, err := c.frame()
		if err != nil {
			return nil, err
		}
		if f.Type != amqp.FrameMethod {
			continue
		}
		id, err := amqp.ParseMethodID(f.Payload)
		if err != nil {
			return nil, err
		}
		if id == want {
			return amqp.ParseMethod(f.Payload)
		}
		if err := closing(id, f.Payload); err != nil {
			return nil, err
		}
	}
}

// closing returns what a close from the broker says, and nil for other methods.
func closing(id amqp.MethodID, payload []byte) error {
	switch id {
	case amqp.MethodConnectionClose, amqp.MethodChannelClose:
	case amqp.MethodBasicCancel:
		return errors.New("the broker cancelled the consumer: is the queue gone?")
	default:
		return nil
	}
	m, err := amqp.ParseMethod(payload)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *amqp.ConnectionClose:
		return &amqp.Error{Code: m.ReplyCode, Text: m.ReplyText}
	case *amqp.ChannelClose:
		return &amqp.Error{Code: m.ReplyCode, Text: m.ReplyText}
	}
	return errClosed
}

// frame returns the next frame, which is valid until the next call.
func (c *conn) frame() (amqp.Frame, error) {
	for {
		f, ok, err := c.buffered()
		if ok || err != nil {
			return f, err
		}
		if err := c.fill(); err != nil {
			return amqp.Frame{}, err
		}
	}
}

// buffered returns the next frame if it is in the buffer as a whole.
func (c *conn) buffered() (amqp.Frame, bool, error) {
	f, n, err := amqp.ParseFrame(c.buf[c.r:c.w], c.frameMax)
	c.r += n
	return f, n > 0, err
}

// fill reads once from the socket.
func (c *conn) fill() error {
	if c.r > 0 {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	n, err := c.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errClosed
	}
	return err
}

// hangUp closes the connection as the protocol wants it, and if that takes too long, without.
func (c *conn) hangUp() {
	if c.SetDeadline(time.Now().Add(closeTimeout)) == nil {
		done := &amqp.ConnectionClose{ReplyCode: amqp.ReplySuccess, ReplyText: "done"}
		_, _ = c.send(0, done, amqp.MethodConnectionCloseOk) // it is over either way
	}
	_ = c.Close()
}
