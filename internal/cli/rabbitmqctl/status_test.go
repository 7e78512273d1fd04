package rabbitmqctl

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/warrentest"
)

func TestStatusTellsOfFilesSocketsAndMemory(t *testing.T) {
	node := warrentest.Start(t, func(o *warren.Options) {
		o.ConfigFiles, o.LogFiles = []string{"/etc/w.conf"}, []string{"/var/log/w.log", "<stderr>"}
		o.ConnectionsMax = 77
	})
	warrentest.Open(t, node.Addr())
	call := on(t, node.DataDir())
	_, out, _ := call("rabbitmqctl -q status")
	for _, want := range []string{
		" * /etc/w.conf\n", " * /var/log/w.log\n * <stderr>\n", "Sockets: 1, limit: 77\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	_, out, _ = call("rabbitmq-diagnostics -q log_location")
	if out != "/var/log/w.log\n<stderr>\n" {
		t.Errorf("the log is at %q", out)
	}
	_, out, _ = call("rabbitmq-diagnostics -q memory_breakdown --formatter json")
	var parts map[string]struct{ Percentage float64 }
	if err := json.Unmarshal([]byte(out), &parts); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sum := 0.0
	for _, p := range parts {
		sum += p.Percentage
	}
	if sum < 99.5 || sum > 100.5 { // each is rounded
		t.Errorf("the parts of the memory are %v%% of it: %s", sum, out)
	}
	for _, line := range []string{
		"-q status", "-q cluster_status", "-q cluster_status --formatter json", "-q erlang_version",
	} {
		tool := "rabbitmq-diagnostics "
		if _, out, _ = call(tool + line); !strings.Contains(out, runtime.Version()) {
			t.Errorf("%s does not tell Go's version:\n%s", line, out)
		}
	}
}
