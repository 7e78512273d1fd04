package amqp091_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestAConsumerThatNeverReadsHoldsNobodyBack floods a queue while one of its two consumers never
// reads: what waits for that one is bounded, the other gets all the rest.
func TestAConsumerThatNeverReadsHoldsNobodyBack(t *testing.T) {
	const messages, size = 30_000, 8 << 10
	node := warrentest.Start(t)
	publisher := warrentest.Open(t, node.Addr())
	declare(publisher, "q", false)
	deaf := warrentest.Open(t, node.Addr())
	consume(deaf, 1, "q", true)
	reader := warrentest.Open(t, node.Addr())
	consume(reader, 1, "q", true)

	// What waits in the socket and in the node counts: 1 MiB, and a run of deliveries.
	const kernelMax, nodeMax = 16 << 20, 4 << 20
	most := (kernelMax + nodeMax) / size
	got := make(chan int)
	go func() {
		n := 0
		for ; n < messages-most; n++ {
			if f, ok := reader.Frame(); !ok || f.Type != amqp.FrameMethod {
				break
			}
			reader.Content(1)
		}
		got <- n
	}()
	body := make([]byte, size)
	for range messages {
		publisher.Publish(1, "", "q", amqp.Properties{}, body)
	}
	if n := <-got; n != messages-most {
		t.Fatalf("the consumer that reads got %d messages", n)
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 64<<20 {
		t.Errorf("%d MiB are in use after %d MiB passed", m.HeapAlloc>>20, messages*size>>20)
	}
	silent(publisher, 1)
	runtime.KeepAlive(deaf)
}
