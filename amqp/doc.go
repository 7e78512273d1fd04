// Package amqp is AMQP 0-9-1 on the wire, as RabbitMQ speaks it: bytes in, values out.
//
// It stands on floor 0 and is pure: no input or output, no clock, no state. Every function
// may be called concurrently; every value may be read concurrently.
//
// Reading. A connection reads into a buffer and takes the frames out of it in place:
//
//	for {
//		f, n, err := amqp.ParseFrame(buf, frameMax)
//		if err != nil || n == 0 {
//			break // close the connection, or read more
//		}
//		buf = buf[n:]
//		switch f.Type {
//		case amqp.FrameMethod:
//			id, err := amqp.ParseMethodID(f.Payload)
//			if id == amqp.MethodBasicPublish {
//				err = publish.Decode(f.Payload[amqp.MethodIDSize:]) // a BasicPublishView
//			} else {
//				method, err = amqp.ParseMethod(f.Payload)
//			}
//		case amqp.FrameHeader:
//			header, err := amqp.ParseContentHeader(f.Payload)
//		}
//	}
//
// What a comment calls a view or says to alias points into the buffer, and lives as long as
// the buffer's bytes stay. Copy what must live longer: strings in methods are copied, field
// tables are not (see Table.Clone).
//
// Writing. Append functions append whole frames to a slice and return it, so that one buffer
// and one write carry many frames. They never emit a malformed frame: a string too long for
// its field is cut (see ShortStrMax).
//
// What a peer did wrong comes back as *Error, with the reply code to close with. Nothing here
// panics on input or recurses deeper than TableDepthMax. Parsing allocates less than the input
// is long; Table.Map and Value.Any make Go maps of it, which take many times its length, and
// TableNodesMax bounds them.
package amqp

//go:generate go run ./internal/gen spec/amqp0-9-1.stripped.extended.xml spec/extensions.xml
