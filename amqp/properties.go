package amqp

import (
	"encoding/binary"
	"math/bits"
)

// Property flags of class basic, in the order in which the values follow. These numbers never
// change. Bit 0 would announce a second word of flags, which class basic does not have.
const (
	flagContentType     = 1 << 15
	flagContentEncoding = 1 << 14
	flagHeaders         = 1 << 13
	flagDeliveryMode    = 1 << 12
	flagPriority        = 1 << 11
	flagCorrelationID   = 1 << 10
	flagReplyTo         = 1 << 9
	flagExpiration      = 1 << 8
	flagMessageID       = 1 << 7
	flagTimestamp       = 1 << 6
	flagType            = 1 << 5
	flagUserID          = 1 << 4
	flagAppID           = 1 << 3
	flagClusterID       = 1 << 2

	flagsUnknown = 1<<2 - 1
)

// noProperties is what an empty RawProperties looks like on the wire. Nobody writes to it.
var noProperties = RawProperties{0, 0}

// RawProperties is the property flags and the property list exactly as on the wire:
//
//	| flags 2 | the values whose flags are set, in the order of the flags |
//
// Those of ParseContentHeader and Properties.AppendTo are valid; on others the accessors say
// that a property is absent when they cannot reach it. Accessors do not allocate; what they
// return aliases p. An empty one is no properties.
type RawProperties []byte

// check validates the whole list. Most messages have no properties, or a delivery mode alone.
func (p RawProperties) check() error {
	if len(p) == 2 && p[0] == 0 && p[1] == 0 {
		return nil
	}
	if len(p) == 3 && p[0] == flagDeliveryMode>>8 && p[1] == 0 {
		return nil
	}
	if err := p.checkList(); err != nil {
		return err // apart from the line above: a nil *Error is no nil error
	}
	return nil
}

func (p RawProperties) checkList() *Error {
	if len(p) < 2 {
		return NewError(SyntaxError, "property flags are missing")
	}
	flags := binary.BigEndian.Uint16(p)
	if flags&flagsUnknown != 0 {
		// Consumers would trip over what RabbitMQ lets pass here.
		return NewError(SyntaxError, "unknown property flags %#04x", flags&flagsUnknown)
	}
	list := p[2:]
	for flags != 0 {
		flag := topFlag(flags)
		flags &^= flag
		n := propertySize(flag, list)
		if n < 0 {
			return NewError(SyntaxError, "message properties end early")
		}
		if flag == flagHeaders {
			if err := Table(list[4:n]).check(); err != nil {
				return err
			}
		}
		list = list[n:]
	}
	if len(list) != 0 {
		return NewError(SyntaxError, "%d octets after the message properties", len(list))
	}
	return nil
}

// topFlag returns the flag whose value comes first. Flags are not 0.
func topFlag(flags uint16) uint16 { return 1 << (15 - bits.LeadingZeros16(flags)) }

// propertySize returns how many octets at the start of list are the property's value, its
// length included, or -1 when they are not all there.
func propertySize(flag uint16, list []byte) int {
	n := 1
	switch flag {
	case flagDeliveryMode, flagPriority:
	case flagTimestamp:
		n = 8
	case flagHeaders:
		if len(list) < 4 {
			return -1
		}
		size := binary.BigEndian.Uint32(list)
		if size > LongStrMax-4 {
			return -1
		}
		n = 4 + int(size)
	default:
		if len(list) == 0 {
			return -1
		}
		n = 1 + int(list[0])
	}
	if n > len(list) {
		return -1
	}
	return n
}

// find returns the value of a property, its length included.
func (p RawProperties) find(want uint16) ([]byte, bool) {
	if len(p) < 2 {
		return nil, false
	}
	flags := binary.BigEndian.Uint16(p)
	if flags&want == 0 {
		return nil, false
	}
	list := p[2:]
	for flags &^= want - 1; flags != 0; {
		flag := topFlag(flags)
		flags &^= flag
		n := propertySize(flag, list)
		if n < 0 {
			return nil, false
		}
		if flag == want {
			return list[:n:n], true
		}
		list = list[n:]
	}
	return nil, false
}

func (p RawProperties) text(want uint16) ([]byte, bool) {
	b, ok := p.find(want)
	if !ok {
		return nil, false
	}
	return b[1:], true
}

// DeliveryMode returns 2 for a persistent message, 1 for a transient one, 0 when absent, and
// any other value that a peer has sent.
func (p RawProperties) DeliveryMode() uint8 {
	if b, ok := p.find(flagDeliveryMode); ok {
		return b[0]
	}
	return 0
}

// Priority returns the priority.
func (p RawProperties) Priority() (uint8, bool) {
	if b, ok := p.find(flagPriority); ok {
		return b[0], true
	}
	return 0, false
}

// Timestamp returns the timestamp, in seconds since 1970 by convention.
func (p RawProperties) Timestamp() (uint64, bool) {
	if b, ok := p.find(flagTimestamp); ok {
		return binary.BigEndian.Uint64(b), true
	}
	return 0, false
}

