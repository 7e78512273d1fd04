package amqp091_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// frame builds a frame without any care for its sense.
func frame(kind byte, channel uint16, payload []byte) []byte {
	b := []byte{kind, byte(channel >> 8), byte(channel), 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[3:], uint32(len(payload)))
	return append(append(b, payload...), amqp.FrameEnd)
}

func methodFrame(channel uint16, class, method uint16, args ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, class)
	b = binary.BigEndian.AppendUint16(b, method)
	return frame(amqp.FrameMethod, channel, append(b, args...))
}

func headerFrame(channel, class uint16, size uint64, props ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, class)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint64(b, size)
	if props == nil {
		props = []byte{0, 0}
	}
	return frame(amqp.FrameHeader, channel, append(b, props...))
}

func publishFrame(channel uint16) []byte {
	return amqp.AppendBasicPublish(nil, channel, "", "nowhere", false, false)
}

func join(pieces ...[]byte) []byte { return bytes.Join(pieces, nil) }

// nested is a field table of tables in tables.
func nested(depth int) amqp.Table {
	t := amqp.Table{}
	for range depth {
		inner := binary.BigEndian.AppendUint32([]byte{1, 'k', 'F'}, uint32(len(t)))
		t = append(amqp.Table(inner), t...)
	}
	return t
}

// TestHostileBytesEndTheRightConnection sends what no client should, after a good login. Each
// ends in a close with the right reply code, and a bystander's connection works on.
func TestHostileBytesEndTheRightConnection(t *testing.T) {
	declare := func(arguments amqp.Table) []byte {
		return amqp.AppendMethodFrame(nil, 1, &amqp.QueueDeclare{Queue: "q", Arguments: arguments})
	}
	hugeTable := methodFrame(1, 50, 10, 0, 0, 1, 'q', 0, 0xFF, 0xFF, 0xFF, 0xFF)
	cases := []struct {
		name  string
		bytes []byte
		code  uint16
	}{
		{"body longer than declared", join(publishFrame(1), headerFrame(1, 60, 3),
			frame(amqp.FrameBody, 1, []byte("four"))), amqp.UnexpectedFrame},
		{"body after the declared size", join(publishFrame(1), headerFrame(1, 60, 0),
			frame(amqp.FrameBody, 1, []byte("x"))), amqp.UnexpectedFrame},
		{"method instead of header", join(publishFrame(1), publishFrame(1)), amqp.UnexpectedFrame},
		{"body instead of header",
			join(publishFrame(1), frame(amqp.FrameBody, 1, nil)), amqp.UnexpectedFrame},
		{"second header",
			join(publishFrame(1), headerFrame(1, 60, 3), headerFrame(1, 60, 3)),
			amqp.UnexpectedFrame},
		{"header of another class",
			join(publishFrame(1), headerFrame(1, 50, 3)), amqp.UnexpectedFrame},
		{"header out of nowhere", headerFrame(1, 60, 3), amqp.UnexpectedFrame},
		{"wrong frame end", func() []byte {
			b := publishFrame(1)
			b[len(b)-1] = 0
			return b
		}(), amqp.FrameError},
		{"frame above frame_max", func() []byte {
			b := frame(amqp.FrameBody, 1, nil)
			binary.BigEndian.PutUint32(b[3:], 1<<31)
			return b
		}(), amqp.FrameError},
		{"unknown frame type", frame(7, 1, nil), amqp.FrameError},
		{"heartbeat on a channel", frame(amqp.FrameHeartbeat, 1, nil), amqp.UnexpectedFrame},
		{"unknown method", methodFrame(1, 60, 99), amqp.CommandInvalid},
		{"unknown class", methodFrame(1, 99, 10), amqp.CommandInvalid},
		{"method frame of three octets", frame(amqp.FrameMethod, 1, []byte{0, 60, 0}), 0},
		{"table longer than its frame", hugeTable, 0},
		{"table nested too deeply", declare(nested(amqp.TableDepthMax + 1)), 0},
		{"channel that is not open", publishFrame(7), amqp.ChannelError},
		{"second open of a channel",
			amqp.AppendMethodFrame(nil, 1, &amqp.ChannelOpen{}), amqp.ChannelError},
		{"content on channel 0", frame(amqp.FrameBody, 0, []byte("x")), amqp.UnexpectedFrame},
	}
	node := warrentest.Start(t)
	bystander := warrentest.Open(t, node.Addr())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := warrentest.Open(t, node.Addr())
			client.Raw(c.bytes)
			e := client.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
			if c.code != 0 && e.ReplyCode != c.code {
				t.Errorf("closed with %d %q, want %d", e.ReplyCode, e.ReplyText, c.code)
			}
			if c.code == 0 && (e.ReplyCode < 501 || e.ReplyCode > 505) {
				t.Errorf("closed with %d %q, want a framing or syntax error",
					e.ReplyCode, e.ReplyText)
			}
			client.Send(0, &amqp.ConnectionCloseOk{})
			if f, ok := client.Frame(); ok {
				t.Errorf("after close-ok came %+v", f)
			}
		})
		bystander.Call(1, &amqp.BasicQos{PrefetchCount: 1}, amqp.MethodBasicQosOk)
	}
}

