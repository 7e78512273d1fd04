package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/broker"
)

// startPatience is how long a broker may take to start, or a build to end.
const startPatience = 2 * time.Minute

// scenario is a story that the programs of each language play.
type scenario struct {
	name string
	play func(*stage)
}

// scenarios is the other half of the table; each has its transcript in testdata.
func scenarios() []scenario {
	return []scenario{
		{"hello", hello},
		{"work_queues", workQueues},
		{"worker_killed", workerKilled},
		{"publish_subscribe", publishSubscribe},
		{"routing", routing},
		{"topics", topics},
		{"wildcards", wildcards},
		{"rpc", rpc},
		{"colours", colours},
		{"fan_out", fanOut},
	}
}

// brokerNames are the brokers that must agree, RabbitMQ being the one that is right.
func brokerNames() []string { return []string{"rabbitmq", "warren"} }

// suite is what all tests share: brokers that start when first asked for, and the outcomes.
type suite struct {
	rabbitmq     func() (*broker.Broker, error)
	warrenBinary func() (string, error)

	mu       sync.Mutex
	outcomes map[[3]string]string // by language, scenario and broker
}

func newSuite(t *testing.T) *suite {
	s := &suite{outcomes: map[[3]string]string{}}
	s.rabbitmq = sync.OnceValues(func() (*broker.Broker, error) {
		vhosts := []string{broker.DefaultVHost}
		for _, language := range languages() {
			vhosts = append(vhosts, language.name)
		}
		ctx, cancel := context.WithTimeout(t.Context(), startPatience)
		defer cancel()
		b, err := broker.StartRabbitMQ(ctx, t.TempDir(), vhosts)
		if err == nil {
			t.Cleanup(b.Stop)
		}
		return b, err
	})
	s.warrenBinary = sync.OnceValues(func() (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), startPatience)
		defer cancel()
		return broker.WarrenBinary(ctx, t.TempDir())
	})
	return s
}

// place returns a broker and a vhost that belong to one language alone. A warren starts so quickly
// that each language has one of its own.
func (s *suite) place(t *testing.T, name, owner string) (*broker.Broker, string) {
	t.Helper()
	if name == "rabbitmq" {
		b, err := s.rabbitmq()
		broker.Need(t, err)
		return b, owner
	}
	binary, err := s.warrenBinary()
	broker.Need(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	b, err := broker.StartWarren(ctx, binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b, broker.DefaultVHost
}

// TestClientsTakeWarrenForRabbitMQ plays every scenario in every language against both brokers.
// Each transcript must be the golden one, and the brokers must have said the same on the wire.
func TestClientsTakeWarrenForRabbitMQ(t *testing.T) {
	s := newSuite(t)
	t.Cleanup(func() { t.Log("\n" + s.table()) })
	t.Run("brokers", func(t *testing.T) {
		t.Parallel()
		s.compareBrokers(t)
	})
	for _, language := range languages() {
		t.Run(language.name, func(t *testing.T) {
			t.Parallel()
			s.playLanguage(t, language)
		})
	}
}

func (s *suite) playLanguage(t *testing.T, language language) {
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	programs, err := language.ready(ctx, t.TempDir())
	broker.Need(t, err)
	wires := map[string]map[string]string{} // by scenario and broker
	for _, name := range brokerNames() {
		t.Run(name, func(t *testing.T) {
			b, vhost := s.place(t, name, language.name)
			for _, scenario := range scenarios() {
				if slices.Contains(language.lacks, scenario.name) {
					s.note(language.name, scenario.name, name, "-")
					continue
				}
				t.Run(scenario.name, func(t *testing.T) {
					outcome := "FAIL"
					defer func() { s.note(language.name, scenario.name, name, outcome) }()
					stage := newStage(t, programs, b, vhost)
					scenario.play(stage)
					checkTranscript(t, golden(t, scenario.name), stage.transcript())
					if wires[scenario.name] == nil {
						wires[scenario.name] = map[string]string{}
					}
					wires[scenario.name][name] = stage.wire
					if !t.Failed() {
						outcome = "ok"
					}
				})
			}
		})
	}
	for scenario, wire := range wires {
		if len(wire) == len(brokerNames()) && wire["rabbitmq"] != wire["warren"] {
			t.Errorf("%s, on the wire:\nrabbitmq:\n%swarren:\n%s",
				scenario, wire["rabbitmq"], wire["warren"])
		}
	}
}

func checkTranscript(t *testing.T, want, got string) {
	t.Helper()
	if got != want {
		t.Errorf("the transcript is\n%s\nand should be\n%s", got, want)
	}
}

// note remembers an outcome for the table.
func (s *suite) note(language, scenario, broker, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[[3]string{language, scenario, broker}] = outcome
}

// table shows each language's outcomes on both brokers.
func (s *suite) table() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	fmt.Fprintf(&text, "%-24s", strings.Join(brokerNames(), "/"))
	for _, scenario := range scenarios() {
		fmt.Fprintf(&text, " %-*s", tableColumn, scenario.name)
	}
	for _, language := range languages() {
		fmt.Fprintf(&text, "\n%-24s", language.name+" ("+language.client+")")
		for _, scenario := range scenarios() {
			var cell []string
			for _, broker := range brokerNames() {
				outcome, known := s.outcomes[[3]string{language.name, scenario.name, broker}]
				if !known {
					outcome = "?"
				}
				cell = append(cell, outcome)
			}
			fmt.Fprintf(&text, " %-*s", tableColumn, strings.Join(cell, "/"))
		}
		if language.lacksBecause != "" {
			fmt.Fprintf(&text, " - %s", language.lacksBecause)
		}
	}
	return text.String()
}

// tableColumn is the width of a scenario's column.
const tableColumn = 17
