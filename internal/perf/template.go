package perf

import (
	"encoding/binary"

	"github.com/warrenmq/warren/amqp"
)

const (
	// WriteSize is the most that one write gives to a socket, unless one message is larger.
	WriteSize = 64 << 10
	// SizeMax is the largest body that a producer sends.
	SizeMax = 128 << 20

	deliveryModePersistent = 2
)

// template is a buffer full of one producer's messages, formatted once. All copies are equal
// but for their stamps, so sending n messages is patching n stamps and writing a prefix.
type template struct {
	buf      []byte
	frame    int // length of one message with its frames
	body     int // offset of the body in it
	bodySize int // of the body's part in its first frame
	copies   int
}

// newTemplate formats messages; method is the whole first frame of each.
func newTemplate(method []byte, p ProducerOptions, origin stamp, frameMax uint32) *template {
	properties := amqp.Properties{}
	if p.Persistent {
		properties.DeliveryMode = deliveryModePersistent
	}
	raw := amqp.RawProperties(properties.AppendTo(nil))
	body := make([]byte, p.Size)
	for i := range body {
		body[i] = byte(i)
	}
	putStamp(body, origin)
	header := amqp.AppendContent(method[:len(method):len(method)], channelID, raw, nil, frameMax)
	one := amqp.AppendContent(method[:len(method):len(method)], channelID, raw, body, frameMax)

	t := &template{frame: len(one), body: len(header) + amqp.FrameOverhead - 1}
	t.bodySize = min(p.Size, stampSize) // a stamp fits into the smallest frame_max
	t.copies = max(1, WriteSize/len(one))
	if p.WriteBatch > 0 {
		t.copies = min(t.copies, p.WriteBatch)
	}
	t.buf = make([]byte, 0, t.copies*len(one))
	for range t.copies {
		t.buf = append(t.buf, one...)
	}
	// AppendContent states the size of the body in the header: make sure of the offset.
	if p.Size > 0 && t.buf[t.body+p.firstPart(frameMax)] != amqp.FrameEnd {
		panic("perf: the template's body is not where it was expected")
	}
	return t
}

// firstPart is how much of the body is in its first frame.
func (p ProducerOptions) firstPart(frameMax uint32) int {
	return min(p.Size, int(max(frameMax, amqp.FrameMinSize))-amqp.FrameOverhead)
}

// fill stamps the first n messages, from sequence on, and returns their bytes, which are valid
// until the next call.
func (t *template) fill(n int, sequence uint64, now int64) []byte {
	if t.bodySize < originSize {
		return t.fillSmall(n, sequence)
	}
	at := t.body
	if t.bodySize < stampSize {
		for i := range n {
			binary.BigEndian.PutUint32(t.buf[at+4:], uint32(sequence)+uint32(i))
			at += t.frame
		}
		return t.buf[:n*t.frame]
	}
	for i := range n {
		part := t.buf[at : at+stampSize]
		binary.BigEndian.PutUint32(part[4:], uint32(sequence)+uint32(i))
		binary.BigEndian.PutUint64(part[8:], uint64(now))
		at += t.frame
	}
	return t.buf[:n*t.frame]
}

func (t *template) fillSmall(n int, sequence uint64) []byte {
	if t.bodySize >= sequenceSize {
		for i := range n {
			at := t.body + i*t.frame
			binary.BigEndian.PutUint32(t.buf[at:], uint32(sequence)+uint32(i))
		}
	}
	return t.buf[:n*t.frame]
}
