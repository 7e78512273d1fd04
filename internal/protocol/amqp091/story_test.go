package amqp091_test

import (
	"testing"

	"github.com/warrenmq/warren/internal/warrentest"
	"github.com/warrenmq/warren/internal/wiretest"
)

// TestWireStories replays what a real RabbitMQ answered, byte for byte of sense.
func TestWireStories(t *testing.T) {
	for _, file := range wiretest.Files() {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			wiretest.Run(t, warrentest.Start(t).Addr().String(), file)
		})
	}
}
