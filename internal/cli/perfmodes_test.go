package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/perf"
	"github.com/warrenmq/warren/internal/warrentest"
)

// perfJSON runs `warren perf` against a node and reads what it prints.
func perfJSON[R any](t *testing.T, uri, args string) (result R) {
	t.Helper()
	c, stdout, stderr := perfCommand(append(strings.Fields(args), "-h", uri, "--json")...)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%s: %v\n%s", args, err, stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestChurnCountsWhatComesAndGoes(t *testing.T) {
	node := warrentest.Start(t)
	for _, kind := range []string{perf.ChurnConnections, perf.ChurnQueues} {
		r := perfJSON[perf.ChurnResult](t, node.URI(), "-x 2 -z 0.1 --churn "+kind)
		if r.Pairs == 0 || r.Clients != 2 || r.Rate <= 0 {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	code, stdout, _ := run("rabbitmqctl", "--data", node.DataDir(), "-q", "list_queues")
	if code != exitOK || stdout != "" {
		t.Errorf("queues were left behind: %s", stdout)
	}
}

func TestDeclareLeavesQueuesInEachVHost(t *testing.T) {
	node := warrentest.Start(t)
	ctl := func(args ...string) string {
		code, stdout, stderr := run(append([]string{"rabbitmqctl", "--data", node.DataDir()},
			args...)...)
		if code != exitOK {
			t.Fatalf("%v: %s", args, stderr)
		}
		return stdout
	}
	for _, name := range []string{"v1", "v2"} {
		ctl("add_vhost", name)
		ctl("-p", name, "set_permissions", "guest", ".*", ".*", ".*")
	}
	r := perfJSON[perf.DeclareResult](t, node.URI()+"/v%d", "--declare 250 --declare-vhosts 2")
	if r.Queues != 500 {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"v1", "v2"} {
		listed := ctl("-q", "--no-table-headers", "-p", name, "list_queues", "name", "durable")
		if n := strings.Count(listed, "\ttrue\n"); n != 250 {
			t.Errorf("%s has %d durable queues", name, n)
		}
	}
}

func TestPatternsGiveEachMessageToOneQueue(t *testing.T) {
	node := warrentest.Start(t)
	r := perfJSON[perf.Result](t, node.URI(), "-t topic --queue-pattern t-%d --queue-pattern-to 3"+
		" -x 2 -y 3 -C 5000 -a --patterns 250 --pattern-keys 100")
	if r.Received != 10_000 || r.Check.Failed() || r.Check.Unchecked != "" {
		t.Errorf("received %d, check %+v", r.Received, r.Check)
	}
}
