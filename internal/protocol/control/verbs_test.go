package control

import (
	"fmt"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/store"
)

// node returns a node with a queue and a binding.
func node(t *testing.T) *Node {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "data", FS: disk.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := broker.New(broker.Options{
		Store: s, ExchangeTypes: exchange.Standard(), DefaultUser: "guest",
		DefaultPassword: "guest", Logger: logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, refused := m.Open("guest", "/")
	if refused != nil {
		t.Fatal(refused)
	}
	_, refused = a.DeclareQueue(definition.Queue{
		Name: "q", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"x-a": "text", "x-b": 7}),
	})
	if refused != nil {
		t.Fatal(refused)
	}
	refused = a.Bind(exchange.Binding{Source: "amq.topic", Destination: "q", RoutingKey: "#"})
	if refused != nil {
		t.Fatal(refused)
	}
	return &Node{
		Broker: m, Stop: func() {},
		Status: func() [][]any { return [][]any{{"version", "1"}} },
	}
}

func TestVerbsAnswerWithTables(t *testing.T) {
	n := node(t)
	stopped := false
	n.Stop = func() { stopped = true }
	cases := []struct {
		request Request
		want    string
	}{
		{Request{Verb: "list_queues"}, "name messages|[q 0]"},
		{Request{Verb: "list_queues", Columns: []string{"durable", "arguments", "name"}},
			`durable arguments name|[true [{"x-a","text"},{"x-b",7}] q]`},
		{Request{Verb: "list_queues", Columns: []string{"colour"}}, `unknown column "colour"`},
		{Request{Verb: "list_queues", VHost: "none"}, `vhost "none" does not exist`},
		{Request{Verb: "list_bindings", Columns: []string{
			"source_name", "destination_name", "routing_key",
		}}, "source_name destination_name routing_key|[ q q]|[amq.topic q #]"},
		{Request{Verb: "status"}, "what value|[version 1]"},
		{Request{Verb: "add_vhost", Arguments: []string{"new"}}, ""},
		{Request{Verb: "add_vhost", Arguments: []string{"new"}}, `vhost "new" already exists`},
		{Request{Verb: "add_vhost", Arguments: []string{""}}, "PRECONDITION_FAILED"},
		{Request{Verb: "add_vhost"}, "add_vhost takes the name"},
		{Request{Verb: "set_permissions", VHost: "new", Arguments: []string{
			"guest", ".*", "", ".*",
		}}, ""},
		{Request{Verb: "set_permissions", VHost: "new", Arguments: []string{
			"guest", "(", "", ".*",
		}}, "PRECONDITION_FAILED"},
		{Request{Verb: "set_permissions", VHost: "none", Arguments: []string{
			"guest", "", "", "",
		}}, "NOT_FOUND"},
		{Request{Verb: "set_permissions"}, "set_permissions takes a user"},
		{Request{Verb: "dance"}, `unknown verb "dance"`},
		{Request{Verb: "stop"}, ""},
	}
	for _, c := range cases {
		r := n.Answer(c.request)
		got := strings.Join(r.Columns, " ")
		for _, row := range r.Rows {
			got += "|" + fmt.Sprint(row)
		}
		if got += r.Error; !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%+v: %s, want %s", c.request, got, c.want)
		}
	}
	if !stopped {
		t.Error("the node was not asked to stop")
	}
}
