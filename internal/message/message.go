// Package message holds what travels through warren: one immutable value per message, its
// exchange, routing key, properties and body side by side in one piece of memory.
//
// Floor 1, pure. A door assembles a message with a Builder; every room after it passes the
// value on. Properties and headers stay in wire form until somebody asks for them.
package message

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/warrenmq/warren/amqp"
)

// persistent is the delivery mode of a message that survives (AMQP 0-9-1, class basic).
const persistent = 2

// Message is one message. It is a small value, cheap to copy; the bytes behind it are shared
// by all copies and must never be changed. They stay as they are as long as somebody holds the
// message: the Builder's caller does at first, who may pass that on, and each hold ends with one
// Release. Who has a copy without a hold may use it as long as another's lasts. A hold that is
// forgotten costs no more than what the garbage collector has to do. The zero Message carries
// nothing.
type Message struct {
	// data is exchange, routing key, properties, body, one after the other.
	data []byte
	// chunk is where data lies if that memory is reused once nobody holds a message in it.
	chunk *Chunk
	// ID is the message's number in its queue when the log has it, 0 when it was never logged.
	ID uint64

	propertiesLen uint32
	exchangeLen   uint8
	keyLen        uint8
	mayExpire     bool
}

// Exchange returns the name of the exchange the message was published to.
func (m *Message) Exchange() []byte { return m.data[:m.exchangeLen] }

// RoutingKey returns the key the message was published with.
func (m *Message) RoutingKey() []byte {
	from := int(m.exchangeLen)
	return m.data[from : from+int(m.keyLen)]
}

// Properties returns the property list as it came over the wire.
func (m *Message) Properties() amqp.RawProperties {
	from := int(m.exchangeLen) + int(m.keyLen)
	return amqp.RawProperties(m.data[from : from+int(m.propertiesLen)])
}

// MayExpire reports whether the properties say so: there is an expiration, whatever it is. It is
// asked of every message, in several rooms, and does not look at its bytes.
func (m *Message) MayExpire() bool { return m.mayExpire }

// expires reports whether a property list has an expiration: bit 8 of the flags, which come first.
func expires(properties []byte) bool { return len(properties) > 0 && properties[0]&1 != 0 }

// Body returns the body; do not change it.
func (m *Message) Body() []byte { return m.data[m.bodyStart():] }

// Size returns the bytes the message occupies: names, properties and body.
func (m *Message) Size() int { return len(m.data) }

// Persistent reports whether the publisher asked for delivery mode 2.
func (m *Message) Persistent() bool { return m.Properties().DeliveryMode() == persistent }

func (m *Message) bodyStart() int {
	return int(m.exchangeLen) + int(m.keyLen) + int(m.propertiesLen)
}

// HeadMax is the length in bytes of the longest head that AppendHead appends.
const HeadMax = headLen + atLen

const (
	headLen = 7
	atLen   = 8
)

// AppendHead appends what Decode needs besides Bytes to rebuild the message, and when it came, in
// milliseconds since 1970; 0: nobody will ask. The two together are the durable form, which never
// changes:
//
//	| form 1 | exchange length 1 | key length 1 | properties length 4 |    head, big endian
//	| when it came 8 |                                                   only if form is 2
//	| exchange | routing key | properties | body |                       Bytes
func (m *Message) AppendHead(dst []byte, at int64) []byte {
	form := byte(durableForm)
	if at != 0 {
		form = durableFormAt
	}
	dst = append(dst, form, m.exchangeLen, m.keyLen)
	dst = binary.BigEndian.AppendUint32(dst, m.propertiesLen)
	if at != 0 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(at))
	}
	return dst
}

const (
	durableForm   = 1
	durableFormAt = 2
)

// Bytes returns the message's bytes, shared: the second part of the durable form.
func (m *Message) Bytes() []byte { return m.data }

// Decode rebuilds a message from its durable form, and returns when it came (see AppendHead). The
// message keeps b.
func Decode(b []byte, id uint64) (m Message, at int64, err error) {
	if len(b) < headLen {
		return Message{}, 0, fmt.Errorf("message: decode: %d bytes are no message", len(b))
	}
	m = Message{
		data:          b[headLen:],
		ID:            id,
		exchangeLen:   b[1],
		keyLen:        b[2],
		propertiesLen: binary.BigEndian.Uint32(b[3:]),
	}
	switch b[0] {
	case durableForm:
	case durableFormAt:
		if len(m.data) < atLen {
			return Message{}, 0, fmt.Errorf("message: decode: %d bytes are no message", len(b))
		}
		at = int64(binary.BigEndian.Uint64(m.data))
		m.data = m.data[atLen:]
	default:
		return Message{}, 0, fmt.Errorf("message: decode: unknown form %d", b[0])
	}
	if at < 0 || at == 0 && b[0] == durableFormAt {
		return Message{}, 0, fmt.Errorf("message: decode: came at %d", at)
	}
	need := uint64(m.exchangeLen) + uint64(m.keyLen) + uint64(m.propertiesLen)
	if need > uint64(len(m.data)) {
		return Message{}, 0, fmt.Errorf(
			"message: decode: %d bytes where the head says at least %d", len(m.data), need)
	}
	m.mayExpire = expires(m.Properties())
	return m, at, nil
}

