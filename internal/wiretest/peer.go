package wiretest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/amqp"
)

const (
	// bodyShownMax is the length up to which the body of a content is shown.
	bodyShownMax = 80
	// barrierExchange exists in every vhost: a barrier asks for it, which changes nothing.
	barrierExchange = "amq.direct"
	readSize        = 64 << 10
)

// answer is one thing that the broker did on a connection.
type answer struct {
	channel uint16
	text    string
}

// content is a message whose frames are still coming.
type content struct {
	text   string // the method
	header amqp.ContentHeader
	headed bool
	body   []byte
	frames int
}

// peer is the client's end of one connection. It belongs to one goroutine.
type peer struct {
	name     string
	conn     net.Conn
	buf      []byte
	ended    bool // the broker has hung up, or we have
	closing  bool // the broker has sent connection.close
	closed   bool // the broker has sent connection.close-ok
	frameMax uint32
	barrier  uint16 // the channel for barriers, 0 for none
	barriers int    // how many came back
	contents map[uint16]*content
	answers  []answer
}

// dial connects without sending anything.
func dial(name, addr string) (*peer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &peer{name: name, conn: conn, frameMax: amqp.FrameMinSize,
		contents: make(map[uint16]*content)}, nil
}

// write sends bytes. That the broker has hung up shows when reading.
func (p *peer) write(b []byte) {
	_ = p.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = p.conn.Write(b)
}

// send sends a method.
func (p *peer) send(channel uint16, m amqp.Method) {
	p.write(amqp.AppendMethodFrame(nil, channel, m))
}

// end hangs up.
func (p *peer) end() {
	p.ended = true
	_ = p.conn.Close()
}

// readUntil reads answers until done says so, the connection ends, or nothing has come for
// as long as wait. It tells whether done.
func (p *peer) readUntil(done func() bool, wait time.Duration) bool {
	chunk := make([]byte, readSize)
	for {
		p.parse()
		if done() {
			return true
		}
		if p.ended {
			return false
		}
		_ = p.conn.SetReadDeadline(time.Now().Add(wait))
		n, err := p.conn.Read(chunk)
		p.buf = append(p.buf, chunk[:n]...)
		switch {
		case n > 0 || err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false
		default:
			p.end()
			p.add(0, "closed")
		}
	}
}

// parse turns what has been read into answers.
func (p *peer) parse() {
	for {
		if bytes.HasPrefix(p.buf, []byte("AMQP")) && len(p.buf) >= len(amqp.ProtocolHeader) {
			n := len(amqp.ProtocolHeader)
			p.add(0, "raw text="+strconv.Quote(string(p.buf[:n])))
			p.buf = p.buf[n:]
			continue
		}
		if bytes.HasPrefix(p.buf, []byte("AMQP")) {
			return
		}
		f, n, err := amqp.ParseFrame(p.buf, 0)
		if err != nil {
			p.add(0, fmt.Sprintf("garbage %q: %v", p.buf, err))
			p.buf = nil
			return
		}
		if n == 0 {
			return
		}
		p.frame(f)
		p.buf = p.buf[n:]
	}
}

func (p *peer) add(channel uint16, text string) {
	p.answers = append(p.answers, answer{channel, text})
}

func (p *peer) frame(f amqp.Frame) {
	c := p.contents[f.Channel]
	switch {
	case f.Type == amqp.FrameHeartbeat:
	case f.Type == amqp.FrameMethod:
		p.method(f)
	case f.Type == amqp.FrameHeader && c != nil && !c.headed:
		h, err := amqp.ParseContentHeader(slices.Clone(f.Payload))
		if err != nil {
			delete(p.contents, f.Channel)
			p.add(f.Channel, fmt.Sprintf("%s header=%x", c.text, f.Payload))
			return
		}
		c.header, c.headed = h, true
		p.finish(f.Channel, c)
	case f.Type == amqp.FrameBody && c != nil && c.headed:
		c.body = append(c.body, f.Payload...)
		c.frames++
		p.finish(f.Channel, c)
	default:
		p.add(f.Channel, fmt.Sprintf("frame type=%d payload=%x", f.Type, f.Payload))
	}
}

func (p *peer) method(f amqp.Frame) {
	m, err := amqp.ParseMethod(f.Payload)
	if err != nil {
		p.add(f.Channel, formatUnknown(f.Payload))
		return
	}
	switch m.(type) {
	case *amqp.ExchangeDeclareOk:
		if f.Channel == p.barrier && p.barrier != 0 {
			p.barriers++
			return
		}
	case *amqp.BasicDeliver, *amqp.BasicGetOk, *amqp.BasicReturn:
		p.contents[f.Channel] = &content{text: formatMethod(m)}
		return
	case *amqp.ConnectionClose:
		p.closing = true
	case *amqp.ConnectionCloseOk:
		p.closed = true
	}
	p.add(f.Channel, formatMethod(m))
}

// finish adds a content to the answers when it is complete.
func (p *peer) finish(channel uint16, c *content) {
	if uint64(len(c.body)) < c.header.BodySize {
		return
	}
	delete(p.contents, channel)
	text := c.text + formatProperties(c.header.Properties)
	if len(c.body) <= bodyShownMax {
		text += " body=" + strconv.Quote(string(c.body))
	} else {
		text += fmt.Sprintf(" body-size=%d", len(c.body))
	}
	if c.frames > 1 {
		text += fmt.Sprintf(" frames=%d", c.frames)
	}
	p.add(channel, text)
}

// refused tells whether an answer is a close.
func (p *peer) refused() bool {
	return p.ended || p.closing || slices.ContainsFunc(p.answers, func(a answer) bool {
		return strings.HasPrefix(a.text, "channel.close ")
	})
}

// settle sends a barrier and reads what comes before it is back.
func (p *peer) settle() {
	if p.ended || p.closing || p.closed || p.barrier == 0 {
		return
	}
	want := p.barriers + 1
	p.send(p.barrier, &amqp.ExchangeDeclare{Exchange: barrierExchange, Passive: true})
	back := func() bool { return p.barriers >= want || p.closing }
	if !p.readUntil(back, patience) && !p.ended {
		p.add(0, "no answer to a barrier")
	}
}

// take returns the answers as lines, sorted by channel, and forgets them.
func (p *peer) take() (lines []string) {
	sort.SliceStable(p.answers, func(i, j int) bool {
		return p.answers[i].channel < p.answers[j].channel
	})
	for _, a := range p.answers {
		lines = append(lines, address(p.name, a.channel, a.text)+a.text)
	}
	p.answers = nil
	return lines
}
