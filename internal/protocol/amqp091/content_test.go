package amqp091_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

const frameMax = 131072

// noise is a body that cannot be mistaken for another of the same size.
func noise(size int, seed uint64) []byte {
	b := make([]byte, size)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// publishIn sends a message in frames of at most max bytes.
func publishIn(c *warrentest.Client, queue string, body []byte, max uint32) {
	b := amqp.AppendBasicPublish(nil, 1, "", queue, false, false)
	c.Raw(amqp.AppendContent(b, 1, amqp.RawProperties{0, 0}, body, max))
}

// TestBodiesOfAllSizesComeBackWhole sends them in the largest frames that were agreed and in
// small ones, and reads them in frames that nowhere exceed frame_max.
func TestBodiesOfAllSizesComeBackWhole(t *testing.T) {
	node := warrentest.Start(t)
	c := warrentest.Open(t, node.Addr())
	declare(c, "q", false)
	consume(c, 1, "q", true)
	const payload = frameMax - amqp.FrameOverhead
	sizes := []int{0, 1, payload - 1, payload, payload + 1, 2 * payload, 1 << 20, 10 << 20}
	for _, size := range sizes {
		for _, frames := range []uint32{amqp.FrameMinSize, 60 << 10, 70 << 10, frameMax} {
			body := noise(size, uint64(size))
			publishIn(c, "q", body, frames)
			c.Expect(1, amqp.MethodBasicDeliver)
			if _, got := c.Content(1); !bytes.Equal(got, body) {
				t.Errorf("%d bytes in frames of %d came back as %d others", size, frames, len(got))
			}
		}
	}
}

func TestNoFrameIsLargerThanAgreed(t *testing.T) {
	node := warrentest.Start(t)
	for _, max := range []uint32{amqp.FrameMinSize, 10000, frameMax} {
		t.Run(strconv.Itoa(int(max)), func(t *testing.T) {
			c := warrentest.Dial(t, node.Addr())
			handshakeWithFrameMax(c, max)
			declare(c, "q", false)
			consume(c, 1, "q", true)
			body := noise(300<<10, 1)
			publishIn(c, "q", body, max)
			c.Expect(1, amqp.MethodBasicDeliver)
			var got []byte
			for len(got) < len(body) {
				f, ok := c.Frame()
				if !ok || uint32(len(f.Payload)+amqp.FrameOverhead) > max {
					t.Fatalf("a frame of %d bytes payload", len(f.Payload))
				}
				if f.Type == amqp.FrameBody {
					got = append(got, f.Payload...)
				}
			}
			if !bytes.Equal(got, body) {
				t.Error("the body came back changed")
			}
			c.Call(1, &amqp.QueueDelete{Queue: "q"}, amqp.MethodQueueDeleteOk)
		})
	}
}

func handshakeWithFrameMax(c *warrentest.Client, max uint32) {
	c.Raw(amqp.ProtocolHeader[:])
	c.Expect(0, amqp.MethodConnectionStart)
	c.Send(0, &amqp.ConnectionStartOk{Mechanism: "PLAIN", Response: "\x00guest\x00guest"})
	tune := c.Expect(0, amqp.MethodConnectionTune).(*amqp.ConnectionTune)
	c.Send(0, &amqp.ConnectionTuneOk{ChannelMax: tune.ChannelMax, FrameMax: max})
	c.Call(0, &amqp.ConnectionOpen{VirtualHost: "/"}, amqp.MethodConnectionOpenOk)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
}

// TestFramesMayArriveByteByByte, or cut at any other place.
func TestFramesMayArriveByteByByte(t *testing.T) {
	for _, step := range []int{1, 7, 4096} {
		t.Run(strconv.Itoa(step), func(t *testing.T) {
			c := warrentest.Open(t, warrentest.Start(t).Addr())
			declare(c, "q", false)
			consume(c, 1, "q", true)
			var b []byte
			bodies := [][]byte{noise(3, 1), {}, noise(2000, 2), noise(5000, 3)}
			for _, body := range bodies {
				b = amqp.AppendBasicPublish(b, 1, "", "q", false, false)
				b = amqp.AppendContent(b, 1, amqp.RawProperties{0, 0}, body, amqp.FrameMinSize)
				b = amqp.AppendHeartbeat(b)
			}
			for len(b) > 0 {
				n := min(step, len(b))
				c.Raw(b[:n])
				b = b[n:]
			}
			for i, body := range bodies {
				c.Expect(1, amqp.MethodBasicDeliver)
				if _, got := c.Content(1); !bytes.Equal(got, body) {
					t.Errorf("message %d came back changed", i)
				}
			}
		})
	}
}

// TestLargeFramesCutAnywhere puts the end of one read everywhere around a frame that is larger
// than a read, with small frames before and behind it.
func TestLargeFramesCutAnywhere(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	declare(c, "q", false)
	consume(c, 1, "q", true)
	large := noise(100<<10, 1)
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		var b []byte
		small := noise(random.IntN(50), 2)
		for _, body := range [][]byte{small, large, small} {
			b = amqp.AppendBasicPublish(b, 1, "", "q", false, false)
			b = amqp.AppendContent(b, 1, amqp.RawProperties{0, 0}, body, frameMax)
		}
		cut := random.IntN(len(b))
		c.Raw(b[:cut])
		c.Raw(b[cut:])
		for _, body := range [][]byte{small, large, small} {
			c.Expect(1, amqp.MethodBasicDeliver)
			if _, got := c.Content(1); !bytes.Equal(got, body) {
				t.Fatalf("%d bytes came back as %d others (cut at %d)", len(body), len(got), cut)
			}
		}
	}
}