// TestHostileBytesBeforeLoginEndQuietly: what a stranger sends costs a small buffer and gets no
// more than a protocol header.
func TestHostileBytesBeforeLoginEndQuietly(t *testing.T) {
	started := func(b []byte) []byte { return append(amqp.ProtocolHeader[:], b...) }
	long := binary.BigEndian.AppendUint32([]byte{0, 10, 0, 11}, 1<<31)
	large := frame(amqp.FrameMethod, 0, nil)
	binary.BigEndian.PutUint32(large[3:], 9<<10)
	cases := []struct {
		name  string
		bytes []byte
	}{
		{"port scanner", []byte("\r\n\r\n\r\n\r\n")},
		{"web browser", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
		{"TLS client", append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1}, make([]byte, 64)...)},
		{"AMQP 1.0", []byte("AMQP\x00\x01\x00\x00")},
		{"frame above the limit before login", started(large)},
		{"length of 2^31", started(frame(amqp.FrameMethod, 0, long))},
		{"open before login", started(amqp.AppendMethodFrame(nil, 0, &amqp.ConnectionOpen{}))},
		{"channel before login", started(amqp.AppendMethodFrame(nil, 1, &amqp.ChannelOpen{}))},
		{"frame of nothing", started(make([]byte, 8))},
	}
	node := warrentest.Start(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := warrentest.Dial(t, node.Addr())
			client.Raw(c.bytes)
			client.DrainToEnd()
		})
	}
	warrentest.Open(t, node.Addr()).Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
}

// TestSilentStrangersAreCutOff: whoever does not log in within the handshake timeout goes,
// wherever they stopped.
func TestSilentStrangersAreCutOff(t *testing.T) {
	node := warrentest.Start(t, func(o *warren.Options) {
		o.HandshakeTimeout = 50 * time.Millisecond
	})
	for _, sent := range [][]byte{nil, amqp.ProtocolHeader[:3], amqp.ProtocolHeader[:]} {
		client := warrentest.Dial(t, node.Addr())
		client.Raw(sent)
		client.DrainToEnd()
	}
}

