package control

import (
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

func TestPoliciesAreSetShownAndCleared(t *testing.T) {
	n := node(t)
	ask := func(verb string, arguments ...string) Response {
		return n.Answer(Request{Verb: verb, Arguments: arguments})
	}
	if r := ask("set_policy", "p", "^q", `{"durability":"os"}`, "3", "queues"); r.Error != "" {
		t.Fatal(r.Error)
	}
	r := ask("list_policies")
	if len(r.Rows) != 1 || r.Rows[0][0] != "/" || r.Rows[0][1] != "p" || r.Rows[0][2] != "^q" ||
		r.Rows[0][3] != "queues" || r.Rows[0][4] != `{"durability":"os"}` ||
		r.Rows[0][5] != int64(3) {
		t.Errorf("%+v", r)
	}
	queue := func(want ...any) {
		t.Helper()
		columns := []string{"durability", "policy", "state", "state_reason"}
		r := n.Answer(Request{Verb: "list_queues", Columns: columns})
		for i := range want {
			if r.Rows[0][i] != want[i] {
				t.Errorf("%s is %v, want %v", columns[i], r.Rows[0][i], want[i])
			}
		}
	}
	queue("os", "p", "running", "")
	if r := ask("clear_policy", "p"); r.Error != "" {
		t.Fatal(r.Error)
	}
	n.Broker.VHost("/").Queues()[0].SetFlow(broker.FlowHeld, "disk")
	queue("fsync", "", "flow", "disk")
	for _, request := range [][]string{
		{"clear_policy", "p"}, {"clear_policy"}, {"set_policy", "p"},
		{"set_policy", "p", "", "{", "0", "all"}, {"set_policy", "p", "", "[]", "0", "all"},
		{"set_policy", "p", "", `{"durability":1}`, "0", "all"},
		{"set_policy", "p", "", `{"durability":{}}`, "0", "all"},
		{"set_policy", "p", "(", `{"durability":"os"}`, "0", "all"},
		{"set_policy", "p", "", `{"durability":"os"}`, "first", "all"},
		{"set_policy", "p", "", `{"durability":"os"}`, "0", "everything"},
	} {
		if r := ask(request[0], request[1:]...); r.Error == "" {
			t.Errorf("%v: %+v", request, r)
		}
	}
}

func TestConnectionsAreShownWithWhatHoldsThem(t *testing.T) {
	n := node(t)
	since := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	n.Connections = func() []broker.Connection {
		return []broker.Connection{{
			Name: "a -> b", User: "guest", PeerHost: "127.0.0.1", PeerPort: 7, VHost: "/",
			Flow: broker.Flow{State: broker.FlowBlocked, Reason: "low on disk", Since: since},
		}, {Name: "c -> d", Flow: broker.Flow{State: "opening"}}}
	}
	r := n.Answer(Request{Verb: "list_connections"})
	if got := strings.Join(r.Columns, " "); got != "user peer_host peer_port state" {
		t.Errorf("columns %s", got)
	}
	r = n.Answer(Request{Verb: "list_connections", Columns: []string{
		"name", "state", "state_reason", "state_since",
	}})
	if len(r.Rows) != 2 || r.Rows[0][1] != "blocked" || r.Rows[0][2] != "low on disk" ||
		r.Rows[0][3] != "2026-01-02T03:04:05.006Z" || r.Rows[1][3] != "" {
		t.Errorf("%+v", r.Rows)
	}
}
