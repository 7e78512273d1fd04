package warren_test

import (
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestANodeWithoutRoomBlocksPublishers: a node that may use no memory, or has no disk, takes no
// messages, and everything else goes on.
func TestANodeWithoutRoomBlocksPublishers(t *testing.T) {
	for want, change := range map[string]func(o *warren.Options){
		"low on memory": func(o *warren.Options) { o.MemoryHighWatermark.Bytes = 1 },
		"low on disk":   func(o *warren.Options) { o.DiskFreeLimit.Bytes = 1 << 62 },
	} {
		node := warrentest.Start(t, change)
		client := warrentest.Dial(t, node.Addr())
		client.Handshake(map[string]any{
			"capabilities": map[string]any{"connection.blocked": true},
		})
		client.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
		client.Call(1, &amqp.QueueDeclare{Queue: "q"}, amqp.MethodQueueDeclareOk)
		client.Publish(1, "", "q", amqp.Properties{}, []byte("hello"))
		m := client.Expect(0, amqp.MethodConnectionBlocked).(*amqp.ConnectionBlocked)
		if m.Reason != want {
			t.Errorf("%q, want %q", m.Reason, want)
		}
	}
}