// Headers returns the headers, nil when absent.
func (p RawProperties) Headers() Table {
	if b, ok := p.find(flagHeaders); ok {
		return Table(b[4:])
	}
	return nil
}

// ContentType returns the content type.
func (p RawProperties) ContentType() ([]byte, bool) { return p.text(flagContentType) }

// ContentEncoding returns the content encoding.
func (p RawProperties) ContentEncoding() ([]byte, bool) { return p.text(flagContentEncoding) }

// CorrelationID returns the correlation id.
func (p RawProperties) CorrelationID() ([]byte, bool) { return p.text(flagCorrelationID) }

// ReplyTo returns the name of the queue for replies.
func (p RawProperties) ReplyTo() ([]byte, bool) { return p.text(flagReplyTo) }

// Expiration returns the time to live: milliseconds, in digits.
func (p RawProperties) Expiration() ([]byte, bool) { return p.text(flagExpiration) }

// MessageID returns the message id.
func (p RawProperties) MessageID() ([]byte, bool) { return p.text(flagMessageID) }

// Type returns the message type.
func (p RawProperties) Type() ([]byte, bool) { return p.text(flagType) }

// UserID returns the user id.
func (p RawProperties) UserID() ([]byte, bool) { return p.text(flagUserID) }

// AppID returns the id of the sending application.
func (p RawProperties) AppID() ([]byte, bool) { return p.text(flagAppID) }

// ClusterID returns the last property, which the specification reserves.
func (p RawProperties) ClusterID() ([]byte, bool) { return p.text(flagClusterID) }

// Properties is the properties of a message, taken apart. A zero value is an absent property.
type Properties struct {
	ContentType     string
	ContentEncoding string
	Headers         Table
	DeliveryMode    uint8
	Priority        uint8
	CorrelationID   string
	ReplyTo         string
	Expiration      string
	MessageID       string
	Timestamp       uint64
	Type            string
	UserID          string
	AppID           string
	ClusterID       string
}

// Decode takes the properties apart. Strings are copied, Headers alias p, and what is present
// with a zero value looks absent: an empty string, empty headers. The error is an *Error with
// code SyntaxError.
func (p RawProperties) Decode() (Properties, error) {
	if len(p) == 0 {
		return Properties{}, nil
	}
	if err := p.check(); err != nil {
		return Properties{}, err
	}
	var d Properties
	for _, s := range d.texts() {
		b, _ := p.text(s.flag)
		*s.value = string(b)
	}
	if h := p.Headers(); len(h) > 0 {
		d.Headers = h
	}
	d.DeliveryMode = p.DeliveryMode()
	d.Priority, _ = p.Priority()
	d.Timestamp, _ = p.Timestamp()
	return d, nil
}

// textProperty is one property that is a short string.
type textProperty struct {
	flag  uint16
	value *string
}

// texts lists the short strings in the order of the wire.
func (p *Properties) texts() [10]textProperty {
	return [...]textProperty{
		{flagContentType, &p.ContentType},
		{flagContentEncoding, &p.ContentEncoding},
		{flagCorrelationID, &p.CorrelationID},
		{flagReplyTo, &p.ReplyTo},
		{flagExpiration, &p.Expiration},
		{flagMessageID, &p.MessageID},
		{flagType, &p.Type},
		{flagUserID, &p.UserID},
		{flagAppID, &p.AppID},
		{flagClusterID, &p.ClusterID},
	}
}

// AppendTo appends the raw form. Strings above ShortStrMax are cut; Headers must be valid.
func (p *Properties) AppendTo(dst []byte) []byte {
	var flags uint16
	start := len(dst)
	dst = append(dst, 0, 0)
	text := func(flag uint16, s string) {
		if s != "" {
			flags |= flag
			dst = appendShortstr(dst, s)
		}
	}
	text(flagContentType, p.ContentType)
	text(flagContentEncoding, p.ContentEncoding)
	if len(p.Headers) > 0 {
		flags |= flagHeaders
		dst = appendTable(dst, p.Headers)
	}
	if p.DeliveryMode != 0 {
		flags |= flagDeliveryMode
		dst = append(dst, p.DeliveryMode)
	}
	if p.Priority != 0 {
		flags |= flagPriority
		dst = append(dst, p.Priority)
	}
	text(flagCorrelationID, p.CorrelationID)
	text(flagReplyTo, p.ReplyTo)
	text(flagExpiration, p.Expiration)
	text(flagMessageID, p.MessageID)
	if p.Timestamp != 0 {
		flags |= flagTimestamp
		dst = binary.BigEndian.AppendUint64(dst, p.Timestamp)
	}
	text(flagType, p.Type)
	text(flagUserID, p.UserID)
	text(flagAppID, p.AppID)
	text(flagClusterID, p.ClusterID)
	binary.BigEndian.PutUint16(dst[start:], flags)
	return dst
}
