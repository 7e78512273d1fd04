package perf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/warrenmq/warren/amqp"
)

const (
	// ReadSize is the most that one read takes from a socket.
	ReadSize = 256 << 10
	// FrameMax is the largest frame the client offers to the broker.
	FrameMax = 128 << 10

	controlSize  = 16 << 10         // buffer of a connection that carries no load
	setupTimeout = 30 * time.Second // of each dial and each method while setting up
	closeTimeout = 2 * time.Second
	channelID    = 1 // each connection has one channel
)

// errServerClosed is a clean end of the connection by the broker where none was expected.
var errServerClosed = errors.New("the broker closed the connection")

// past is a deadline that wakes whoever is blocked.
var past = time.Unix(1, 0)

// dialFunc opens a connection to an address.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// conn is one connection, with AMQP with one channel, or with bare set, a socket on which nothing
// but deliveries pass. One goroutine reads; another may write.
type conn struct {
	net.Conn
	dialect  dialect
	bare     bool
	frameMax uint32
	buf      []byte
	r, w     int    // buf[r:w] is read but not parsed
	out      []byte // scratch for frames of the control phase
	login    []byte // the frame that logs in, when it has been made
}

// dial opens a connection, logs in and opens the channel. The buffer must hold a frame of
// FrameMax where deliveries with content are expected.
func dial(ctx context.Context, dial dialFunc, t target, bufSize int) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	socket, err := dial(ctx, "tcp", t.address)
	if err != nil {
		return nil, fmt.Errorf("perf: connect: %w", err)
	}
	c := &conn{buf: make([]byte, bufSize)}
	if err := c.begin(socket, t); err != nil {
		return nil, err
	}
	return c, nil
}

// begin logs in on a fresh socket and opens the channel. A conn whose last socket is closed may
// begin again, on the same target. On an error it has closed the socket.
func (c *conn) begin(socket net.Conn, t target) error {
	*c = conn{
		Conn: socket, dialect: t.dialect, bare: t.scheme == schemeRelay, frameMax: FrameMax,
		buf: c.buf, out: c.out, login: c.login,
	}
	if c.bare {
		return nil
	}
	err := c.SetDeadline(time.Now().Add(setupTimeout))
	if err == nil {
		err = c.dialect.open(c, t)
	}
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("perf: open a connection: %w", err), socket.Close())
	}
	return nil
}

// open implements dialect: it logs in and opens the channel.
func (amqpDialect) open(c *conn, t target) error {
	if _, err := c.Write(amqp.ProtocolHeader[:]); err != nil {
		return err
	}
	if _, err := c.await(amqp.MethodConnectionStart); err != nil {
		return err
	}
	if c.login == nil {
		c.login = amqp.AppendMethodFrame(nil, 0, &amqp.ConnectionStartOk{
			ClientProperties: amqp.NewTable(map[string]any{
				"product":      "warren perf",
				"capabilities": clientCapabilities(),
			}),
			Mechanism: "PLAIN",
			Response:  "\x00" + t.user + "\x00" + t.password,
			Locale:    "en_US",
		})
	}
	if _, err := c.Write(c.login); err != nil {
		return err
	}
	m, err := c.await(amqp.MethodConnectionTune)
	if err != nil {
		return err
	}
	tune := m.(*amqp.ConnectionTune)
	if tune.FrameMax != 0 {
		c.frameMax = min(c.frameMax, tune.FrameMax)
	}
	// No heartbeats: a load run is short, and its goroutines are busy or block in the socket.
	c.out = amqp.AppendMethodFrame(c.out[:0], 0, &amqp.ConnectionTuneOk{
		ChannelMax: tune.ChannelMax, FrameMax: c.frameMax,
	})
	c.out = amqp.AppendMethodFrame(c.out, 0, &amqp.ConnectionOpen{VirtualHost: t.vhost})
	if _, err := c.Write(c.out); err != nil {
		return err
	}
	if _, err := c.await(amqp.MethodConnectionOpenOk); err != nil {
		return err
	}
	_, err = c.call(channelID, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	return err
}

func clientCapabilities() map[string]any {
	return map[string]any{
		"publisher_confirms":           true,
		"basic.nack":                   true,
		"consumer_cancel_notify":       true,
		"connection.blocked":           true,
		"authentication_failure_close": true,
	}
}

// declare is call on the channel, within the time limit of the control phase.
func (c *conn) declare(m amqp.Method, want amqp.MethodID) (amqp.Method, error) {
	if err := c.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return nil, err
	}
	answer, err := c.call(channelID, m, want)
	if err != nil {
		return nil, fmt.Errorf("perf: %s: %w", m.ID(), err)
	}
	return answer, c.SetDeadline(time.Time{})
}

