package suites

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/broker"
)

// patience bounds a suite, and each start of a broker, for brokers that never answer.
const patience = 10 * time.Minute

//go:embed amqp091-go.txt
var expectedOfGo string

//go:embed amqplib.txt
var expectedOfNode string

// TestPublishedSuitesPass runs the suites against a warren, or what WARREN_SUITES_ON names.
func TestPublishedSuitesPass(t *testing.T) {
	t.Run("amqp091-go", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		expected := expectations(t, expectedOfGo)
		b := start(ctx, t)
		mayFail := slices.Sorted(maps.Keys(expected))
		outcomes, tests, err := runGoSuite(ctx, b, t.TempDir(), mayFail)
		broker.Need(t, err)
		conclude(t, goModule, expected, judge(outcomes, tests, expected))
	})
	t.Run("amqplib", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		expected := expectations(t, expectedOfNode)
		b := start(ctx, t)
		outcomes, err := runNodeSuite(ctx, b, t.TempDir())
		broker.Need(t, err)
		conclude(t, "amqplib@2.0.1", expected, judge(outcomes, nil, expected))
		if len(outcomes) != nodeTestCount {
			t.Errorf("%d tests were told of, and there are %d", len(outcomes), nodeTestCount)
		}
	})
}

func expectations(t *testing.T, text string) map[string]string {
	t.Helper()
	expected, err := readExpected(text)
	if err != nil {
		t.Fatal(err)
	}
	return expected
}

// start starts a broker that the suite has for itself.
func start(ctx context.Context, t *testing.T) *broker.Broker {
	t.Helper()
	var b *broker.Broker
	var err error
	switch on := os.Getenv("WARREN_SUITES_ON"); on {
	case "", "warren":
		var binary string
		binary, err = broker.WarrenBinary(ctx, t.TempDir())
		broker.Need(t, err)
		b, err = broker.StartWarren(ctx, binary, t.TempDir())
	case "rabbitmq":
		b, err = broker.StartRabbitMQ(ctx, t.TempDir(), []string{broker.DefaultVHost},
			broker.ManagementPlugin)
	default:
		err = fmt.Errorf("WARREN_SUITES_ON=%s is neither warren nor rabbitmq", on)
	}
	broker.Need(t, err)
	t.Cleanup(b.Stop)
	return b
}

func conclude(t *testing.T, suite string, expected map[string]string, v verdict) {
	t.Helper()
	report := v.report(suite, expected)
	if v.ok() {
		t.Log(report)
	} else {
		t.Error(report)
	}
}
