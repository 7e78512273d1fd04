package warrentest

import (
	"net"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// Client is a bare AMQP 0-9-1 client: it sends what it is told and shows what arrives, so that
// a test decides every byte. It belongs to one goroutine.
type Client struct {
	t    testing.TB
	conn net.Conn
	buf  []byte
	have int // of buf
	used int
}

// Dial connects to addr without sending anything.
func Dial(t testing.TB, addr net.Addr) *Client {
	t.Helper()
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return NewClient(t, conn)
}

// NewClient is a client on a connection that stands already; the caller closes it.
func NewClient(t testing.TB, conn net.Conn) *Client {
	return &Client{t: t, conn: conn, buf: make([]byte, 256<<10)}
}

// Open connects to addr, logs in as guest and opens the vhost "/" and channel 1.
func Open(t testing.TB, addr net.Addr) *Client {
	t.Helper()
	c := Dial(t, addr)
	c.Handshake(map[string]any{
		"capabilities": map[string]any{
			"consumer_cancel_notify": true, "authentication_failure_close": true,
		},
	})
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	return c
}

// Handshake logs in as guest and opens the vhost "/", without heartbeats.
func (c *Client) Handshake(properties map[string]any) { c.HandshakeWith(properties, 0) }

// HandshakeWith is Handshake with a heartbeat interval in seconds.
func (c *Client) HandshakeWith(properties map[string]any, heartbeat uint16) {
	c.t.Helper()
	c.Raw(amqp.ProtocolHeader[:])
	c.Expect(0, amqp.MethodConnectionStart)
	c.Send(0, &amqp.ConnectionStartOk{
		ClientProperties: amqp.NewTable(properties), Mechanism: "PLAIN",
		Response: "\x00guest\x00guest", Locale: "en_US",
	})
	tune := c.Expect(0, amqp.MethodConnectionTune).(*amqp.ConnectionTune)
	c.Send(0, &amqp.ConnectionTuneOk{
		ChannelMax: tune.ChannelMax, FrameMax: tune.FrameMax, Heartbeat: heartbeat,
	})
	c.Call(0, &amqp.ConnectionOpen{VirtualHost: "/"}, amqp.MethodConnectionOpenOk)
}

// Raw sends bytes as they are.
func (c *Client) Raw(b []byte) {
	c.t.Helper()
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// Send sends methods in one write.
func (c *Client) Send(channel uint16, methods ...amqp.Method) {
	c.t.Helper()
	var b []byte
	for _, m := range methods {
		b = amqp.AppendMethodFrame(b, channel, m)
	}
	c.Raw(b)
}

// Publish sends one message.
func (c *Client) Publish(channel uint16, exchange, key string, p amqp.Properties, body []byte) {
	c.t.Helper()
	b := amqp.AppendBasicPublish(nil, channel, exchange, key, false, false)
	c.Raw(amqp.AppendContent(b, channel, p.AppendTo(nil), body, amqp.FrameMinSize))
}

// Call sends a method and returns the answer, which has to be the next method to arrive.
func (c *Client) Call(channel uint16, m amqp.Method, want amqp.MethodID) amqp.Method {
	c.t.Helper()
	c.Send(channel, m)
	return c.Expect(channel, want)
}

// Expect returns the next method, which has to be of the given kind; heartbeats are passed over.
func (c *Client) Expect(channel uint16, want amqp.MethodID) amqp.Method {
	c.t.Helper()
	f, ok := c.Frame()
	if !ok {
		c.t.Fatalf("the connection ended where %v was expected", want)
	}
	if f.Type != amqp.FrameMethod {
		c.t.Fatalf("a frame of type %d came where %v was expected", f.Type, want)
	}
	m, err := amqp.ParseMethod(f.Payload)
	if err != nil {
		c.t.Fatalf("parse: %v", err)
	}
	if m.ID() != want || f.Channel != channel {
		c.t.Fatalf("channel %d: %v %+v came where %v on channel %d was expected",
			f.Channel, m.ID(), m, want, channel)
	}
	return m
}

// Content returns the content that has to come next: its properties and its body.
func (c *Client) Content(channel uint16) (amqp.RawProperties, []byte) {
	c.t.Helper()
	f, ok := c.Frame()
	if !ok || f.Type != amqp.FrameHeader || f.Channel != channel {
		c.t.Fatalf("no content header on channel %d but %+v", channel, f)
	}
	h, err := amqp.ParseContentHeader(f.Payload)
	if err != nil {
		c.t.Fatalf("content header: %v", err)
	}
	props := append(amqp.RawProperties(nil), h.Properties...)
	var body []byte
	for uint64(len(body)) < h.BodySize {
		f, ok := c.Frame()
		if !ok || f.Type != amqp.FrameBody || f.Channel != channel {
			c.t.Fatalf("no content body on channel %d but %+v", channel, f)
		}
		body = append(body, f.Payload...)
	}
	return props, body
}

// Frame returns the next frame that is no heartbeat, valid until the next call; ok is false
// when the broker has closed the connection.
func (c *Client) Frame() (f amqp.Frame, ok bool) {
	c.t.Helper()
	for {
		f, ok = c.AnyFrame()
		if !ok || f.Type != amqp.FrameHeartbeat {
			return f, ok
		}
	}
}

// AnyFrame is Frame with heartbeats.
func (c *Client) AnyFrame() (f amqp.Frame, ok bool) {
	c.t.Helper()
	for {
		f, n, err := amqp.ParseFrame(c.buf[c.used:c.have], 0)
		if err != nil {
			c.t.Fatalf("frame: %v", err)
		}
		c.used += n
		if n > 0 {
			return f, true
		}
		if !c.more() {
			return amqp.Frame{}, false
		}
	}
}

// more reads on.
func (c *Client) more() bool {
	c.t.Helper()
	c.have = copy(c.buf, c.buf[c.used:c.have])
	c.used = 0
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := c.conn.Read(c.buf[c.have:])
	c.have += n
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		c.t.Fatal("nothing arrived in time")
	}
	return n > 0
}

// Close cuts the connection.
func (c *Client) Close() { _ = c.conn.Close() }

// DrainToEnd reads whatever comes until the broker closes the connection.
func (c *Client) DrainToEnd() {
	c.t.Helper()
	for c.used = c.have; c.more(); c.used = c.have {
	}
}

// Conn returns the connection itself, for tests that move bytes on their own. Nothing that
// Expect has read ahead may be left.
func (c *Client) Conn() net.Conn { return c.conn }

// TryMethod returns the next method, or nil when the connection has ended or broken.
func (c *Client) TryMethod() amqp.Method {
	f, ok := c.Frame()
	if !ok || f.Type != amqp.FrameMethod {
		return nil
	}
	m, err := amqp.ParseMethod(f.Payload)
	if err != nil {
		return nil
	}
	return m
}
