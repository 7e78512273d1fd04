package rabbitmqctl

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestConnectionsAreListedAndClosedByPid as client test suites do it.
func TestConnectionsAreListedAndClosedByPid(t *testing.T) {
	node := warrentest.Start(t)
	call := on(t, node.DataDir())
	client := warrentest.Open(t, node.Addr())
	client.Call(1, &amqp.QueueDeclare{Queue: "q"}, amqp.MethodQueueDeclareOk)
	client.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c"}, amqp.MethodBasicConsumeOk)
	_, port, err := net.SplitHostPort(node.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	code, out, stderr := call("rabbitmqctl -q list_connections pid port peer_port name user " +
		"vhost state channels protocol client_properties --no-table-headers")
	cells := strings.Split(strings.TrimSuffix(out, "\n"), "\t")
	if code != 0 || len(cells) != 10 {
		t.Fatalf("exits with %d: %s%s", code, out, stderr)
	}
	pid := cells[0]
	if !strings.HasPrefix(pid, "<NODE.1.") || cells[1] != port ||
		cells[3] != "127.0.0.1:"+cells[2]+" -> 127.0.0.1:"+port || cells[4] != "guest" ||
		cells[5] != "/" || cells[6] != "running" || cells[7] != "1" || cells[8] != "{0,9,1}" ||
		!strings.HasPrefix(cells[9], "[") {
		t.Errorf("listed %q", cells)
	}
	_, out, _ = call("rabbitmqctl -s list_channels connection number")
	if want := pid + "\t1\n"; out != want {
		t.Errorf("channels are %q, want %q", out, want)
	}
	_, channel, _ := call("rabbitmqctl -s list_channels pid")
	_, out, _ = call("rabbitmqctl -s list_consumers")
	want := "q\t" + strings.TrimSpace(channel) + "\tc\ttrue\t0\ttrue\t[]\n"
	if out != want {
		t.Errorf("consumers are %q, want %q", out, want)
	}
	code, out, _ = call("rabbitmqctl close_connection '<NODE.1.999.0>' gone")
	if code != exitUnavailable || out != "Closing connection <NODE.1.999.0>, reason: gone...\n" {
		t.Errorf("closing nobody's connection exits with %d: %s", code, out)
	}
	if code, out, stderr = call("rabbitmqctl close_connection '" + pid + "' enough"); code != 0 {
		t.Errorf("closing exits with %d: %s%s", code, out, stderr)
	}
	told := client.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if !strings.Contains(told.ReplyText, "CONNECTION_FORCED - enough") {
		t.Errorf("the client is told %q", told.ReplyText)
	}
}

func TestAnUnknownNodeIsExplained(t *testing.T) {
	dir := t.TempDir()
	call := on(t, dir)
	for _, line := range []string{
		"rabbitmqctl list_queues", "rabbitmqctl status", "rabbitmqctl stop_app",
		"rabbitmq-diagnostics check_running", "rabbitmqctl add_user a b",
	} {
		code, stdout, stderr := call(line)
		if code != exitUnavailable || stdout != "" ||
			!strings.Contains(stderr, "no node runs on "+dir) {
			t.Errorf("%s exits with %d and prints\n%s%s", line, code, stdout, stderr)
		}
	}
	code, _, stderr := call("rabbitmqctl ping -q")
	if code != exitUnavailable || !strings.Contains(stderr, "Failed to connect") {
		t.Errorf("ping exits with %d: %s", code, stderr)
	}
	code, _, stderr = call("rabbitmqctl wait --pid 0 -t 1")
	if code != exitUnavailable || !strings.Contains(stderr, "process_not_running") {
		t.Errorf("wait exits with %d: %s", code, stderr)
	}
	code, _, stderr = call("rabbitmqctl wait none.pid -t 0")
	if code != exitTemporary || !strings.Contains(stderr, "timed out") {
		t.Errorf("wait for a file exits with %d: %s", code, stderr)
	}
}

func TestRefusedVerbsSayWhy(t *testing.T) {
	call := on(t, t.TempDir()) // none is asked
	for _, v := range refusedVerbs() {
		tool := usages()[v.name].tools[0]
		code, stdout, stderr := call(tool + " " + v.name + " a b c")
		if code != exitUnavailable || stdout != "" || !strings.HasPrefix(stderr, "Error:\n") {
			t.Errorf("%s exits with %d and prints\n%s%s", v.name, code, stdout, stderr)
		}
	}
}

func TestStatusIsTextAndJSON(t *testing.T) {
	node := warrentest.Start(t)
	call := on(t, node.DataDir())
	_, port, _ := net.SplitHostPort(node.Addr().String())
	code, out, stderr := call("rabbitmqctl status")
	if code != 0 || !strings.Contains(out, "port: "+port+", protocol: amqp") ||
		!strings.Contains(out, "Node data directory: "+node.DataDir()) {
		t.Errorf("status exits with %d: %s%s", code, out, stderr)
	}
	for _, line := range []string{
		"rabbitmqctl status", "rabbitmqctl cluster_status", "rabbitmq-diagnostics listeners",
		"rabbitmq-diagnostics memory_breakdown", "rabbitmq-plugins list",
		"rabbitmq-diagnostics alarms", "rabbitmqctl list_feature_flags",
	} {
		code, out, stderr := call(line + " --formatter json")
		if code != 0 || !json.Valid([]byte(out)) {
			t.Errorf("%s exits with %d: %s%s", line, code, out, stderr)
		}
		if code, out, stderr := call(line); code != 0 || out == "" {
			t.Errorf("%s exits with %d: %s%s", line, code, out, stderr)
		}
	}
	code, out, stderr = call("rabbitmqctl report")
	if code != 0 || !strings.HasSuffix(out, "End of server status report ...\n") {
		t.Errorf("report exits with %d: %s%s", code, out, stderr)
	}
	code, out, stderr = call("rabbitmq-diagnostics check_port_connectivity")
	if code != 0 || !strings.Contains(out, port) {
		t.Errorf("check_port_connectivity exits with %d: %s%s", code, out, stderr)
	}
}

func TestDefinitionsGoThroughAFile(t *testing.T) {
	call := on(t, warrentest.Start(t).DataDir())
	file := filepath.Join(t.TempDir(), "definitions.json")
	for _, line := range []string{
		"rabbitmqctl add_vhost kept", "rabbitmqctl export_definitions " + file,
		"rabbitmqctl delete_vhost kept", "rabbitmqctl import_definitions " + file,
	} {
		if code, _, stderr := call(line); code != 0 {
			t.Fatalf("%s exits with %d: %s", line, code, stderr)
		}
	}
	if _, out, _ := call("rabbitmqctl -s list_vhosts"); out != "/\nkept\n" {
		t.Errorf("vhosts are %q", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the file of hashes is %v, %v", info, err)
	}
	if code, _, _ := call("rabbitmqctl import_definitions"); code != exitData {
		t.Errorf("importing nothing exits with %d", code)
	}
}

func TestAPeekLeavesTheMessage(t *testing.T) {
	node := warrentest.Start(t)
	call := on(t, node.DataDir())
	client := warrentest.Open(t, node.Addr())
	client.Call(1, &amqp.QueueDeclare{Queue: "q"}, amqp.MethodQueueDeclareOk)
	for _, body := range []string{"one", "two"} {
		client.Publish(1, "", "q", amqp.Properties{}, []byte(body))
	}
	client.Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
	code, out, stderr := call("rabbitmq-queues -q peek q 2")
	if code != 0 || !strings.Contains(out, "two") {
		t.Errorf("peek exits with %d: %s%s", code, out, stderr)
	}
	code, _, stderr = call("rabbitmq-queues peek q 3")
	if code != exitUnavailable || !strings.Contains(stderr, "does not have a message at that") {
		t.Errorf("a peek too far exits with %d: %s", code, stderr)
	}
	code, _, _ = call("rabbitmq-queues peek q 1001") // peekMax
	if code != exitUnavailable {
		t.Errorf("a peek above the limit exits with %d", code)
	}
	if _, out, _ := call("rabbitmqctl -s list_queues name messages_ready"); out != "q\t2\n" {
		t.Errorf("queues are %q", out)
	}
}

func TestAmountsHaveUnits(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "7": 7, "4GB": 4e9, "4GiB": 4 << 30, "2kB": 2000, "2KiB": 2048, "1TB": 1e12,
	} {
		if n, err := bytesOf(text); n != want || err != nil {
			t.Errorf("%s is %d, %v", text, n, err)
		}
	}
	for _, text := range []string{"", "GB", "-1", "1.5GB", "4QB", "9223372036854775807TB"} {
		if n, err := bytesOf(text); err == nil {
			t.Errorf("%s is %d", text, n)
		}
	}
}

func TestCellsInEveryFormat(t *testing.T) {
	v, err := parseValue([]byte(`{"a":1,"b":true,"t":"x\"y","n":null,"f":1.5,` +
		`"l":[1,"t",2],"m":{"k":"v"}}`))
	if err != nil {
		t.Fatal(err)
	}
	cell := arguments(v.(object))
	for _, c := range []struct{ got, want string }{
		{cellText(cell), `[{"a",1},{"b",true},{"t","x"y"},{"n",undefined},{"f",1.5},` +
			`{"l",[1,"t",2]},{"m",[{"k","v"}]}]`},
		{jsonText(cellJSON(cell)), `[["a","signedint",1],["b","bool",true],` +
			`["t","longstr","x\"y"],["n","void",null],["f","double",1.5],` +
			`["l","array",{"signedint":2,"longstr":"t"}],["m","table",[["k","longstr","v"]]]]`},
		{cellTerm(cell), `[{<<"a">>,signedint,1},{<<"b">>,bool,true},` +
			`{<<"t">>,longstr,<<"x\"y">>},{<<"n">>,void,undefined},{<<"f">>,double,1.5},` +
			`{<<"l">>,array,[{signedint,1},{longstr,<<"t">>},{signedint,2}]},` +
			`{<<"m">>,table,[{<<"k">>,longstr,<<"v">>}]}]`},
		{cellText(words{"a", "b"}), "[a, b]"}, {cellTerm(words{"a", "b"}), "[a,b]"},
		{cellPretty(words{"a", "b"}), "ab"}, {cellText(nil), ""}, {cellTerm(""), "<<>>"},
		{cellText(protocol{0, 9, 1}), "{0,9,1}"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

func TestOptionsStandAnywhere(t *testing.T) {
	known := []option{flag("quiet", "q"), text("vhost", "p"), number("priority", "")}
	words, given, invalid := parseOptions([]string{
		"-q", "set", "-p", "v", "-1", "--priority=3", "-", "--", "-q",
	}, known)
	if strings.Join(words, " ") != "set -1 - -q" || !given.has("quiet") ||
		given.text("vhost") != "v" || given.number("priority") != 3 || invalid != nil {
		t.Errorf("%q %v %v", words, given, invalid)
	}
	for _, wrong := range [][]string{
		{"--none"}, {"--priority", "x"}, {"--vhost"}, {"-p", "-q"}, {"--quiet=no"},
	} {
		if _, _, invalid := parseOptions(wrong, known); len(invalid) == 0 {
			t.Errorf("%q is taken", wrong)
		}
	}
}
