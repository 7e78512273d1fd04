package warren_test

import (
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestWhatComesWithAVHostIsThere when a node begins: a user who may log in, the limit that comes
// first by its name, and the operator policy.
func TestWhatComesWithAVHostIsThere(t *testing.T) {
	node := warrentest.Start(t, func(o *warren.Options) {
		o.Access.LoopbackUsers = []string{}
		o.Seed = warren.Seed{
			Users: []warren.SeedUser{
				{Name: "alice", Password: "secret", Configure: ".*", Write: ".*", Read: ".*"},
			},
			VHostLimits: []warren.SeedLimits{
				{Name: "b", Queues: 7}, {Name: "a", Queues: 1}, {Name: "c", Connections: 1},
			},
			OperatorPolicies: []warren.SeedPolicy{
				{Name: "short", Definition: map[string]any{"max-length": int64(1)}},
			},
		}
	})
	c := warrentest.Dial(t, node.Addr())
	c.Raw(amqp.ProtocolHeader[:])
	c.Expect(0, amqp.MethodConnectionStart)
	c.Send(0, &amqp.ConnectionStartOk{
		Mechanism: "PLAIN", Response: "\x00alice\x00secret", Locale: "en_US",
	})
	tune := c.Expect(0, amqp.MethodConnectionTune).(*amqp.ConnectionTune)
	c.Send(0, &amqp.ConnectionTuneOk{ChannelMax: tune.ChannelMax, FrameMax: tune.FrameMax})
	c.Call(0, &amqp.ConnectionOpen{VirtualHost: "/"}, amqp.MethodConnectionOpenOk)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	declare := &amqp.QueueDeclare{Queue: "q"}
	c.Call(1, declare, amqp.MethodQueueDeclareOk)
	for range 3 {
		c.Publish(1, "", "q", amqp.Properties{}, []byte("x"))
	}
	ok := c.Call(1, declare, amqp.MethodQueueDeclareOk).(*amqp.QueueDeclareOk)
	if ok.MessageCount != 1 {
		t.Errorf("%d messages", ok.MessageCount)
	}
	c.Send(1, &amqp.QueueDeclare{Queue: "r"})
	closed := c.Expect(1, amqp.MethodChannelClose).(*amqp.ChannelClose)
	if closed.ReplyCode != amqp.PreconditionFailed {
		t.Errorf("a second queue: %s", closed.ReplyText)
	}
}
