package control

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

// Node is what the verbs work on.
type Node struct {
	// Broker is the queue manager.
	Broker *broker.Manager
	// Status are lines of `status`: what the node is and where it listens.
	Status func() [][]any
	// Connections returns the connections of all doors.
	Connections func() []broker.Connection
	// Stop begins the end of the node and returns at once.
	Stop func()
}

// Answer carries out a verb. Names and columns are those of rabbitmqctl.
func (n *Node) Answer(r Request) Response {
	if r.VHost == "" {
		r.VHost = "/"
	}
	switch r.Verb {
	case "accept_queue":
		return n.onVHost(r, func(v *broker.VHost, _ []string) Response {
			return acceptQueue(v, r.Arguments)
		})
	case "add_vhost":
		return n.addVHost(r)
	case "list_bindings":
		return n.onVHost(r, listBindings)
	case "list_connections":
		return listConnections(n.Connections(), r.Columns)
	case "clear_policy":
		return n.onVHost(r, func(v *broker.VHost, _ []string) Response {
			return clearPolicy(v.ClearPolicy, r.Arguments)
		})
	case "clear_operator_policy":
		return n.onVHost(r, func(v *broker.VHost, _ []string) Response {
			return clearPolicy(v.ClearOperatorPolicy, r.Arguments)
		})
	case "list_policies":
		return n.onVHost(r, func(v *broker.VHost, columns []string) Response {
			return listPolicies(v, v.Policies(), columns)
		})
	case "list_operator_policies":
		return n.onVHost(r, func(v *broker.VHost, columns []string) Response {
			return listPolicies(v, v.OperatorPolicies(), columns)
		})
	case "list_quarantined":
		return n.listQuarantined(r)
	case "list_queues":
		return n.onVHost(r, listQueues)
	case "set_permissions":
		return n.setPermissions(r)
	case "set_policy":
		return n.onVHost(r, func(v *broker.VHost, _ []string) Response {
			return setPolicy(v.PutPolicy, r.Arguments)
		})
	case "set_operator_policy":
		return n.onVHost(r, func(v *broker.VHost, _ []string) Response {
			return setPolicy(v.PutOperatorPolicy, r.Arguments)
		})
	case "status":
		return Response{Columns: []string{"what", "value"}, Rows: n.Status()}
	case "stop":
		n.Stop()
		return Response{}
	}
	return Response{Error: fmt.Sprintf("unknown verb %q", r.Verb)}
}

// addVHost makes the vhost that the one argument names.
func (n *Node) addVHost(r Request) Response {
	if len(r.Arguments) != 1 {
		return Response{Error: "add_vhost takes the name of the vhost"}
	}
	created, err := n.Broker.PutVHost(r.Arguments[0])
	if err != nil {
		return Response{Error: err.Text}
	}
	if !created {
		return Response{Error: fmt.Sprintf("vhost %q already exists", r.Arguments[0])}
	}
	return Response{}
}

// setPermissions gives a user three patterns in a vhost: to configure, to write, to read.
func (n *Node) setPermissions(r Request) Response {
	if len(r.Arguments) != 4 {
		return Response{Error: "set_permissions takes a user and three patterns"}
	}
	err := n.Broker.PutPermission(definition.Permission{
		VHost: r.VHost, User: r.Arguments[0],
		Configure: r.Arguments[1], Write: r.Arguments[2], Read: r.Arguments[3],
	})
	if err != nil {
		return Response{Error: err.Text}
	}
	return Response{}
}

func (n *Node) onVHost(r Request, f func(*broker.VHost, []string) Response) Response {
	v := n.Broker.VHost(r.VHost)
	if v == nil {
		return Response{Error: fmt.Sprintf("vhost %q does not exist", r.VHost)}
	}
	return f(v, r.Columns)
}

// table cuts columns out of full rows, in the order wanted.
func table(all []string, rows [][]any, wanted []string) Response {
	if len(wanted) == 0 {
		return Response{Columns: all, Rows: rows}
	}
	picks := make([]int, len(wanted))
	for i, name := range wanted {
		if picks[i] = slices.Index(all, name); picks[i] < 0 {
			return Response{Error: fmt.Sprintf("unknown column %q; there are %s",
				name, strings.Join(all, " "))}
		}
	}
	for i, row := range rows {
		cut := make([]any, len(picks))
		for j, pick := range picks {
			cut[j] = row[pick]
		}
		rows[i] = cut
	}
	return Response{Columns: wanted, Rows: rows}
}

func listBindings(v *broker.VHost, columns []string) Response {
	var rows [][]any
	for _, b := range v.Bindings() {
		kind := "queue"
		if b.ToExchange {
			kind = "exchange"
		}
		rows = append(rows, []any{
			b.Source, "exchange", b.Destination, kind, b.RoutingKey, arguments(b.Arguments),
		})
	}
	return table([]string{
		"source_name", "source_kind", "destination_name", "destination_kind", "routing_key",
		"arguments",
	}, rows, columns)
}

func listQueues(v *broker.VHost, columns []string) Response {
	var rows [][]any
	for _, q := range v.Queues() {
		s, d := q.Stats(), q.Definition
		e, _ := q.Effective()
		settings, err := settingsText(q.EffectivePolicy())
		if err != nil {
			return Response{Error: fmt.Sprintf("queue %q: %v", d.Name, err)}
		}
		rows = append(rows, []any{
			d.Name, s.Ready + s.Unacked, s.Ready, s.Unacked, s.Consumers, s.Bytes,
			d.Durable, d.AutoDelete, d.Exclusive, d.Type, arguments(d.Arguments),
			string(q.Flow().State), q.Flow().Reason, string(e.Durability),
			e.Policy, e.OperatorPolicy, settings,
		})
	}
	if len(columns) == 0 {
		columns = []string{"name", "messages"}
	}
	return table([]string{
		"name", "messages", "messages_ready", "messages_unacknowledged", "consumers",
		"message_bytes", "durable", "auto_delete", "exclusive", "type", "arguments",
		"state", "state_reason", "durability", "policy", "operator_policy",
		"effective_policy_definition",
	}, rows, columns)
}

// arguments writes a table as rabbitmqctl does: a list of pairs.
func arguments(t amqp.Table) string {
	var pairs []string
	t.Each(func(key []byte, v amqp.Value) bool {
		value := fmt.Sprint(v.Any())
		if _, text := v.Text(); text {
			value = fmt.Sprintf("%q", value)
		}
		pairs = append(pairs, fmt.Sprintf("{%q,%s}", key, value))
		return true
	})
	return "[" + strings.Join(pairs, ",") + "]"
}

// ProcessStatus are the lines of `status` about the process.
func ProcessStatus(version string, started time.Time) [][]any {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return [][]any{
		{"version", version},
		{"go", runtime.Version()},
		{"pid", os.Getpid()},
		{"uptime_seconds", int(time.Since(started).Seconds())},
		{"memory_heap_bytes", mem.HeapAlloc},
		{"goroutines", runtime.NumGoroutine()},
	}
}
