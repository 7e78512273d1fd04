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
		{"set_policy", "p", "", `null`, "0", "all"},
		{"set_policy", "p", "", `{"max-length":1}{}`, "0", "all"},
		{"set_policy", "p", "", `{"max-length":99999999999999999999}`, "0", "all"},
		{"set_policy", "p", "", `{"max-length":1e999}`, "0", "all"},
		{"set_policy", "p", "", `{"ha-mode":"nodes","ha-params":[1e999]}`, "0", "all"},
		{"set_policy", "p", "", `{"x":{"y":1e999}}`, "0", "all"},
		{"set_policy", "p", "", `{"` + strings.Repeat("k", 256) + `":1}`, "0", "all"},
		{"set_operator_policy", "p"}, {"clear_operator_policy"},
		{"set_operator_policy", "p", "", `{"overflow":"drop-head"}`, "0", "all"},
	} {
		if r := ask(request[0], request[1:]...); r.Error == "" {
			t.Errorf("%v: %+v", request, r)
		}
	}
}

// TestPoliciesAreOfJSONAndSoAreErrors: numbers, texts and lists come through as they are, and
// what is wrong is said in RabbitMQ's words.
func TestPoliciesAreOfJSONAndSoAreErrors(t *testing.T) {
	n := node(t)
	set := func(verb, name, definition, priority string) string {
		return n.Answer(Request{Verb: verb, Arguments: []string{
			name, "^q", definition, priority, "all",
		}}).Error
	}
	const settings = `{"dead-letter-exchange":"<é>","ha-mode":"nodes","ha-params":["a","b"],` +
		`"max-length":9223372036854775807,"max-length-bytes":0}`
	for _, wrong := range []string{
		set("set_policy", "b", settings, "7"), set("set_policy", "c", `{"max-length":5}`, "-1"),
		set("set_operator_policy", "o", `{"max-length": 3, "expires": 60000}`, "0"),
	} {
		if wrong != "" {
			t.Error(wrong)
		}
	}
	for definition, want := range map[string]string{
		`{"max-length":"3"}`:    `<<"3">> is not a valid maximum length`,
		`{"max-length":3.0}`:    `3.0 is not a valid maximum length`,
		`{"max-length":3e0}`:    `3.0 is not a valid maximum length`,
		`{"overflow":["a",{}]}`: `[<<"a">>,#{}] is not a valid overflow value`,
		`{"nope":{"a":[null,-1]}}`: `[{<<"nope">>,#{<<"a">> => [null,-1]}}] ` +
			`are not recognised policy settings`,
		`{}`: `no policy provided`,
	} {
		want = "Validation failed\n\n" + want + "\n"
		if got := set("set_policy", "p", definition, "0"); got != want {
			t.Errorf("%s: %q", definition, got)
		}
	}
	r := n.Answer(Request{Verb: "list_policies", Columns: []string{"name", "definition"}})
	if len(r.Rows) != 2 || r.Rows[0][0] != "c" || r.Rows[1][0] != "b" || r.Rows[1][1] != settings {
		t.Errorf("%+v", r)
	}
	r = n.Answer(Request{Verb: "list_operator_policies", Columns: []string{"name", "priority"}})
	if len(r.Rows) != 1 || r.Rows[0][0] != "o" || r.Rows[0][1] != int64(0) {
		t.Errorf("%+v", r)
	}
	r = n.Answer(Request{Verb: "list_queues", Columns: []string{
		"policy", "operator_policy", "effective_policy_definition",
	}})
	const effective = `{"dead-letter-exchange":"<é>","expires":60000,"ha-mode":"nodes",` +
		`"ha-params":["a","b"],"max-length":3,"max-length-bytes":0}`
	if r.Rows[0][0] != "b" || r.Rows[0][1] != "o" || r.Rows[0][2] != effective {
		t.Errorf("%+v", r)
	}
	for _, verb := range []string{"clear_operator_policy", "clear_policy"} {
		for i, want := range []string{"", "Parameter does not exist"} {
			name := map[string]string{"clear_policy": "b", "clear_operator_policy": "o"}[verb]
			if r := n.Answer(Request{Verb: verb, Arguments: []string{name}}); r.Error != want {
				t.Errorf("%s, %d times before: %q", verb, i, r.Error)
			}
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
