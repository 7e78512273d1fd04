package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/broker"
)

// patience bounds each test, for brokers that never answer.
const patience = 5 * time.Minute

// pair are the two brokers, with the same in them.
type pair struct{ warren, rabbitmq *broker.Broker }

func startPair(ctx context.Context, t *testing.T) pair {
	t.Helper()
	rabbitmq, err := broker.StartRabbitMQ(ctx, t.TempDir(), []string{broker.DefaultVHost},
		broker.ManagementPlugin)
	broker.Need(t, err)
	t.Cleanup(rabbitmq.Stop)
	binary, err := broker.WarrenBinary(ctx, t.TempDir())
	broker.Need(t, err)
	warren, err := broker.StartWarren(ctx, binary, t.TempDir())
	broker.Need(t, err)
	t.Cleanup(warren.Stop)
	return pair{warren, rabbitmq}
}

// answer is what a broker said to a request.
type answer struct {
	status   int
	location string
	body     []byte
}

func ask(ctx context.Context, b *broker.Broker, method, path, body string) (answer, error) {
	return askAs(ctx, b, "guest", "guest", method, path, body)
}

func askAs(
	ctx context.Context, b *broker.Broker, user, password, method, path, body string,
) (answer, error) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	url := "http://" + b.Management() + path
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return answer{}, err
	}
	r.SetBasicAuth(user, password)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Location"), text}, err
}

// ofTheirOwn are fields whose values are each broker's own affair, or depend on the moment.
func ofTheirOwn() []string {
	return []string{
		"password_hash", "hashing_algorithm", "cluster_state", "message_stats", "messages",
		"messages_ready", "messages_unacknowledged", "messages_details",
		"messages_ready_details", "messages_unacknowledged_details", "incoming", "outgoing",
		"user_who_performed_action", "policy", "ports", "protocols", "rabbit_version",
		"rabbitmq_version", "product_name", "product_version", "recv_oct", "send_oct",
		"recv_oct_details", "send_oct_details", "protected_from_deletion", "node",
		"description", "metadata",
	}
}

// argumentsHash is what a properties_key has of the arguments of a binding.
var argumentsHash = regexp.MustCompile(`~[\w-]{5,}`)

// comparable returns JSON in a form that is the same for what means the same.
func comparable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range ofTheirOwn() {
			delete(v, key)
		}
		if tags, ok := v["tags"].([]any); ok && len(tags) == 0 {
			delete(v, "tags") // old versions have none for vhosts
		}
		for key := range v {
			v[key] = comparable(v[key])
		}
	case []any:
		v = slices.DeleteFunc(v, func(item any) bool {
			fields, ok := item.(map[string]any)
			return ok && fields["name"] == "internal_cluster_id"
		})
		for i := range v {
			v[i] = comparable(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return cmp.Compare(text(a), text(b)) })
		return v
	case string:
		return argumentsHash.ReplaceAllString(v, "~HASH")
	}
	return v
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// String returns the answer in a form that is the same for what means the same.
func (a answer) String() string {
	in := json.NewDecoder(bytes.NewReader(a.body))
	in.UseNumber()
	body := string(a.body)
	var v any
	if in.Decode(&v) == nil {
		body = text(comparable(v))
	}
	location := argumentsHash.ReplaceAllString(a.location, "~HASH")
	return text(a.status) + " " + location + " " + body
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(content), "\n"), func(line string) bool {
		return line == "" || strings.HasPrefix(line, "#")
	})
}
