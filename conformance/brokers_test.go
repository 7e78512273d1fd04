package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/broker"
)

// refusalPatience is how long we wait for a broker to refuse. One that never does costs this time
// for each, so it is short.
const refusalPatience = 5 * time.Second

// answers are what a broker said to each question.
type answers struct {
	welcome  map[string]string
	refusals map[string]string
	listings map[string]string
}

// compareBrokers asks both brokers the same questions; the answers must read alike, because
// clients and scripts compare them with what they know from RabbitMQ.
func (s *suite) compareBrokers(t *testing.T) {
	asked := map[string]answers{}
	for _, name := range brokerNames() {
		t.Run(name, func(t *testing.T) {
			b, _ := s.place(t, name, broker.DefaultVHost)
			connection, err := amqp.Dial(b.URL(broker.DefaultVHost))
			must(t, err)
			defer connection.Close()
			fixtures(t, connection)
			asked[name] = answers{
				welcome:  welcome(connection),
				listings: listings(t, b),
				refusals: refusals(t, b),
			}
			for question, answer := range asked[name].refusals {
				t.Logf("%s: %s", question, answer)
			}
		})
	}
	right, compared := asked["rabbitmq"], asked["warren"]
	if right.welcome == nil || compared.welcome == nil {
		return // there is nothing to compare with; the subtests said why
	}
	t.Run("welcome", func(t *testing.T) { compareAnswers(t, right.welcome, compared.welcome) })
	t.Run("refusals", func(t *testing.T) { compareAnswers(t, right.refusals, compared.refusals) })
	t.Run("listings", func(t *testing.T) { compareAnswers(t, right.listings, compared.listings) })
}

func compareAnswers(t *testing.T, want, got map[string]string) {
	t.Helper()
	for _, question := range slices.Sorted(maps.Keys(want)) {
		if got[question] != want[question] {
			t.Errorf("%s:\n\twarren:   %s\n\trabbitmq: %s", question, got[question], want[question])
		}
	}
}

// welcome is what a client learns at the start of a connection: what was agreed, and what the
// broker can do.
func welcome(connection *amqp.Connection) map[string]string {
	agreed := map[string]string{
		"channels":  fmt.Sprint(connection.Config.ChannelMax),
		"frame":     fmt.Sprint(connection.Config.FrameSize),
		"heartbeat": fmt.Sprint(connection.Config.Heartbeat),
		"locales":   fmt.Sprint(connection.Locales),
		"version":   fmt.Sprint(connection.Major, connection.Minor),
	}
	for name, property := range connection.Properties {
		capabilities, nested := property.(amqp.Table)
		if !nested {
			agreed["property "+name] = "present" // the values say who it is
			continue
		}
		for name, capability := range capabilities {
			agreed["capability "+name] = fmt.Sprint(capability)
		}
	}
	return agreed
}

// listings are tables that scripts read, without their prose, in an order of our own.
func listings(t *testing.T, b *broker.Broker) map[string]string {
	t.Helper()
	tables := map[string]string{}
	for _, command := range []string{"list_bindings", "list_queues"} {
		lines, err := b.Command(t.Context(), broker.DefaultVHost, command)
		must(t, err)
		lines = slices.DeleteFunc(lines, func(line string) bool {
			return !strings.Contains(line, "\t")
		})
		slices.Sort(lines)
		tables[command] = strings.Join(lines, "\n\t\t")
	}
	return tables
}
