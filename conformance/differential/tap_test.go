package differential

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// frame is a frame of AMQP 0-9-1.
func frame(kind byte, channel uint16, payload []byte) []byte {
	b := append([]byte{kind}, binary.BigEndian.AppendUint16(nil, channel)...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(append(b, payload...), 0xce)
}

func method(number uint32, more int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, number), make([]byte, more)...)
}

// TestATapCountsHoweverBytesAreCut feeds the same frames in pieces of every size.
func TestATapCountsHoweverBytesAreCut(t *testing.T) {
	stream := bytes.Join([][]byte{
		frame(frameMethod, 3, method(methodChannelOpenOk, 4)),
		frame(frameMethod, 3, method(methodBasicDeliver, 30)),
		frame(2, 3, method(methodBasicDeliver, 30)), // a header, whatever is in it
		frame(3, 3, nil),
		frame(8, 0, nil),
		frame(frameMethod, 4, method(methodBasicDeliver, 0)),
		frame(frameMethod, 3, method(methodBasicDeliver, 300)),
	}, nil)
	for size := 1; size <= len(stream); size++ {
		tap := newTap(nil)
		for at := 0; at < len(stream); at += size {
			tap.follow(stream[at:min(at+size, len(stream))])
		}
		if tap.channelOpened() != 3 || tap.deliveries(3) != 2 || tap.deliveries(4) != 1 {
			t.Fatalf("in pieces of %d: opened %d, delivered %v", size, tap.opened, tap.delivered)
		}
	}
}
