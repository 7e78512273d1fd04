package amqp091

import (
	"encoding/binary"

	"github.com/warrenmq/warren/amqp"
)

// directMin is the number of missing bytes from which on the rest of a body frame is read straight
// into its message, without the read buffer between them.
const directMin = 32 << 10

// direct is the body frame whose rest goes straight into its message.
type direct struct {
	ch   *Channel // nil: there is none
	size int      // of the payload
	left int      // of it; with 0 left, the octet that ends the frame is missing
}

// beginDirect looks at the beginning of a frame that is not there yet. If the frame is one that
// can be read directly, it takes all of b and reports true.
func (c *Connection) beginDirect(b []byte) bool {
	if frameSize(b)-len(b) < directMin || b[0] != amqp.FrameBody || c.state != running {
		return false
	}
	ch := c.channels[binary.BigEndian.Uint16(b[1:])]
	size := frameSize(b) - amqp.FrameOverhead
	if ch == nil || ch.closing || ch.content.expected != body || size > ch.builder.Missing() {
		return false
	}
	payload := b[amqp.FrameOverhead-1:]
	ch.builder.Append(payload)
	c.direct = direct{ch: ch, size: size, left: size - len(payload)}
	return true
}

// receive waits until more has arrived, as input.fill does.
func (c *Connection) receive(need int) ([]byte, error) {
	d := &c.direct
	if d.ch == nil || d.left == 0 {
		return c.in.fill(need)
	}
	n, data, err := c.in.fillDirect(d.ch.builder.Room(d.left))
	d.ch.builder.Extend(n)
	d.left -= n
	return data, err
}

// goOnDirect takes what data has of the frame that is read directly, and says how much that is.
func (c *Connection) goOnDirect(data []byte) (used int, err error) {
	d := &c.direct
	used = min(d.left, len(data))
	d.ch.builder.Append(data[:used])
	d.left -= used
	if used == len(data) {
		return used, nil
	}
	whole := *d
	c.direct = direct{}
	if end := data[used]; end != amqp.FrameEnd {
		return len(data), c.broken(whole.endError(end))
	}
	return used + 1, c.onChannel(whole.ch, whole.ch.bodyCame())
}

// endError is the error of a frame that ends with the wrong octet.
func (d *direct) endError(end byte) error {
	frame := amqp.AppendBodyHeader(nil, d.ch.id, d.size)
	frame = append(frame, d.ch.builder.Last(d.size)...)
	_, _, err := amqp.ParseFrame(append(frame, end), 0)
	return err
}
