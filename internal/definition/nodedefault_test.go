package definition

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

func TestConsumerTimeoutOfTheNodeIsForQueuesThatHaveNone(t *testing.T) {
	s := New(exchange.Standard())
	s.SetConsumerTimeout(1000)
	s.PutVHost("/")
	v, _ := s.VHost("/")
	own := amqp.NewTable(map[string]any{"x-consumer-timeout": 70})
	for _, d := range []Queue{{Name: "plain"}, {Name: "own", Arguments: own}} {
		if _, _, err := v.DeclareQueue(d); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int64{"plain": 1000, "own": 70} {
		if e, ok := v.Effective(name); !ok || e.ConsumerTimeout != want {
			t.Errorf("%s: %d, want %d", name, e.ConsumerTimeout, want)
		}
	}
}
