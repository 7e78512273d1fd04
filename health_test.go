package warren

import (
	"net/http"
	"testing"

	"github.com/warrenmq/warren/internal/management"
)

// probe asks without a login.
func probe(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return ask(t, &client, http.MethodGet, url)
}

// TestProbesAreAnsweredWithoutALogin asks on the ports of the API, below a prefix too, and of
// metrics.
func TestProbesAreAnsweredWithoutALogin(t *testing.T) {
	n, err := Start(t.Context(), Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", Management: "127.0.0.1:0",
		Web: Web{Prefix: "/rabbitmq"}, Metrics: Metrics{Listen: "127.0.0.1:0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	ask := operator(t, n)
	for _, base := range []string{n.ManagementAddr().String(), n.MetricsAddr().String()} {
		for _, path := range []string{"/livez", "/readyz", "/startupz"} {
			code, body := probe(t, "http://"+base+path)
			if code != http.StatusOK || body != `{"status":"ok"}`+"\n" {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
	}
	ready := "http://" + n.ManagementAddr().String() + "/readyz"
	for _, state := range []struct{ verb, reason string }{
		{"listeners/suspend", "listening for AMQP clients is suspended"},
		{"listeners/resume", ""},
		{"drain", "the node is drained"},
		{"revive", ""},
	} {
		if code, body := ask("POST", "/warren/"+state.verb); code/100 != 2 {
			t.Fatalf("%s: %d %s", state.verb, code, body)
		}
		wantCode, want := http.StatusOK, `{"status":"ok"}`+"\n"
		if state.reason != "" {
			wantCode = http.StatusServiceUnavailable
			want = `{"status":"unavailable","reasons":["` + state.reason + `"]}` + "\n"
		}
		if code, body := probe(t, ready); code != wantCode || body != want {
			t.Errorf("after %s: %d %s, want %d %s", state.verb, code, body, wantCode, want)
		}
		if code, _ := probe(t, "http://"+n.MetricsAddr().String()+"/livez"); code != http.StatusOK {
			t.Errorf("after %s the node does not live", state.verb)
		}
	}
	code, body := probe(t, ready+"?verbose")
	if want := `{"status":"ok","checks":[{"name":"application"},{"name":"listeners"},` +
		`{"name":"store"},{"name":"queues"}]}` + "\n"; code != http.StatusOK || body != want {
		t.Errorf("verbose: %d %s, want %s", code, body, want)
	}
}

func TestANodeUnderAlarmIsReadyAndOneThatIsStoppedIsNot(t *testing.T) {
	n, err := Start(t.Context(), Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", Management: "127.0.0.1:0",
		MemoryHighWatermark: Amount{Bytes: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	code, body := probe(t, "http://"+n.ManagementAddr().String()+"/readyz")
	if want := `{"status":"ok","alarms":["memory"]}` + "\n"; code != http.StatusOK || body != want {
		t.Errorf("under alarm: %d %s, want %s", code, body, want)
	}
	if err := n.stopApplication(); err != nil {
		t.Fatal(err)
	}
	if c := n.condition(); c.Checks[0] != (management.Check{
		Name: "application", Problem: "the application is stopped",
	}) {
		t.Errorf("stopped: %v", c)
	}
}