const (
	// growthStart bounds what a large body may claim before its bytes have arrived, and
	// growthFactor how many times what has arrived it may claim then.
	growthStart  = 64 << 10
	growthFactor = 4
)

// Builder assembles one message after the other from the pieces a connection reads. It copies
// every piece once. The zero Builder is ready; it is not safe for concurrent use.
type Builder struct {
	building []byte
	total    int
	message  Message
}

// Limits of a message.
const (
	// NameMax is the length in bytes of the longest exchange name or routing key.
	NameMax = amqp.ShortStrMax
	// SizeMax is the most that Size may be: an int has 32 bits on some machines.
	SizeMax = math.MaxInt32
)

// Begin starts a message. bodySize is the size its header declared; for a large message memory
// is claimed as the body arrives, not on the strength of the declaration. It fails when
// exchange or key exceed NameMax or the whole exceeds SizeMax.
func (b *Builder) Begin(a *Arena, exchange, key, properties []byte, bodySize uint64) error {
	head := len(exchange) + len(key) + len(properties)
	if len(exchange) > NameMax || len(key) > NameMax ||
		head > SizeMax || bodySize > uint64(SizeMax-head) {
		return fmt.Errorf("message: begin: %d bytes of body, %d of exchange, %d of key",
			bodySize, len(exchange), len(key))
	}
	b.total = head + int(bodySize)
	var chunk *Chunk
	if b.total <= SharedMax {
		b.building, chunk = a.reserve(b.total)
	} else {
		b.building = make([]byte, 0, min(b.total, head+growthStart))
	}
	b.building = append(b.building, exchange...)
	b.building = append(b.building, key...)
	b.building = append(b.building, properties...)
	// One by one, for a literal is made elsewhere and copied; and now, not when it is finished: a
	// processor that copies what has just been written in pieces waits for all that it wrote.
	m := &b.message
	m.chunk = chunk
	if chunk != nil {
		m.data = b.building[:b.total]
	}
	m.exchangeLen, m.keyLen = uint8(len(exchange)), uint8(len(key))
	m.propertiesLen = uint32(len(properties))
	m.mayExpire = expires(properties)
	return nil
}

// Missing returns how many bytes of body are still to come.
func (b *Builder) Missing() int { return b.total - len(b.building) }

// Append adds a piece of body, at most Missing bytes.
func (b *Builder) Append(piece []byte) {
	b.claim(len(piece))
	b.building = append(b.building, piece...)
}

// Room returns memory for some of the next n bytes of the body, for at least one of them; n is at
// least 1 and at most Missing. What is written to it becomes part of the body with Extend.
func (b *Builder) Room(n int) []byte {
	b.claim(1)
	at := len(b.building)
	return b.building[at:min(at+n, cap(b.building))]
}

// Extend adds the first n bytes of what Room has just returned to the body.
func (b *Builder) Extend(n int) { b.building = b.building[:len(b.building)+n] }

// Last returns the last n bytes of the body so far, which are still the builder's.
func (b *Builder) Last(n int) []byte { return b.building[len(b.building)-n:] }

// claim makes room for n more bytes.
func (b *Builder) claim(n int) {
	need := len(b.building) + n
	if need <= cap(b.building) {
		return
	}
	size := min(b.total, max(need, growthFactor*cap(b.building)))
	grown := make([]byte, len(b.building), size)
	copy(grown, b.building)
	b.building = grown
}

// Built returns the finished message, which the caller holds from now on. It is in the builder
// until Forget, which has to follow, before another Begin.
func (b *Builder) Built() *Message {
	if len(b.message.data) != len(b.building) {
		b.message.data = b.building
	}
	return &b.message
}

// Forget lets go of the message that was built, and of its memory.
func (b *Builder) Forget() {
	b.building, b.total = nil, 0
	b.message.data, b.message.chunk = nil, nil
}

// Done is Built and Forget.
func (b *Builder) Done() Message {
	m := *b.Built()
	b.Forget()
	return m
}
