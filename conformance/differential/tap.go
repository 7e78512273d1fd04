package differential

import (
	"encoding/binary"
	"net"
	"sync"
)

// Frames of AMQP 0-9-1, section 4.2.3, and the methods that are counted: these never change.
const (
	frameHead   = 7 // type, channel, size
	frameMethod = 1
	methodHead  = 4 // class, method

	methodChannelOpenOk = 20<<16 | 11
	methodBasicDeliver  = 60<<16 | 60
)

// tap is a connection that counts what passes to the client. The client's library hands deliveries
// over when it likes; the count says how many there are to come.
type tap struct {
	net.Conn

	head   [frameHead + methodHead]byte
	filled int // of head
	rest   int // bytes of the frame that are still to come, after what head holds

	mu        sync.Mutex
	delivered map[uint16]int // by channel number
	opened    uint16         // the channel that was opened last
}

func newTap(conn net.Conn) *tap { return &tap{Conn: conn, delivered: map[uint16]int{}} }

// Read implements [net.Conn].
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.follow(b[:n])
	return n, err
}

// follow reads the frames in b, which goes on where the last one ended.
func (t *tap) follow(b []byte) {
	for len(b) > 0 {
		if t.rest > 0 {
			skipped := min(t.rest, len(b))
			t.rest -= skipped
			b = b[skipped:]
			continue
		}
		n := copy(t.head[t.filled:t.wanted()], b)
		t.filled += n
		b = b[n:]
		if t.filled == t.wanted() {
			t.note()
		}
	}
}

// wanted is how much of the frame's beginning must be seen: its head, and of a method its number.
func (t *tap) wanted() int {
	if t.filled >= frameHead && t.head[0] == frameMethod {
		return frameHead + methodHead
	}
	return frameHead
}

// note looks at the beginning of a frame.
func (t *tap) note() {
	size := int(binary.BigEndian.Uint32(t.head[3:]))
	t.rest = size + frameHead + 1 - t.filled // 1: the octet that ends a frame
	t.filled = 0
	if t.head[0] != frameMethod {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	channel := binary.BigEndian.Uint16(t.head[1:])
	switch binary.BigEndian.Uint32(t.head[frameHead:]) {
	case methodBasicDeliver:
		t.delivered[channel]++
	case methodChannelOpenOk:
		t.opened = channel
	}
}

// channelOpened returns the number of the channel that was opened last.
func (t *tap) channelOpened() uint16 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opened
}

// deliveries returns how many deliveries have come on a channel.
func (t *tap) deliveries(channel uint16) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.delivered[channel]
}
