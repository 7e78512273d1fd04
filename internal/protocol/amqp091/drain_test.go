package amqp091_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestADrainTellsEveryClientAndWaitsForThem: there are more than it tells at a time.
func TestADrainTellsEveryClientAndWaitsForThem(t *testing.T) {
	addr, _, door := serveBroker(t, disk.NewMemory())
	clients := make([]*warrentest.Client, 300)
	for i := range clients {
		clients[i] = warrentest.Open(t, addr)
	}
	ended := make(chan error, 1)
	go func() { ended <- door.Drain(context.Background(), "Node was put into maintenance mode") }()
	for _, c := range clients {
		e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
		if e.ReplyText != "CONNECTION_FORCED - Node was put into maintenance mode" {
			t.Fatalf("%+v", e)
		}
		c.Send(0, &amqp.ConnectionCloseOk{})
	}
	if err := <-ended; err != nil || len(door.Connections()) > 0 {
		t.Errorf("%v, %d are left", err, len(door.Connections()))
	}
}

func TestADrainEndsWithItsTime(t *testing.T) {
	addr, _, door := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr) // it keeps silent
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := door.Drain(ctx, "away"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	c.Expect(0, amqp.MethodConnectionClose)
}
