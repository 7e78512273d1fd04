package amqp

import "encoding/binary"

// The methods that travel once per message, without allocation and without a Method value.

// BasicPublishView is basic.publish as it lies in the buffer: the names alias the arguments.
type BasicPublishView struct {
	Exchange, RoutingKey []byte
	Mandatory, Immediate bool
}

// Decode reads the arguments of basic.publish:
//
//	| reserved 2 | exchange 1+n | routing key 1+n | bits 1 |
//
// It does not allocate unless it fails; the error is an *Error with code FrameError.
func (v *BasicPublishView) Decode(args []byte) error {
	if len(args) < 5 {
		return decodeError(MethodBasicPublish, args)
	}
	key := 3 + int(args[2]) // where the routing key's length stands
	if key+2 > len(args) {
		return decodeError(MethodBasicPublish, args)
	}
	bits := key + 1 + int(args[key])
	if bits+1 != len(args) {
		return decodeError(MethodBasicPublish, args)
	}
	v.Exchange = args[3:key:key]
	v.RoutingKey = args[key+1 : bits : bits]
	v.Mandatory = args[bits]&1 != 0
	v.Immediate = args[bits]&2 != 0
	return nil
}

// AppendBasicDeliver appends a whole basic.deliver frame. Strings above ShortStrMax are cut.
//
//	| header 7 | 60,60 4 | consumer tag 1+n | delivery tag 8 | redelivered 1 |
//	| exchange 1+n | routing key 1+n | end 1 |
func AppendBasicDeliver(dst []byte, channel uint16, consumerTag string, deliveryTag uint64,
	redelivered bool, exchange, routingKey []byte,
) []byte {
	if len(consumerTag) > ShortStrMax || len(exchange) > ShortStrMax ||
		len(routingKey) > ShortStrMax {
		consumerTag = cutText(consumerTag, ShortStrMax)
		exchange = []byte(cutText(string(exchange), ShortStrMax))
		routingKey = []byte(cutText(string(routingKey), ShortStrMax))
	}
	const fixed = MethodIDSize + 1 + 8 + 1 + 1 + 1
	size := fixed + len(consumerTag) + len(exchange) + len(routingKey)
	start := len(dst)
	dst = extend(dst, size+FrameOverhead)
	b := dst[start:]
	putFrameHeader(b, FrameMethod, channel, size)
	binary.BigEndian.PutUint32(b[7:], uint32(MethodBasicDeliver))
	b[11] = uint8(len(consumerTag))
	at := 12 + copy(b[12:], consumerTag)
	binary.BigEndian.PutUint64(b[at:], deliveryTag)
	b[at+8] = bit(redelivered, 0)
	b[at+9] = uint8(len(exchange))
	at += 10 + copy(b[at+10:], exchange)
	b[at] = uint8(len(routingKey))
	at += 1 + copy(b[at+1:], routingKey)
	b[at] = FrameEnd
	return dst
}

// AppendBasicPublish appends a whole basic.publish frame, for clients. Strings above
// ShortStrMax are cut.
func AppendBasicPublish(dst []byte, channel uint16, exchange, routingKey string,
	mandatory, immediate bool,
) []byte {
	exchange = cutText(exchange, ShortStrMax)
	routingKey = cutText(routingKey, ShortStrMax)
	const fixed = MethodIDSize + 2 + 1 + 1 + 1
	size := fixed + len(exchange) + len(routingKey)
	start := len(dst)
	dst = extend(dst, size+FrameOverhead)
	b := dst[start:]
	putFrameHeader(b, FrameMethod, channel, size)
	binary.BigEndian.PutUint32(b[7:], uint32(MethodBasicPublish))
	b[11], b[12] = 0, 0
	b[13] = uint8(len(exchange))
	at := 14 + copy(b[14:], exchange)
	b[at] = uint8(len(routingKey))
	at += 1 + copy(b[at+1:], routingKey)
	b[at] = bit(mandatory, 0) | bit(immediate, 1)
	b[at+1] = FrameEnd
	return dst
}

// AppendBasicAck appends a whole basic.ack frame: of a consumer, or of the broker as a
// publisher confirm.
func AppendBasicAck(dst []byte, channel uint16, deliveryTag uint64, multiple bool) []byte {
	const size = MethodIDSize + 8 + 1
	start := len(dst)
	dst = extend(dst, size+FrameOverhead)
	b := dst[start:]
	putFrameHeader(b, FrameMethod, channel, size)
	binary.BigEndian.PutUint32(b[7:], uint32(MethodBasicAck))
	binary.BigEndian.PutUint64(b[11:], deliveryTag)
	b[19] = bit(multiple, 0)
	b[20] = FrameEnd
	return dst
}
