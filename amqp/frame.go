package amqp

import "encoding/binary"

// Frame types.
const (
	FrameMethod    = 1
	FrameHeader    = 2
	FrameBody      = 3
	FrameHeartbeat = 8
)

// A frame on the wire; these numbers never change.
//
//	| type 1 | channel 2 | size 4 | payload size | 0xCE |
const (
	// FrameEnd is the octet that closes every frame.
	FrameEnd = 0xCE
	// FrameOverhead is what a frame adds to its payload: seven octets before, one after.
	FrameOverhead = frameHeaderSize + 1
	// FrameTolerance is by how much a frame may exceed frame_max: RabbitMQ compares the payload
	// alone with it, and clients have come to rely on that.
	FrameTolerance = FrameOverhead
	// FrameMinSize is the least frame_max that peers may agree on: every peer takes a whole
	// frame of this size.
	FrameMinSize = 4096

	frameHeaderSize = 7
)

// ProtocolHeader is what a client sends before its first frame. Nobody writes to it.
var ProtocolHeader = [8]byte{'A', 'M', 'Q', 'P', 0, 0, 9, 1}

// Frame is one frame. Its payload aliases the bytes it was parsed from.
type Frame struct {
	Type    uint8
	Channel uint16
	Payload []byte
}

// ParseFrame reads the frame at the start of b and tells in n how many bytes it takes.
// With n == 0 and err == nil, b does not hold the whole frame yet: read more and call again.
//
// The limit maxSize is the negotiated frame_max, which counts the whole frame; 0 is no limit.
// A frame may exceed it by FrameTolerance.
// The error is an *Error with code FrameError: for a type that does not exist, a frame above
// maxSize or a heartbeat with a payload as soon as the header is there, so that nobody
// buffers such a frame; for a wrong end octet when the frame is complete.
func ParseFrame(b []byte, maxSize uint32) (f Frame, n int, err error) {
	if len(b) < frameHeaderSize {
		return Frame{}, 0, nil
	}
	head := binary.BigEndian.Uint32(b[3:7])
	whole := uint64(head) + FrameOverhead
	if !frameTypeKnown(b[0]) || (maxSize != 0 && whole > uint64(maxSize)+FrameTolerance) ||
		(b[0] == FrameHeartbeat && head != 0) {
		return Frame{}, 0, frameHeaderError(b, head, maxSize)
	}
	if uint64(len(b)) < whole {
		return Frame{}, 0, nil
	}
	end := int(whole) - 1
	if b[end] != FrameEnd {
		return Frame{}, 0, frameEndError(b[0], b[frameHeaderSize:end], b[end])
	}
	f.Type = b[0]
	f.Channel = uint16(b[1])<<8 | uint16(b[2])
	f.Payload = b[frameHeaderSize:end:end]
	return f, int(whole), nil
}

func frameTypeKnown(t uint8) bool {
	const known = 1<<FrameMethod | 1<<FrameHeader | 1<<FrameBody | 1<<FrameHeartbeat
	return t <= FrameHeartbeat && known>>t&1 != 0
}

// frameHeaderError refuses a frame by its header. Its payload is not waited for, and shown only
// if it has arrived.
func frameHeaderError(b []byte, size, maxSize uint32) error {
	kind := b[0]
	if !frameTypeKnown(kind) || kind == FrameHeartbeat {
		payload := b[frameHeaderSize:]
		if uint64(size) > uint64(len(payload)) {
			size = 0
		}
		return unknownFrame(kind, payload[:size])
	}
	return NewError(FrameError, "type %d, all octets = <<>>: {frame_too_large,%d,%d}",
		kind, size, int64(maxSize)-FrameOverhead)
}

// unknownFrame says that a frame has no meaning, in RabbitMQ's words.
func unknownFrame(kind uint8, payload []byte) error {
	return NewError(FrameError, "type %d, %s: unknown_frame",
		kind, printed(payload))
}

func frameEndError(kind uint8, payload []byte, end uint8) error {
	return NewError(FrameError, "type %d, %s: {invalid_frame_end_marker,%d}",
		kind, printed(payload), end)
}

// extend makes room for n bytes at the end of dst and returns dst with that length. The new
// bytes hold anything: the caller writes all of them.
func extend(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst[:len(dst)+n]
	}
	return append(dst, make([]byte, n)...)
}

// putFrameHeader writes the seven octets before a payload.
func putFrameHeader(b []byte, kind uint8, channel uint16, size int) {
	_ = b[frameHeaderSize-1]
	b[0] = kind
	binary.BigEndian.PutUint16(b[1:], channel)
	binary.BigEndian.PutUint32(b[3:], uint32(size))
}

// AppendHeartbeat appends a heartbeat frame, which always travels on channel 0.
func AppendHeartbeat(dst []byte) []byte {
	return append(dst, FrameHeartbeat, 0, 0, 0, 0, 0, 0, FrameEnd)
}