// declareMany sends methods 0 to count-1, at most window of them unanswered, and waits for all
// answers. Each answer has the time limit of the control phase.
func (c *conn) declareMany(
	count, window int, want amqp.MethodID, method func(n int) amqp.Method,
) error {
	sent, answered := 0, 0
	for sent < count || answered < sent {
		c.out = c.out[:0]
		for ; sent < count && sent < answered+window; sent++ {
			c.out = amqp.AppendMethodFrame(c.out, channelID, method(sent))
		}
		if err := c.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
			return err
		}
		if _, err := c.Write(c.out); err != nil {
			return err
		}
		for limit := max(answered+1, sent-window/2); answered < limit; answered++ {
			if _, err := c.await(want); err != nil {
				return fmt.Errorf("perf: number %d of %d: %w", answered, count, err)
			}
		}
	}
	return c.SetDeadline(time.Time{})
}

// call sends a method and waits for the answer it wants.
func (c *conn) call(channel uint16, m amqp.Method, want amqp.MethodID) (amqp.Method, error) {
	c.out = amqp.AppendMethodFrame(c.out[:0], channel, m)
	if _, err := c.Write(c.out); err != nil {
		return nil, err
	}
	return c.await(want)
}

// await reads frames until the wanted method, and drops the others: only to be used when no
// deliveries or confirms matter. A close by the broker is returned as an error.
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
		if err := closeError(id, f.Payload); err != nil && id != want {
			return nil, err
		}
		if id == want {
			return amqp.ParseMethod(f.Payload)
		}
	}
}

// closeError returns what a close from the broker says, and nil for other methods.
func closeError(id amqp.MethodID, payload []byte) error {
	switch id {
	case amqp.MethodConnectionClose, amqp.MethodChannelClose, amqp.MethodConnectionCloseOk:
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
	return errServerClosed
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

// fill reads once from the socket, as much as there is and fits.
func (c *conn) fill() error {
	if c.r > 0 {
		// What is left is a part of one frame. Moving it keeps reads large and the buffer's
		// busy end in the processor's cache.
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.buf) {
		return fmt.Errorf("a frame exceeds the buffer of %d bytes", len(c.buf))
	}
	n, err := c.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errServerClosed
	}
	return err
}

// hangUp closes the connection as the protocol wants it, and if that takes too long, without.
// No goroutine may be reading any more. The broker has then processed all that was sent.
func (c *conn) hangUp() error {
	if c.bare {
		return c.Close()
	}
	err := c.SetDeadline(time.Now().Add(closeTimeout))
	if err == nil {
		err = c.dialect.leave(c)
	}
	return errors.Join(err, c.Close())
}

// leave implements dialect.
func (amqpDialect) leave(c *conn) error {
	done := &amqp.ConnectionClose{ReplyCode: amqp.ReplySuccess, ReplyText: "done"}
	_, err := c.call(0, done, amqp.MethodConnectionCloseOk)
	return err
}

// hangUpAll closes connections as hangUp does, several at a time; nil ones are skipped. The
// measurement is over, nothing depends on how they end: errors are dropped.
func hangUpAll(conns []*conn) {
	_ = forAll(len(conns), func(n int) error {
		if conns[n] != nil {
			_ = conns[n].hangUp()
		}
		return nil
	})
}
