package conformance

import (
	"os"
	"os/exec"
	"testing"

	"github.com/warrenmq/warren/conformance/broker"
)

// TestRabbitMQStillTellsTheWireStories holds the recorded answers that warren is tested with
// against a real RabbitMQ. The stories are replayed by their own package's test.
func TestRabbitMQStillTellsTheWireStories(t *testing.T) {
	b, err := newSuite(t).rabbitmq()
	broker.Need(t, err)
	replay := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./internal/wiretest")
	replay.Dir = ".."
	replay.Env = append(os.Environ(), "WARREN_WIRE_ADDR="+b.Address())
	if out, err := replay.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
