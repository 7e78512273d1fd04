package amqp091_test

import (
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestStrangersHoldNoReadBuffer: clients that stop in the middle of the longest frame they may
// send before login cost what they have sent and little more, however many they are.
func TestStrangersHoldNoReadBuffer(t *testing.T) {
	node := warrentest.Start(t)
	longest := frame(amqp.FrameMethod, 0, make([]byte, 8<<10))
	unfinished := join(amqp.ProtocolHeader[:], longest[:len(longest)-1])
	before := inUse()
	const strangers = 500
	greeting := make([]byte, 4<<10)
	for range strangers {
		conn, err := net.Dial("tcp", node.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(unfinished); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(greeting); err != nil {
			t.Fatal(err)
		}
	}
	const most = strangers * (32 << 10) // stacks, and this end, included
	deadline := time.Now().Add(5 * time.Second)
	grown := inUse() - before
	for ; grown > most && time.Now().Before(deadline); grown = inUse() - before {
		runtime.Gosched() // some may not have fallen silent yet
	}
	t.Logf("%d bytes for each", grown/strangers)
	if grown > most {
		t.Errorf("%d strangers hold %d bytes, want at most %d", strangers, grown, most)
	}
	warrentest.Open(t, node.Addr()).Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
}

// inUse is the memory that is in use and not garbage.
func inUse() int64 {
	runtime.GC()
	runtime.GC() // the first leaves what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
