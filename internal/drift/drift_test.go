package drift

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) Definitions {
	t.Helper()
	d, err := Parse([]byte(text), "/")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const first = `{
	"rabbit_version": "3.10.8",
	"vhosts": [{"name": "/"}, {"name": "v", "metadata": {"description": "d"}}],
	"users": [{"name": "a", "password_hash": "x", "tags": "administrator,monitoring"},
		{"name": "b", "password_hash": "secret", "tags": []}],
	"global_parameters": [{"name": "internal_cluster_id", "value": "one"}],
	"queues": [{"name": "q", "durable": true, "auto_delete": false, "arguments": {"x-a": 1.0}},
		{"name": "q", "vhost": "v", "durable": true, "arguments": {}}],
	"bindings": [{"vhost": "/", "source": "e", "destination_type": "queue", "destination": "q",
		"routing_key": "k", "arguments": {}}]
}`

const second = `{
	"vhosts": [{"name": "/"}],
	"users": [{"name": "a", "password_hash": "x", "tags": ["monitoring", "administrator"],
		"limits": {}}, {"name": "b", "password_hash": "other"}, {"name": "c"}],
	"global_parameters": [{"name": "internal_cluster_id", "value": "two"}],
	"queues": [{"name": "q", "vhost": "/", "durable": true, "arguments": {"x-a": 1, "x-b": 2}}],
	"bindings": [{"vhost": "/", "source": "e", "destination_type": "queue", "destination": "q",
		"routing_key": "k", "arguments": []}]
}`

func TestDifferencesAreNamed(t *testing.T) {
	var lines []string
	for _, d := range Compare(parse(t, first), parse(t, second)) {
		lines = append(lines, fmt.Sprintln(d.Action, d.Kind, d.VHost, d.Name, d.Fields))
	}
	got := strings.Join(lines, "")
	want := `add vhosts  v []
change users  b [password_hash: another]
extra users  c []
keep queues / q [arguments: {"x-a":1,"x-b":2} -> {"x-a":1}]
add queues v q []
`
	// An empty list of arguments is an empty object: the binding is the same.
	if got != want {
		t.Errorf("found\n%s, want\n%s", got, want)
	}
	if again := Compare(parse(t, first), parse(t, first)); len(again) > 0 {
		t.Errorf("the same differs: %v", again)
	}
}

func TestOnlyChosenVHostsAreLeft(t *testing.T) {
	d := parse(t, first).Only([]string{"v"})
	if len(d["vhosts"]) != 1 || len(d["queues"]) != 1 || len(d["bindings"]) != 0 ||
		len(d["users"]) != 2 || len(d["global_parameters"]) != 0 {
		t.Errorf("left is %v", d)
	}
}

func TestWhatIsNoExportIsRefused(t *testing.T) {
	for _, wrong := range []string{"", "[]", `{"queues": {}}`, `{"queues": [null]}`} {
		if _, err := Parse([]byte(wrong), ""); err == nil {
			t.Errorf("%s is an export", wrong)
		}
	}
	if _, err := Parse([]byte("\xef\xbb\xbf{}"), ""); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
}

func TestKindsComeAsAnImportNeedsThem(t *testing.T) {
	order := Kinds()
	if slices.Index(order, "exchanges") > slices.Index(order, "bindings") || order[0] != "vhosts" {
		t.Errorf("the order is %v", order)
	}
}
