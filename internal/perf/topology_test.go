package perf

import (
	"fmt"
	"testing"
)

func TestPlanConnectsProducersQueuesAndConsumers(t *testing.T) {
	pattern := Topology{Exchange: "x", QueuePattern: "q%d", QueueFrom: 1, QueueTo: 3}
	with := func(t Topology, change func(*Topology)) Topology {
		change(&t)
		return t
	}
	for _, c := range []struct {
		name                 string
		topology             Topology
		producers, consumers int
		want                 string // queues{name key owner producers}, keys, consumed
	}{
		{"own queues", Topology{Exchange: "x"}, 1, 2,
			"[{id.0 id 0 [0]} {id.1 id 1 [0]}] [id] [[0] [1]]"},
		{"own queues by the default exchange", Topology{}, 3, 2,
			"[{id.0 id 0 [0 2]} {id.1 id 1 [1]}] [id.0 id.1 id.0] [[0] [1]]"},
		{"no queue", Topology{Exchange: "x"}, 1, 0, "[] [id] []"},
		{"one queue", Topology{Exchange: "x", Queue: "q"}, 2, 2,
			"[{q q -1 [0 1]}] [q q] [[0] [0]]"},
		{"one queue with a key", Topology{Exchange: "x", Queue: "q", RoutingKey: "k"}, 1, 1,
			"[{q k -1 [0]}] [k] [[0]]"},
		{"queue that the key of the default exchange misses", Topology{Queue: "q", RoutingKey: "k"},
			1, 1, "[{q k -1 []}] [k] [[0]]"},
		{"pattern", pattern, 4, 4,
			"[{q1 q1 -1 [0 3]} {q2 q2 -1 [1]} {q3 q3 -1 [2]}] [q1 q2 q3 q1] [[0] [1] [2] [0]]"},
		{"pattern with few consumers", pattern, 1, 2,
			"[{q1 q1 -1 [0]} {q2 q2 -1 []} {q3 q3 -1 []}] [q1] [[0 2] [1]]"},
		{"fanout", with(pattern, func(t *Topology) { t.ExchangeType = "fanout" }), 1, 1,
			"[{q1 q1 -1 [0]} {q2 q2 -1 [0]} {q3 q3 -1 [0]}] [q1] [[0 1 2]]"},
		{"exchange of another type", with(pattern, func(t *Topology) {
			t.ExchangeType, t.QueueTo = "x-random", 1
		}), 1, 1, "[{q1 q1 -1 []}] [q1] [[0]]"},
	} {
		p := newPlan(Options{
			ID: "id", Topology: c.topology,
			Producers: ProducerOptions{Count: c.producers},
			Consumers: ConsumerOptions{Count: c.consumers},
		}.withDefaults())
		got := fmt.Sprint(p.queues, p.keys, p.consumed)
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if c.topology.ExchangeType == "x-random" && p.queues[0].producers != nil {
			t.Errorf("%s: its routing is taken for known", c.name)
		}
	}
}

func TestStandardExchangesAreNotDeclared(t *testing.T) {
	for exchange, want := range map[string]bool{
		"": false, "amq.topic": false, "direct": true, "mine": true,
	} {
		p := newPlan(Options{Topology: Topology{Exchange: exchange}}.withDefaults())
		if p.declares != want {
			t.Errorf("exchange %q declared: %v, want %v", exchange, p.declares, want)
		}
	}
}

func TestURIHasDefaults(t *testing.T) {
	for uri, want := range map[string]target{
		"amqp://":                  {"amqp", amqpDialect{}, "localhost:5672", "guest", "guest", "/"},
		"amqp://h":                 {"amqp", amqpDialect{}, "h:5672", "guest", "guest", "/"},
		"amqp://u:p%40@h:1/v":      {"amqp", amqpDialect{}, "h:1", "u", "p@", "v"},
		"amqp://u@[::1]/%2f":       {"amqp", amqpDialect{}, "[::1]:5672", "u", "", "/"},
		"amqp://h/a%2Fb":           {"amqp", amqpDialect{}, "h:5672", "guest", "guest", "a/b"},
		"relay://127.0.0.1:99":     {"relay", amqpDialect{}, "127.0.0.1:99", "guest", "guest", "/"},
		"amqp://127.0.0.1:5673/":   {"amqp", amqpDialect{}, "127.0.0.1:5673", "guest", "guest", "/"},
		"nats://h":                 {"nats", natsDialect{}, "h:4222", "guest", "guest", "/"},
		"amqp://h?heartbeat=10":    {"amqp", amqpDialect{}, "h:5672", "guest", "guest", "/"},
		"amqp://guest:guest@h:2/x": {"amqp", amqpDialect{}, "h:2", "guest", "guest", "x"},
	} {
		if got, err := parseURI(uri); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", uri, got, err, want)
		}
	}
	for _, uri := range []string{"", "h:5672", "amqps://h", "amqp://h:port"} {
		if got, err := parseURI(uri); err == nil {
			t.Errorf("%q is taken for %+v", uri, got)
		}
	}
}