// TestContentOfChannelsMayInterleave sends a message on each of many channels, frame by frame in
// turn.
func TestContentOfChannelsMayInterleave(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	const channels = 20
	openChannels(c, channels)
	declare(c, "q", false)
	pieces := make([][][]byte, channels+1)
	for ch := uint16(1); ch <= channels; ch++ {
		rest := amqp.AppendBasicPublish(nil, ch, "", "q", false, false)
		rest = amqp.AppendContent(rest, ch, amqp.RawProperties{0, 0},
			noise(int(ch)*3000, uint64(ch)), amqp.FrameMinSize)
		for len(rest) > 0 {
			_, n, err := amqp.ParseFrame(rest, 0)
			if err != nil {
				t.Fatal(err)
			}
			pieces[ch], rest = append(pieces[ch], rest[:n]), rest[n:]
		}
	}
	for round, sent := 0, true; sent; round++ {
		sent = false
		for _, frames := range pieces {
			if round < len(frames) {
				c.Raw(frames[round])
				sent = true
			}
		}
	}
	consume(c, 1, "q", true)
	for range channels {
		c.Expect(1, amqp.MethodBasicDeliver)
		_, got := c.Content(1)
		if !bytes.Equal(got, noise(len(got), uint64(len(got)/3000))) {
			t.Errorf("a message of %d bytes came back changed", len(got))
		}
	}
}

// TestMessagesOutliveTheBuffersTheyCameIn: what is kept of methods and messages is not what the
// next read overwrites.
func TestMessagesOutliveTheBuffersTheyCameIn(t *testing.T) {
	c := warrentest.Open(t, warrentest.Start(t).Addr())
	arguments := amqp.NewTable(map[string]any{"x-kept": "as it was"})
	c.Call(1, &amqp.QueueDeclare{Queue: "kept", Durable: true, Arguments: arguments},
		amqp.MethodQueueDeclareOk)
	c.Call(1, &amqp.ExchangeDeclare{
		Exchange: "x", Type: "headers", Arguments: arguments,
	}, amqp.MethodExchangeDeclareOk)
	match := amqp.NewTable(map[string]any{"x-match": "all", "colour": "red"})
	c.Call(1, &amqp.QueueBind{Queue: "kept", Exchange: "x", RoutingKey: "k", Arguments: match},
		amqp.MethodQueueBindOk)
	consume(c, 1, "kept", false)
	// The same buffer, filled with something else several times.
	for range 4 {
		c.Raw(bytes.Repeat(amqp.AppendHeartbeat(nil), 16<<10))
	}
	headers := amqp.NewTable(map[string]any{"colour": "red"})
	c.Publish(1, "x", "k", amqp.Properties{Headers: headers}, []byte("red"))
	d := delivery(t, c, 1, "red")
	if d.ConsumerTag != "kept" || d.Exchange != "x" || d.RoutingKey != "k" {
		t.Errorf("delivered as %+v", d)
	}
	c.Call(1, &amqp.QueueDeclare{Queue: "kept", Durable: true, Arguments: arguments},
		amqp.MethodQueueDeclareOk)
	c.Call(1, &amqp.QueueUnbind{
		Queue: "kept", Exchange: "x", RoutingKey: "k", Arguments: match,
	}, amqp.MethodQueueUnbindOk)
	c.Publish(1, "x", "k", amqp.Properties{Headers: headers}, []byte("red"))
	silent(c, 1)
}
