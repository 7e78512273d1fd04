package metrics_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestLoginsOverHTTPAreCounted: what metrics say is what the HTTP API says.
func TestLoginsOverHTTPAreCounted(t *testing.T) {
	node := warrentest.Start(t, func(o *warren.Options) {
		o.Metrics.Listen, o.Management = "127.0.0.1:0", "127.0.0.1:0"
	})
	api := "http://" + node.ManagementAddr().String() + "/api/"
	ask := func(password, path string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("guest", password)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	for _, password := range []string{"wrong", "wrong again", "guest"} {
		ask(password, "whoami")
	}
	var name struct{ Node string }
	if err := json.NewDecoder(ask("guest", "overview").Body).Decode(&name); err != nil {
		t.Fatal(err)
	}
	var told []struct {
		Protocol string `json:"protocol"`
		Failed   int    `json:"auth_attempts_failed"`
		All      int    `json:"auth_attempts"`
	}
	answer := ask("guest", "auth/attempts/"+name.Node)
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Failed != 2 || told[0].All != 5 {
		t.Errorf("the HTTP API tells of %+v", told)
	}
	for _, path := range []string{"/metrics", "/metrics/detailed?family=auth_attempt_metrics"} {
		prefix := "rabbitmq_"
		if path != "/metrics" {
			prefix = "rabbitmq_detailed_"
		}
		families := scrape(t, node, path)
		for name, want := range map[string]float64{
			"auth_attempts_total": 5, "auth_attempts_succeeded_total": 3,
			"auth_attempts_failed_total": 2,
		} {
			if got := value(t, families, prefix+name, "protocol", "http"); got != want {
				t.Errorf("%s: %s is %v, want %v", path, name, got, want)
			}
		}
	}
}
