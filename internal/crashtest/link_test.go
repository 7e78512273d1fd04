package crashtest

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// patience is how long a broker may take to answer; a broker under test is never idle.
const patience = 30 * time.Second

// errPatience: the broker lives and does not answer.
var errPatience = errors.New("the broker did not answer in time")

// link is an AMQP connection with channels 1 and 2. It belongs to one goroutine.
type link struct {
	conn       net.Conn
	buf        []byte
	used, have int
	out        []byte // what send sends
	body       []byte // of the last content
}

// dial logs in as guest.
func dial(addr string) (*link, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, buf: make([]byte, 256<<10)}
	if err := l.login(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

func (l *link) login() error {
	l.out = append(l.out, amqp.ProtocolHeader[:]...)
	if err := l.send(); err != nil {
		return err
	}
	if _, err := l.expect(amqp.MethodConnectionStart); err != nil {
		return err
	}
	_, err := l.call(0, &amqp.ConnectionStartOk{
		ClientProperties: amqp.NewTable(map[string]any{
			"capabilities": map[string]any{"connection.blocked": true},
		}),
		Mechanism: "PLAIN", Response: "\x00guest\x00guest", Locale: "en_US",
	}, amqp.MethodConnectionTune)
	if err != nil {
		return err
	}
	l.method(0, &amqp.ConnectionTuneOk{ChannelMax: 2, FrameMax: 128 << 10})
	open := &amqp.ConnectionOpen{VirtualHost: "/"}
	if _, err := l.call(0, open, amqp.MethodConnectionOpenOk); err != nil {
		return err
	}
	for channel := uint16(1); channel <= 2; channel++ {
		_, err := l.call(channel, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *link) close() { _ = l.conn.Close() }

// method appends a method to what send sends.
func (l *link) method(channel uint16, m amqp.Method) {
	l.out = amqp.AppendMethodFrame(l.out, channel, m)
}

// publish appends a message to what send sends.
func (l *link) publish(channel uint16, exchange, key string, p amqp.Properties, body []byte) {
	l.out = amqp.AppendBasicPublish(l.out, channel, exchange, key, false, false)
	l.out = amqp.AppendContent(l.out, channel, p.AppendTo(nil), body, 128<<10)
}

// send sends what was appended.
func (l *link) send() error {
	_ = l.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := l.conn.Write(l.out)
	l.out = l.out[:0]
	return inTime(err)
}

// frame returns the next frame, valid until the next call.
func (l *link) frame() (amqp.Frame, error) {
	for {
		f, n, err := amqp.ParseFrame(l.buf[l.used:l.have], 0)
		if err != nil {
			return f, fmt.Errorf("%w: %w", errViolation, err)
		}
		l.used += n
		if n > 0 && f.Type != amqp.FrameHeartbeat {
			return f, nil
		}
		if n > 0 {
			continue
		}
		l.have, l.used = copy(l.buf, l.buf[l.used:l.have]), 0
		_ = l.conn.SetReadDeadline(time.Now().Add(patience))
		n, err = l.conn.Read(l.buf[l.have:])
		l.have += n
		if n == 0 {
			return f, inTime(err)
		}
	}
}

// waiting reports whether a read would wait for the broker.
func (l *link) waiting() bool {
	_, n, _ := amqp.ParseFrame(l.buf[l.used:l.have], 0)
	return n == 0
}

func inTime(err error) error {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return errPatience
	}
	return err
}

// next returns the next method. That the broker closes something is a violation.
func (l *link) next() (amqp.Method, error) {
	f, err := l.frame()
	if err != nil {
		return nil, err
	}
	if f.Type != amqp.FrameMethod {
		return nil, fmt.Errorf("%w: a frame of type %d came, no method", errViolation, f.Type)
	}
	m, err := amqp.ParseMethod(f.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errViolation, err)
	}
	switch m := m.(type) {
	case *amqp.ChannelClose:
		return nil, fmt.Errorf("%w: the broker closes the channel: %+v", errViolation, m)
	case *amqp.ConnectionClose:
		if m.ReplyCode == amqp.ConnectionForced { // it was told to stop
			return nil, net.ErrClosed
		}
		return nil, fmt.Errorf("%w: the broker closes the connection: %+v", errViolation, m)
	}
	return m, nil
}

func (l *link) expect(want amqp.MethodID) (amqp.Method, error) {
	m, err := l.next()
	if err == nil && m.ID() != want {
		return nil, fmt.Errorf("%w: %+v came where %v was expected", errViolation, m, want)
	}
	return m, err
}

// call sends a method and returns the answer, which has to be the next to come.
func (l *link) call(channel uint16, m amqp.Method, want amqp.MethodID) (amqp.Method, error) {
	l.method(channel, m)
	if err := l.send(); err != nil {
		return nil, err
	}
	return l.expect(want)
}

// content returns what comes after a deliver; the body is valid until the next call.
func (l *link) content() (id string, body []byte, err error) {
	f, err := l.frame()
	if err != nil {
		return "", nil, err
	}
	h, err := amqp.ParseContentHeader(f.Payload)
	if err != nil || f.Type != amqp.FrameHeader {
		return "", nil, fmt.Errorf("%w: no content header but %+v: %v", errViolation, f, err)
	}
	text, _ := h.Properties.MessageID()
	id = string(text)
	l.body = l.body[:0]
	for uint64(len(l.body)) < h.BodySize {
		if f, err = l.frame(); err != nil {
			return "", nil, err
		}
		if f.Type != amqp.FrameBody {
			return "", nil, fmt.Errorf("%w: no body but %+v", errViolation, f)
		}
		l.body = append(l.body, f.Payload...)
	}
	return id, l.body, nil
}
