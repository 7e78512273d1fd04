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

	tagDigits = 8 // of a delivery tag in a template for NATS
)

// template is a buffer full of one producer's messages, formatted once. All copies are equal
// but for their stamps, so sending n messages is patching n stamps and writing a part of it.
//
// With several keys the copies take turns, and writes go on where the last one ended; each
// copy has the same length, so keys must.
type template struct {
	buf      []byte
	frame    int // length of one message with its frames
	body     int // offset of the body in it
	bodySize int // of the body's part in its first frame
	tag      int // offset of the digits that name a message to NATS; 0: none
	copies   int // the most in one write
	total    int // in the buffer
	next     int // the copy that the next write begins with
}

// newTemplate formats messages with one key; method is the whole first frame of each.
func newTemplate(method []byte, p ProducerOptions, origin stamp, frameMax uint32) *template {
	return newTemplates([][]byte{method}, p, origin, frameMax)
}

// newTemplates formats messages that take turns with their methods, all of one length.
func newTemplates(methods [][]byte, p ProducerOptions, origin stamp, frameMax uint32) *template {
	properties := amqp.Properties{}
	if p.Persistent {
		properties.DeliveryMode = deliveryModePersistent
	}
	raw := amqp.RawProperties(properties.AppendTo(nil))
	body := newBody(p, origin)
	method := methods[0]
	header := amqp.AppendContent(method[:len(method):len(method)], channelID, raw, nil, frameMax)
	var formats [][]byte
	for _, m := range methods {
		m = m[:len(m):len(m)]
		formats = append(formats, amqp.AppendContent(m, channelID, raw, body, frameMax))
	}
	t := repeat(formats, p)
	t.body = len(header) + amqp.FrameOverhead - 1
	// AppendContent states the size of the body in the header: make sure of the offset.
	if p.Size > 0 && t.buf[t.body+p.firstPart(frameMax)] != amqp.FrameEnd {
		panic("perf: the template's body is not where it was expected")
	}
	return t
}

// newBody is the body of a producer's messages, all but the stamp final.
func newBody(p ProducerOptions, origin stamp) []byte {
	body := make([]byte, p.Size)
	for i := range body {
		body[i] = byte(i)
	}
	putStamp(body, origin)
	return body
}

// repeat fills a template with messages in turn, as many as a write may have, or one of each.
func repeat(formats [][]byte, p ProducerOptions) *template {
	t := &template{frame: len(formats[0])}
	t.bodySize = min(p.Size, stampSize) // a stamp fits into the smallest frame_max
	t.copies = max(1, WriteSize/t.frame)
	if p.WriteBatch > 0 {
		t.copies = min(t.copies, p.WriteBatch)
	}
	t.total = t.copies
	if len(formats) > 1 {
		t.total = len(formats)
	}
	t.buf = make([]byte, 0, t.total*t.frame)
	for i := range t.total {
		one := formats[i%len(formats)]
		if len(one) != t.frame {
			panic("perf: the messages of a template differ in length")
		}
		t.buf = append(t.buf, one...)
	}
	return t
}

// firstPart is how much of the body is in its first frame.
func (p ProducerOptions) firstPart(frameMax uint32) int {
	return min(p.Size, int(max(frameMax, amqp.FrameMinSize))-amqp.FrameOverhead)
}

// room is the most that the next fill may be asked for.
func (t *template) room() int { return min(t.copies, t.total-t.next) }

// fill stamps the next n messages, from sequence on, and returns their bytes, which are valid
// until the next call.
func (t *template) fill(n int, sequence uint64, now int64) []byte {
	part := t.buf[t.next*t.frame : (t.next+n)*t.frame]
	if t.total > t.copies || t.next > 0 {
		t.next = (t.next + n) % t.total
	}
	if t.tag > 0 {
		t.fillTags(part, sequence)
	}
	if t.bodySize < originSize {
		return t.fillSmall(part, sequence)
	}
	if t.bodySize < stampSize {
		for at := t.body; at < len(part); at += t.frame {
			binary.BigEndian.PutUint32(part[at+4:], uint32(sequence))
			sequence++
		}
		return part
	}
	for at := t.body; at < len(part); at += t.frame {
		stamp := part[at : at+stampSize]
		binary.BigEndian.PutUint32(stamp[4:], uint32(sequence))
		binary.BigEndian.PutUint64(stamp[8:], uint64(now))
		sequence++
	}
	return part
}

func (t *template) fillSmall(part []byte, sequence uint64) []byte {
	if t.bodySize >= sequenceSize {
		for at := t.body; at < len(part); at += t.frame {
			binary.BigEndian.PutUint32(part[at:], uint32(sequence))
			sequence++
		}
	}
	return part
}

// fillTags writes the delivery tags, which count from 1, in hexadecimal digits.
func (t *template) fillTags(part []byte, sequence uint64) {
	const digits = "0123456789abcdef"
	for at := t.tag; at < len(part); at += t.frame {
		sequence++
		tag := uint32(sequence)
		for i := range tagDigits {
			part[at+tagDigits-1-i] = digits[tag&15]
			tag >>= 4
		}
	}
}
