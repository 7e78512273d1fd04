package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/warrentest"
)

// run calls the program and returns its exit code and what it printed.
func run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Main(args, &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodesAreThoseOfRabbitmqctl(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"warren", "--version"}, exitOK},
		{[]string{"warren", "serve", "--nonsense"}, exitUsage},
		{[]string{"warren", "serve", "--log-level", "loud"}, exitUsage},
		{[]string{"warren", "serve", "--listen", "nowhere"}, exitUsage},
		{[]string{"warren", "serve", "--config", empty + "/none"}, exitUsage},
		{[]string{"warren", "ctl", "--data", empty, "status"}, exitUnavailable},
		{[]string{"rabbitmqctl", "--data", empty, "list_queues"}, exitUnavailable},
		{[]string{"rabbitmqctl", "list_nothing"}, exitUsage},
		{[]string{"warren", "ctl", "--data", empty, "status", "--formatter", "xml"}, exitUsage},
	} {
		if code, _, stderr := run(c.args...); code != c.code {
			t.Errorf("%v exits with %d (%s), want %d", c.args, code, stderr, c.code)
		}
	}
}

func TestCtlFormats(t *testing.T) {
	node := warrentest.Start(t)
	ctl := func(args ...string) string {
		args = append([]string{"rabbitmqctl", "--data", node.DataDir()}, args...)
		code, stdout, stderr := run(args...)
		if code != exitOK {
			t.Fatalf("%v exits with %d: %s", args, code, stderr)
		}
		return stdout
	}
	client := warrentest.Open(t, node.Addr())
	declare(client, "one", "two")
	if got, want := ctl("list_queues", "-q", "--no-table-headers", "name", "durable"),
		"one\tfalse\ntwo\tfalse\n"; got != want {
		t.Errorf("list_queues printed %q, want %q", got, want)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(ctl("list_queues", "--formatter", "json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0]["name"] != "one" || list[0]["messages"] != 0.0 {
		t.Errorf("list_queues as JSON is %v", list)
	}
	ctl("add_vhost", "new")
	ctl("-p", "new", "set_permissions", "guest", ".*", ".*", ".*")
	if got := ctl("-p", "new", "-q", "list_queues"); got != "" {
		t.Errorf("a new vhost lists %q", got)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"delete_vhost", "none"}, "Virtual host 'none' does not exist"},
		{[]string{"add_vhost"}, "not enough arguments"},
		{[]string{"list_queues", "color"}, "Info key(s) color are not supported"},
		{[]string{"-p", "none", "list_policies"}, "none"},
	} {
		args := append([]string{"rabbitmqctl", "--data", node.DataDir()}, c.args...)
		if code, _, stderr := run(args...); code == exitOK || !strings.Contains(stderr, c.says) {
			t.Errorf("%v exits with %d and says %q", c.args, code, stderr)
		}
	}
}

func TestLongDataDirectoriesHaveAControlSocket(t *testing.T) {
	dir := t.TempDir() + "/" + strings.Repeat("long", 30)
	node, err := warren.Start(context.Background(), warren.Options{
		DataDir: dir, Listen: "127.0.0.1:0", Logger: warrentest.Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	if code, _, stderr := run("warren", "ctl", "--data", dir, "status"); code != exitOK {
		t.Errorf("status exits with %d: %s", code, stderr)
	}
}
