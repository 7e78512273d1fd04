package amqp

import "encoding/binary"

// The content header on the wire; these numbers never change.
//
//	| class 2 | weight 2 | body size 8 | property flags 2 | properties |
const (
	// ClassBasic is the only class whose methods carry content.
	ClassBasic = 60

	contentHeaderSize = 12 // before the property flags
)

// ContentHeader is the payload of a header frame. Its properties alias that payload. The body
// size is whatever the peer declared, up to 2^64-1: never allocate by it.
type ContentHeader struct {
	ClassID    uint16
	BodySize   uint64
	Properties RawProperties
}

// ParseContentHeader reads the payload of a header frame and validates the property list
// completely, so that RawProperties can be read, kept and passed on without another check.
// It does not allocate unless it fails. The error is an *Error: UnexpectedFrame for a class
// other than basic or a weight other than 0, FrameError when the payload is too short,
// SyntaxError for malformed properties. Code and text are RabbitMQ's but for malformed
// properties, where it answers InternalError. The method of the error is for the caller to set.
func ParseContentHeader(payload []byte) (ContentHeader, error) {
	if len(payload) < contentHeaderSize {
		return ContentHeader{}, unknownFrame(FrameHeader, payload)
	}
	if binary.BigEndian.Uint32(payload) != ClassBasic<<16 { // class and weight at once
		return ContentHeader{}, headerClassError(payload)
	}
	props := RawProperties(payload[contentHeaderSize:])
	if err := props.check(); err != nil {
		return ContentHeader{}, err
	}
	return ContentHeader{
		ClassID:    ClassBasic,
		BodySize:   binary.BigEndian.Uint64(payload[4:]),
		Properties: props,
	}, nil
}

func headerClassError(payload []byte) error {
	if class := binary.BigEndian.Uint16(payload); class != ClassBasic {
		return NewError(UnexpectedFrame,
			"expected content header for class %d, got one for class %d instead", ClassBasic, class)
	}
	return NewError(UnexpectedFrame, "expected content header for class %d, "+
		"got non content header frame instead", ClassBasic)
}

// AppendContent appends the header frame and as many body frames as the body needs, none for
// an empty one. A frame_max of 0 is no limit; one below FrameMinSize counts as FrameMinSize.
// Empty props are properties without any. The header cannot be split: that it fits into the
// peer's frame_max is the caller's care.
func AppendContent(dst []byte, channel uint16, props RawProperties, body []byte,
	frameMax uint32,
) []byte {
	if len(props) < 2 {
		props = noProperties
	}
	size := contentHeaderSize + len(props)
	start := len(dst)
	whole := size + FrameOverhead
	single := len(body) != 0 && len(body) <= BodyMax(frameMax)
	if single {
		whole += len(body) + FrameOverhead
	}
	dst = extend(dst, whole)
	b := dst[start:]
	putFrameHeader(b, FrameHeader, channel, size)
	binary.BigEndian.PutUint32(b[7:], ClassBasic<<16)
	binary.BigEndian.PutUint64(b[11:], uint64(len(body)))
	at := 19 + copy(b[19:], props)
	b[at] = FrameEnd
	if !single {
		return AppendBody(dst, channel, body, frameMax)
	}
	b = b[at+1:]
	putFrameHeader(b, FrameBody, channel, len(body))
	copy(b[7:], body)
	b[len(b)-1] = FrameEnd
	return dst
}

// AppendContentHeader appends the header frame of a content with a body of bodySize octets. Empty
// props are properties without any.
func AppendContentHeader(dst []byte, channel uint16, props RawProperties, bodySize int) []byte {
	if len(props) < 2 {
		props = noProperties
	}
	size := contentHeaderSize + len(props)
	start := len(dst)
	dst = extend(dst, size+FrameOverhead)
	b := dst[start:]
	putFrameHeader(b, FrameHeader, channel, size)
	binary.BigEndian.PutUint32(b[7:], ClassBasic<<16)
	binary.BigEndian.PutUint64(b[11:], uint64(bodySize))
	copy(b[19:], props)
	b[len(b)-1] = FrameEnd
	return dst
}

// AppendBodyHeader appends the beginning of a body frame with a payload of size octets. The
// payload and FrameEnd have to follow.
func AppendBodyHeader(dst []byte, channel uint16, size int) []byte {
	dst = extend(dst, FrameOverhead-1)
	putFrameHeader(dst[len(dst)-FrameOverhead+1:], FrameBody, channel, size)
	return dst
}

// BodyMax is how much of a body fits into one frame. A frame_max of 0 is no limit; one below
// FrameMinSize counts as FrameMinSize.
func BodyMax(frameMax uint32) int {
	if frameMax == 0 || frameMax > LongStrMax {
		return LongStrMax - FrameOverhead
	}
	return int(max(frameMax, FrameMinSize)) - FrameOverhead
}

// AppendBody appends the frames of a body, of the greatest size but for the last, none for an
// empty one.
func AppendBody(dst []byte, channel uint16, body []byte, frameMax uint32) []byte {
	for most := BodyMax(frameMax); len(body) > 0; {
		part := body[:min(len(body), most)]
		body = body[len(part):]
		start := len(dst)
		dst = extend(dst, len(part)+FrameOverhead)
		putFrameHeader(dst[start:], FrameBody, channel, len(part))
		copy(dst[start+frameHeaderSize:], part)
		dst[len(dst)-1] = FrameEnd
	}
	return dst
}
