package definition

import (
	"math"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

func TestArgumentsOfConsumers(t *testing.T) {
	v := &VHost{name: "/"}
	for _, c := range []struct {
		kind      string
		arguments map[string]any
		want      ConsumerArguments
		wrong     string
	}{
		{"classic", nil, ConsumerArguments{}, ""},
		{"classic", map[string]any{"x-priority": int8(-1)}, ConsumerArguments{Priority: -1}, ""},
		{"classic", map[string]any{"x-priority": int64(math.MinInt32)},
			ConsumerArguments{Priority: math.MinInt32}, ""},
		{"quorum", map[string]any{"x-priority": 7, "x-consumer-timeout": 60000, "x-any": "x"},
			ConsumerArguments{Priority: 7, Timeout: 60000}, ""},
		{"classic", map[string]any{"x-consumer-timeout": -1}, ConsumerArguments{},
			"invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': {value_negative,-1}"},
		{"classic", map[string]any{"x-consumer-timeout": int64(math.MaxInt64)}, ConsumerArguments{},
			"invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': " +
				"{value_too_large,9223372036854775807}"},
		{"classic", map[string]any{"x-consumer-timeout": "soon"}, ConsumerArguments{},
			"invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': " +
				`"expected integer, got longstr"`},
		{"quorum", map[string]any{"x-cancel-on-ha-failover": true}, ConsumerArguments{},
			"invalid arg 'x-cancel-on-ha-failover' for queue 'q' in vhost '/' of queue type " +
				"rabbit_quorum_queue"},
	} {
		q := &Queue{Name: "q", Type: c.kind}
		got, err := v.CheckConsumer(q, amqp.NewTable(c.arguments))
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%v: %v", c.arguments, err)
		case c.wrong == "" && got != c.want:
			t.Errorf("%v: got %+v", c.arguments, got)
		case c.wrong != "" && (err == nil || err.Code != amqp.PreconditionFailed ||
			err.Text != "PRECONDITION_FAILED - "+c.wrong):
			t.Errorf("%v: %v, want %s", c.arguments, err, c.wrong)
		}
	}
}
