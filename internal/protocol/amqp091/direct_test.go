package amqp091_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// numbered returns a body in which no piece equals another.
func numbered(size int) []byte {
	b := make([]byte, 0, size+8)
	for n := 0; len(b) < size; n++ {
		b = fmt.Appendf(b, "%d,", n)
	}
	return b[:size]
}

// TestLargeBodiesArriveHoweverTheyAreCut sends large messages on two channels, their frames in
// random order of channels and of random sizes, in random portions, and reads them back.
func TestLargeBodiesArriveHoweverTheyAreCut(t *testing.T) {
	node := warrentest.Start(t)
	queues := 0
	rapid.Check(t, func(rt *rapid.T) {
		c := warrentest.Open(t, node.Addr())
		defer c.Close()
		c.Call(2, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		rest := map[uint16][]byte{}
		bodies := map[uint16][]byte{}
		var wire []byte
		for ch := uint16(1); ch <= 2; ch++ {
			queues++
			name := fmt.Sprint("q", queues)
			declare(c, name, false)
			consume(c, ch, name, true)
			size := rapid.IntRange(1, 600_000).Draw(rt, "size")
			bodies[ch] = numbered(size)
			rest[ch] = bodies[ch]
			wire = amqp.AppendBasicPublish(wire, ch, "", name, false, false)
			wire = amqp.AppendContentHeader(wire, ch, nil, size)
		}
		for len(rest[1])+len(rest[2]) > 0 {
			ch := rapid.Uint16Range(1, 2).Draw(rt, "channel")
			n := min(len(rest[ch]), rapid.IntRange(1, 131064).Draw(rt, "frame"))
			wire = amqp.AppendBody(wire, ch, rest[ch][:n], 0)
			rest[ch] = rest[ch][n:]
		}
		for len(wire) > 0 {
			n := min(len(wire), rapid.IntRange(1, 200_000).Draw(rt, "portion"))
			c.Raw(wire[:n])
			wire = wire[n:]
		}
		for range bodies {
			f, _ := c.Frame()
			if _, got := c.Content(f.Channel); !bytes.Equal(got, bodies[f.Channel]) {
				rt.Fatalf("the body of channel %d arrived changed", f.Channel)
			}
		}
	})
}

// TestLargeFrameWithAWrongEnd is refused like a small one: FRAME_ERROR, and nobody else notices.
func TestLargeFrameWithAWrongEnd(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	declare(c, "q", false)
	const size = 100_000
	frame := amqp.AppendBody(nil, 1, make([]byte, size), 0)
	frame[len(frame)-1]++
	c.Raw(amqp.AppendBasicPublish(nil, 1, "", "q", false, false))
	c.Raw(amqp.AppendContentHeader(nil, 1, nil, size))
	c.Raw(frame[:20_000]) // what is read directly is what comes after the beginning of a frame
	c.Raw(frame[20_000:])
	gone := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if gone.ReplyCode != amqp.FrameError {
		t.Errorf("%d %s", gone.ReplyCode, gone.ReplyText)
	}
	if n := ready(warrentest.Open(t, node.Addr()), "q"); n != 0 {
		t.Errorf("%d messages in the queue", n)
	}
}
