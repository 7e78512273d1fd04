package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/broker"
)

// TestAnswersHaveTheSameFields compares what both brokers show of the same queues, exchanges,
// bindings, connections, channels and consumers: which fields there are, and of which types. What
// is in RabbitMQ's answer and not in a warren's, or is of another type, stands in
// testdata/shapes.txt with the reason. Fields that only a warren has are said, and allowed.
func TestAnswersHaveTheSameFields(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	both := startPair(ctx, t)
	for _, b := range []*broker.Broker{both.warren, both.rabbitmq} {
		furnish(ctx, t, b)
	}
	known := map[string]string{}
	for _, line := range lines(t, "testdata/shapes.txt") {
		field, reason, ok := strings.Cut(line, " ## ")
		if !ok {
			t.Fatalf("%s has no reason", line)
		}
		known[field] = reason
	}
	for _, path := range []string{
		"overview", "nodes", "nodes/NODE", "nodes/NODE/memory", "connections", "channels",
		"consumers",
		"exchanges/%2F/x", "exchanges", "queues/%2F/classic", "queues/%2F/quorum",
		"queues/%2F/exclusive", "queues/%2F/unused", "queues?page=1", "bindings",
		"queues/%2F/classic/bindings", "exchanges/%2F/x/bindings/source", "vhosts",
		"vhosts/%2F/connections", "connections/username/guest",
		"queues/%2F/classic?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5",
		"overview?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5",
		"nodes?node_stats_age=60&node_stats_incr=5",
		"connections?data_rates_age=60&data_rates_incr=5",
		"queues?disable_stats=true", "queues?disable_stats=true&enable_queue_totals=true",
	} {
		theirs, ours := shapeOf(ctx, t, both.rabbitmq, path), shapeOf(ctx, t, both.warren, path)
		for _, field := range slices.Sorted(maps.Keys(theirs)) {
			name := strings.TrimPrefix(field, ".")
			_, listed := known[name]
			switch {
			case ours[field] == "" && !listed:
				t.Errorf("%s: %s (%s) is missing", path, name, theirs[field])
			case ours[field] != "" && ours[field] != theirs[field] && !listed:
				t.Errorf("%s: %s is %s, not %s", path, name, ours[field], theirs[field])
			}
		}
		for field := range ours {
			if theirs[field] == "" {
				t.Logf("%s: only a warren has %s", path, strings.TrimPrefix(field, "."))
			}
		}
	}
}

// shapeOf asks until there are statistics, and returns the types of fields by where they are.
func shapeOf(ctx context.Context, t *testing.T, b *broker.Broker, path string) map[string]string {
	t.Helper()
	if strings.Contains(path, "NODE") {
		var overview struct{ Node string }
		got, err := ask(ctx, b, "GET", "/api/overview", "")
		if err == nil {
			err = json.Unmarshal(got.body, &overview)
		}
		if err != nil {
			t.Fatal(err)
		}
		path = strings.ReplaceAll(path, "NODE", overview.Node)
	}
	got, err := ask(ctx, b, "GET", "/api/"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(got.body, &v); err != nil || got.status != 200 {
		t.Fatalf("%s of %s: %d %s", path, b.Name(), got.status, got.body)
	}
	shape := map[string]string{}
	addShape(shape, "", v)
	return shape
}

// named are objects whose fields are names that clients or brokers made up.
func named() []string {
	return []string{".arguments", ".client_properties", ".cluster_state", ".open_files",
		".applications", ".socket_opts"}
}

func addShape(shape map[string]string, at string, v any) {
	kind := fmt.Sprintf("%T", v)
	switch v := v.(type) {
	case map[string]any:
		kind = "object"
		ends := func(name string) bool { return strings.HasSuffix(at, name) }
		if slices.ContainsFunc(named(), ends) {
			break
		}
		for name, field := range v {
			addShape(shape, at+"."+name, field)
		}
	case []any:
		kind = "list"
		for _, element := range v {
			addShape(shape, at+"[]", element)
		}
	case nil:
		kind = "null"
	}
	if old := shape[at]; old != "" {
		kinds := append(strings.Split(old, " or "), kind)
		slices.Sort(kinds)
		kind = strings.Join(slices.Compact(kinds), " or ")
	}
	shape[at] = kind
}

// furnish makes the same in a broker, uses it, and waits until that shows.
func furnish(ctx context.Context, t *testing.T, b *broker.Broker) {
	t.Helper()
	config := amqp.Config{Properties: amqp.Table{"connection_name": "furnisher"}}
	c, err := amqp.DialConfig(b.URL(broker.DefaultVHost), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	declare := func(name string, durable, exclusive bool, arguments amqp.Table) {
		t.Helper()
		_, err := ch.QueueDeclare(name, durable, false, exclusive, false, arguments)
		must(err)
	}
	must(ch.ExchangeDeclare("x", "topic", true, false, false, false, nil))
	declare("classic", true, false, amqp.Table{"x-max-length": 1000})
	declare("quorum", true, false, amqp.Table{"x-queue-type": "quorum"})
	declare("exclusive", false, true, nil)
	declare("unused", true, false, nil)
	must(ch.QueueBind("classic", "a.#", "x", false, amqp.Table{"k": "v"}))
	must(ch.Confirm(false))
	must(ch.Qos(5, 0, false))
	for i := range 20 {
		must(ch.PublishWithContext(ctx, "x", "a.b", false, false, amqp.Publishing{
			Body: []byte("hello"), DeliveryMode: amqp.Persistent,
			Timestamp: time.Unix(1_700_000_000, 0),
		}))
		must(ch.PublishWithContext(ctx, "", "nowhere", i%2 == 0, false, amqp.Publishing{}))
		must(ch.PublishWithContext(ctx, "", "quorum", false, false, amqp.Publishing{}))
	}
	_, ok, err := ch.Get("classic", false)
	if err != nil || !ok {
		t.Fatalf("get: %t, %v", ok, err)
	}
	for _, queue := range []string{"classic", "exclusive"} {
		_, err := ch.ConsumeWithContext(ctx, queue, "tag-"+queue, queue != "classic", false, false,
			false, amqp.Table{"x-priority": 1})
		must(err)
	}
	wait(ctx, t, b)
}

// wait returns when a broker shows what was done in it.
func wait(ctx context.Context, t *testing.T, b *broker.Broker) {
	t.Helper()
	for {
		shown := true
		for path, field := range map[string]string{
			"queues/%2F/classic": `"deliver":`, "exchanges/%2F/x": `"publish_in":`,
			"channels": `"confirm":`, "connections": `"recv_oct":`, "overview": `"confirm":`,
			"vhosts": `"publish":`, "queues/%2F/quorum": `"publish":`,
		} {
			got, err := ask(ctx, b, "GET", "/api/"+path, "")
			if err != nil {
				t.Fatal(err)
			}
			shown = shown && strings.Contains(string(got.body), field)
		}
		if shown {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s shows no statistics", b.Name())
		case <-time.After(time.Second):
		}
	}
}
