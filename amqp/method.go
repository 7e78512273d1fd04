package amqp

import (
	"encoding/binary"
	"fmt"
)

// MethodID is class<<16 | method, as the four octets that a method frame begins with.
type MethodID uint32

// MethodIDSize is the length of class and method at the start of a method frame's payload;
// the arguments follow.
const MethodIDSize = 4

// Class returns the number of the class.
func (id MethodID) Class() uint16 { return uint16(id >> 16) }

// Method returns the number of the method within its class.
func (id MethodID) Method() uint16 { return uint16(id) }

// String returns the specification's name, "basic.publish", or "60.41" for a number that
// has none.
func (id MethodID) String() string {
	if name := methodName(id); name != "" {
		return name
	}
	return fmt.Sprintf("%d.%d", id.Class(), id.Method())
}

// Known tells whether the specification has a method of this number.
func (id MethodID) Known() bool { return methodName(id) != "" }

// Method is one method of the specification: *BasicAck, *QueueDeclare and so on.
type Method interface {
	// ID returns the number of the method.
	ID() MethodID
	// AppendTo appends the arguments, without class and method number. It cuts strings that
	// are too long: see ShortStrMax. Tables must be valid.
	AppendTo(dst []byte) []byte
	// Decode reads exactly these arguments. It copies strings; tables alias args and are
	// valid. It takes any value in reserved fields, and overwrites every field. The error is
	// an *Error with this method's number; the fields hold anything after it.
	Decode(args []byte) error
}

// ParseMethodID reads the number at the start of a method frame's payload. The number need
// not be one of the specification. The error is an *Error with code FrameError.
func ParseMethodID(payload []byte) (MethodID, error) {
	if len(payload) < MethodIDSize {
		return 0, unknownFrame(FrameMethod, payload)
	}
	return MethodID(binary.BigEndian.Uint32(payload)), nil
}

// ParseMethod reads the payload of a method frame. It allocates the method: the hot paths use
// ParseMethodID and decode into a value of their own. The error is an *Error: CommandInvalid
// for a method that does not exist, FrameError for arguments that cannot be read, SyntaxError
// for a malformed field table. Where RabbitMQ answers, these are its code and text; at an
// unknown method and a malformed table it drops the connection without an answer.
func ParseMethod(payload []byte) (Method, error) {
	id, err := ParseMethodID(payload)
	if err != nil {
		return nil, err
	}
	m := newMethod(id)
	if m == nil {
		err := NewError(CommandInvalid, "unimplemented method")
		err.Method = id
		return nil, err
	}
	if err := m.Decode(payload[MethodIDSize:]); err != nil {
		return nil, err
	}
	return m, nil
}

// AppendMethodFrame appends a whole method frame. A method cannot be split: that it fits into
// the peer's frame_max is the caller's care.
func AppendMethodFrame(dst []byte, channel uint16, m Method) []byte {
	start := len(dst)
	dst = extend(dst, frameHeaderSize+MethodIDSize)
	binary.BigEndian.PutUint32(dst[start+frameHeaderSize:], uint32(m.ID()))
	dst = m.AppendTo(dst)
	size := len(dst) - start - frameHeaderSize
	putFrameHeader(dst[start:], FrameMethod, channel, size)
	return append(dst, FrameEnd)
}