// TestDeclaredSizesClaimNoMemory: a thousand content headers that announce bodies of the
// greatest size cost the broker next to nothing.
func TestDeclaredSizesClaimNoMemory(t *testing.T) {
	node := warrentest.Start(t)
	client := warrentest.Open(t, node.Addr())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const channels = 1000
	for ch := uint16(2); ch < 2+channels; ch++ {
		client.Call(ch, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		client.Raw(join(publishFrame(ch), headerFrame(ch, 60, 100<<20),
			frame(amqp.FrameBody, ch, []byte("x"))))
	}
	client.Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
	runtime.GC()
	runtime.ReadMemStats(&after)
	const most = channels * (80 << 10)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > most {
		t.Errorf("%d unfinished messages hold %d bytes, want at most %d", channels, grown, most)
	}
}

// TestMessageAboveTheSizeLimitClosesTheChannel uses a limit of a few bytes.
func TestMessageAboveTheSizeLimitClosesTheChannel(t *testing.T) {
	node := warrentest.Start(t, func(o *warren.Options) { o.MessageMax = 10 })
	client := warrentest.Open(t, node.Addr())
	client.Publish(1, "", "nowhere", amqp.Properties{}, make([]byte, 11))
	e := client.Expect(1, amqp.MethodChannelClose).(*amqp.ChannelClose)
	want := "PRECONDITION_FAILED - message size 11 is larger than configured max size 10"
	if e.ReplyCode != amqp.PreconditionFailed || e.ReplyText != want {
		t.Errorf("closed with %d %q, want %q", e.ReplyCode, e.ReplyText, want)
	}
}

// TestConnectionsAboveTheLimitAreClosed reaches ConnectionsMax.
func TestConnectionsAboveTheLimitAreClosed(t *testing.T) {
	node := warrentest.Start(t, func(o *warren.Options) { o.ConnectionsMax = 2 })
	first := warrentest.Open(t, node.Addr())
	warrentest.Open(t, node.Addr())
	warrentest.Dial(t, node.Addr()).DrainToEnd()
	first.Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
}

// TestConsumerThatNeverReadsHoldsUpNobody: a consumer that takes nothing gets at most the
// output limit, the rest stays in the queue, and publisher and bystander go on.
func TestConsumerThatNeverReadsHoldsUpNobody(t *testing.T) {
	node := warrentest.Start(t)
	deaf := warrentest.Open(t, node.Addr())
	deaf.Call(1, &amqp.QueueDeclare{Queue: "flood"}, amqp.MethodQueueDeclareOk)
	deaf.Call(1, &amqp.BasicConsume{Queue: "flood", NoAck: true}, amqp.MethodBasicConsumeOk)
	publisher := warrentest.Open(t, node.Addr())
	const messages, size = 40, 1 << 20
	body := make([]byte, size)
	for range messages {
		publisher.Publish(1, "", "flood", amqp.Properties{}, body)
	}
	ok := publisher.Call(1, &amqp.QueueDeclare{Queue: "flood", Passive: true},
		amqp.MethodQueueDeclareOk).(*amqp.QueueDeclareOk)
	if ok.MessageCount == 0 {
		t.Error("everything was buffered for a consumer that does not read")
	}
	for n := 0; n < messages; n++ {
		deaf.Expect(1, amqp.MethodBasicDeliver)
		if _, got := deaf.Content(1); len(got) != size {
			t.Fatalf("message %d has %d bytes", n, len(got))
		}
	}
}

// TestGuestIsRefusedFromElsewhere has the machine's own address stand for another machine's.
func TestGuestIsRefusedFromElsewhere(t *testing.T) {
	address := nonLoopbackAddress(t)
	node := warrentest.Start(t, func(o *warren.Options) {
		o.Listen = net.JoinHostPort(address, "0")
	})
	client := warrentest.Dial(t, node.Addr())
	client.Raw(amqp.ProtocolHeader[:])
	client.Expect(0, amqp.MethodConnectionStart)
	client.Send(0, &amqp.ConnectionStartOk{
		ClientProperties: amqp.NewTable(map[string]any{
			"capabilities": map[string]any{"authentication_failure_close": true},
		}),
		Mechanism: "PLAIN", Response: "\x00guest\x00guest", Locale: "en_US",
	})
	e := client.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyCode != amqp.AccessRefused {
		t.Errorf("closed with %d %q", e.ReplyCode, e.ReplyText)
	}
}

// nonLoopbackAddress returns an address of this machine that is not loopback. A machine that
// has none cannot show the rule at work; the rule itself is tested in package auth.
func nonLoopbackAddress(t *testing.T) string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}
