package amqp091_test

import (
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/warrentest"
)

// untilFlow waits until the only connection of a door is in a state.
func untilFlow(t *testing.T, door *amqp091.Door, want broker.FlowState) broker.Connection {
	t.Helper()
	return untilShown(t, door, func(f broker.Flow) bool { return f.State == want })
}

// untilHeld waits until the only connection of a door is held for a reason.
func untilHeld(t *testing.T, door *amqp091.Door, reason string) broker.Connection {
	t.Helper()
	return untilShown(t, door, func(f broker.Flow) bool {
		return f.State == broker.FlowHeld && f.Reason == reason
	})
}

func untilShown(
	t *testing.T, door *amqp091.Door, ok func(broker.Flow) bool,
) broker.Connection {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		list := door.Connections()
		if len(list) == 1 && ok(list[0].Flow) {
			return list[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("not shown as it should be: %+v", list)
		}
	}
}

func TestWhatHoldsAConnectionIsShown(t *testing.T) {
	addr, m, door := serveBroker(t, disk.NewMemory())
	client := warrentest.Dial(t, addr)
	client.Raw(amqp.ProtocolHeader[:4])
	if c := untilFlow(t, door, "pre_init"); c.User != "" || c.VHost != "" {
		t.Errorf("before the login: %+v", c)
	}
	client.Close()
	client = warrentest.Dial(t, addr)
	openHearing(client, 0)
	c := untilFlow(t, door, broker.FlowRunning)
	name := client.Conn().LocalAddr().String() + " -> " + addr.String()
	if c.Name != name || c.User != "guest" || c.VHost != "/" || c.PeerHost != "127.0.0.1" ||
		c.PeerPort == 0 || c.Port == 0 || time.Since(c.ConnectedAt) > time.Minute {
		t.Errorf("%+v, want the name %s", c, name)
	}
	m.SetAlarm(broker.DiskAlarm, true)
	if c := untilFlow(t, door, broker.FlowBlocking); c.Flow.Reason != "low on disk" {
		t.Errorf("%+v", c)
	}
	client.Raw(content(0))
	c = untilFlow(t, door, broker.FlowBlocked)
	if c.Flow.Reason != "low on disk" || c.Flow.Since.IsZero() {
		t.Errorf("%+v", c)
	}
	m.SetAlarm(broker.DiskAlarm, false)
	untilFlow(t, door, broker.FlowRunning)
}

// TestAClientThatDoesNotReadIsShown: its connection waits for it.
func TestAClientThatDoesNotReadIsShown(t *testing.T) {
	addr, _, door := serveBroker(t, disk.NewMemory())
	client := warrentest.Open(t, addr)
	declare(client, "q", false)
	const messages = 60
	for range messages {
		client.Publish(1, "", "q", amqp.Properties{}, make([]byte, 1<<20))
	}
	untilReady(t, client, "q", messages)
	var gets []byte
	for range messages {
		gets = amqp.AppendMethodFrame(gets, 1, &amqp.BasicGet{Queue: "q", NoAck: true})
	}
	client.Raw(gets)
	// Before that it published what the queue had no room for in memory.
	if c := untilHeld(t, door, "client"); c.Flow.Since.IsZero() {
		t.Errorf("%+v", c)
	}
}
