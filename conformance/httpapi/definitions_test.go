package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/warrenmq/warren/conformance/broker"
)

// TestDefinitionsMoveBothWays imports into a warren what a RabbitMQ exports, and into a RabbitMQ
// that has lost it what the warren exports; and asks in between whether the same is there.
func TestDefinitionsMoveBothWays(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	both := startPair(ctx, t)
	given, err := os.ReadFile("testdata/definitions.json")
	if err != nil {
		t.Fatal(err)
	}
	put(ctx, t, both.rabbitmq, given)
	first := export(ctx, t, both.rabbitmq)
	put(ctx, t, both.warren, first)
	ours := export(ctx, t, both.warren)
	same(t, "warren after the import", ours, first)
	put(ctx, t, both.warren, first) // nothing changes
	same(t, "warren after a second import", export(ctx, t, both.warren), first)

	for _, path := range []string{"/api/vhosts/%2F", "/api/vhosts/orders", "/api/users/ann",
		"/api/users/ben", "/api/global-parameters/place"} {
		if a, err := ask(ctx, both.rabbitmq, "DELETE", path, ""); err != nil || a.status != 204 {
			t.Fatalf("DELETE %s: %s, %v", path, a, err)
		}
	}
	put(ctx, t, both.rabbitmq, ours)
	same(t, "rabbitmq with the export of warren", export(ctx, t, both.rabbitmq), first)
	login(ctx, t, both)
}

// login tries a password whose hash moved.
func login(ctx context.Context, t *testing.T, both pair) {
	t.Helper()
	for _, b := range []*broker.Broker{both.warren, both.rabbitmq} {
		a, err := askAs(ctx, b, "ann", "test12", "GET", "/api/whoami", "")
		if err != nil || a.status != 200 {
			t.Errorf("%s: ann logs in: %s, %v", b.Name(), a, err)
		}
	}
}

func put(ctx context.Context, t *testing.T, b *broker.Broker, definitions []byte) {
	t.Helper()
	a, err := ask(ctx, b, "POST", "/api/definitions", string(definitions))
	if err != nil || a.status != 204 {
		t.Fatalf("%s: import: %s, %v", b.Name(), a, err)
	}
}

func export(ctx context.Context, t *testing.T, b *broker.Broker) []byte {
	t.Helper()
	a, err := ask(ctx, b, "GET", "/api/definitions", "")
	if err != nil || a.status != 200 {
		t.Fatalf("%s: export: %s, %v", b.Name(), a, err)
	}
	return a.body
}

// same compares definitions part by part, users with their hashes.
func same(t *testing.T, when string, got, want []byte) {
	t.Helper()
	parts := func(definitions []byte) map[string]any {
		var all map[string]any
		in := json.NewDecoder(bytes.NewReader(definitions))
		in.UseNumber()
		if err := in.Decode(&all); err != nil {
			t.Fatal(err)
		}
		hashes := map[string]any{}
		for _, u := range all["users"].([]any) {
			u := u.(map[string]any)
			hashes[u["name"].(string)] = []any{u["password_hash"], u["hashing_algorithm"]}
		}
		all = comparable(all).(map[string]any)
		all["hashes"] = hashes
		delete(all, "rabbitmq_definition_format")
		return all
	}
	ours, theirs := parts(got), parts(want)
	for part := range theirs {
		if text(ours[part]) != text(theirs[part]) {
			t.Errorf("%s: %s are\n\t%s, not\n\t%s", when, part, text(ours[part]),
				text(theirs[part]))
		}
	}
}
