package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/warrentest"
)

// script runs commands against a node in this process, each with an exit code and a part of what
// it prints.
type script struct {
	t    *testing.T
	data string
}

func newScript(t *testing.T) script {
	t.Helper()
	noContexts(t)
	return script{t, warrentest.Start(t).DataDir()}
}

// noContexts keeps the contexts of whoever runs the test out of it.
func noContexts(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		t.Setenv(name, home)
	}
	t.Setenv("WARREN_CONTEXT", "")
}

// run calls `warren` with the words of the line and the node's directory.
func (s script) run(line string, more ...string) (code int, stdout, stderr string) {
	args := append([]string{"warren"}, strings.Fields(line)...)
	args = append(args, more...)
	return run(append(args, "--data", s.data)...)
}

// want runs a line that succeeds and prints every part.
func (s script) want(line string, parts ...string) string {
	s.t.Helper()
	code, stdout, stderr := s.run(line)
	if code != exitOK {
		s.t.Errorf("%s exits with %d: %s", line, code, stderr)
	}
	for _, part := range parts {
		if !strings.Contains(stdout, part) {
			s.t.Errorf("%s prints\n%s, which has no %q", line, stdout, part)
		}
	}
	return stdout
}

// refused runs a line that ends with the code and says the part.
func (s script) refused(line string, code int, part string) {
	s.t.Helper()
	got, _, stderr := s.run(line)
	if got != code || !strings.Contains(stderr, part) {
		s.t.Errorf("%s exits with %d and says %q, want %d and %q", line, got, stderr, code, part)
	}
}

func TestQueuesFromDeclareToDelete(t *testing.T) {
	s := newScript(t)
	s.want("queues declare q1 --max-length 5 --argument x-message-ttl=60000", `"q1" is declared`)
	s.want("queues declare q2 --type quorum")
	s.want("queues list --columns name,type --no-headers", "q1  classic\nq2  quorum\n")
	s.want("queues list --filter type=quorum --columns name --no-headers", "q2\n")
	s.want("queues show q1", `{"x-max-length":5,"x-message-ttl":60000}`)
	s.want("exchanges declare e1 --type topic --alternate-exchange amq.fanout")
	s.want("exchanges list", "e1", "topic", `{"alternate-exchange":"amq.fanout"}`)
	s.want("bindings declare e1 q1 -k a.b --argument n=1")
	s.want("bindings list", `a.b          {"n":1}`)
	s.want("queues bindings q1", "a.b")
	s.want("publish a.b hello -e e1 --header n=1 --property priority=3", "Published")
	s.want("get q1", "hello", `"headers":{"n":1}`)
	s.want("get q1 --raw --ack-mode ack_requeue_false", "hello")
	s.refused("publish nowhere hello -e amq.direct", exitFailure, "no queue took it")
	s.refused("bindings delete e1 q1 -k a.b", exitData, "no such binding")
	s.want("bindings delete e1 q1 -k a.b --argument n=1")
	s.want("publish q1 hello")
	s.want("queues move q1 q2", `Moved from "q1" to "q2": 1 message.`)
	s.want("queues move q2 q1 --json", `"moved": 1`)
	s.refused("queues move q1 nowhere", exitData, "nowhere")
	s.want("queues purge q1")
	s.want("queues delete q1 q2")
	s.want("exchanges delete e1")
	s.refused("queues delete q1", exitData, "q1")
	s.refused("queues declare", exitUsage, "usage: warren queues declare NAME")
	s.refused("queues lst", exitUsage, "there are bindings declare delete list")
	s.refused("queues list --filter nonsense", exitUsage, "COLUMN OPERATOR VALUE")
}

func TestJSONIsForPrograms(t *testing.T) {
	s := newScript(t)
	s.want("queues declare q")
	var list []map[string]any
	if err := json.Unmarshal([]byte(s.want("queues list --json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0]["name"] != "q" || list[0]["durable"] != true {
		t.Errorf("the list is %v", list)
	}
	out := s.want("queues list --json --columns name,messages")
	list = nil
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	if len(list[0]) != 2 {
		t.Errorf("two columns are %v", list)
	}
	if out := s.want("connections list --json"); out != "[]\n" {
		t.Errorf("an empty list is %q", out)
	}
}

func TestUsersTheirPasswordsAndWhatTheyMay(t *testing.T) {
	s := newScript(t)
	add := func(verb, name, password string) (int, string) {
		root := newRootCommand()
		var errors bytes.Buffer
		root.SetIn(strings.NewReader(password))
		root.SetOut(&errors)
		root.SetErr(&errors)
		root.SetArgs([]string{"users", verb, name, "--data", s.data})
		if err := root.Execute(); err != nil {
			return exitFailure, err.Error()
		}
		return exitOK, errors.String()
	}
	code, said := add("add", "ann", "secret\n")
	if code != exitOK || strings.Contains(said, "secret") {
		t.Errorf("add says %q", said)
	}
	if _, said := add("add", "ann", "secret\n"); !strings.Contains(said, "already") {
		t.Errorf("a second ann: %q", said)
	}
	if _, said := add("add", "bob", ""); !strings.Contains(said, "standard input") {
		t.Errorf("no password: %q", said)
	}
	s.want("users set-tags ann monitoring policymaker")
	s.want("users list", "ann", "monitoring policymaker")
	if code, said := add("change-password", "ann", "other\n"); code != exitOK {
		t.Error(said)
	}
	s.want("users list", "monitoring policymaker") // they stay
	if code, _, stderr := s.run("permissions set ann", "^a", ".*", ".*"); code != exitOK {
		t.Error(stderr)
	}
	s.want("permissions list", "ann", "^a")
	s.want("users permissions ann", "^a")
	s.want("permissions clear ann")
	s.want("users delete ann")
	s.refused("users delete ann", exitData, "ann")
}

func TestVHostsPoliciesLimitsAndParameters(t *testing.T) {
	s := newScript(t)
	s.want("vhosts add v --description orders --tags a,b")
	s.want("vhosts list", "orders", "a b")
	if code, _, stderr := s.run("policies set p ^q", `{"max-length": 10}`); code != exitOK {
		t.Error(stderr)
	}
	s.want("policies list", "p", "^q", `{"max-length":10}`)
	if code, _, stderr := s.run("policies set p ^q", `[]`); code != exitUsage {
		t.Errorf("a definition that is none: %d, %s", code, stderr)
	}
	s.want("policies clear p")
	s.want("limits set max-queues 3 -p v")
	s.want("limits list", `{"max-queues":3}`)
	s.want("limits set max-channels 9 --user guest")
	s.want("limits list --users --columns user,value", `{"max-channels":9}`)
	s.want("global-parameters set colour \"red\"")
	s.want("global-parameters list", "colour", "red")
	s.want("global-parameters clear colour")
	s.want("vhosts protect v")
	s.refused("vhosts delete v", exitData, "protected")
	s.want("vhosts unprotect v")
	s.want("vhosts delete v")
}

func TestDefinitionsArePlannedAndCompared(t *testing.T) {
	s := newScript(t)
	s.want("queues declare q1")
	file := filepath.Join(t.TempDir(), "definitions.json")
	s.want("definitions export " + file)
	s.want("definitions plan "+file, "No change")
	s.want("queues delete q1")
	s.want("queues declare q2")
	code, stdout, _ := s.run("definitions plan " + file)
	if code != exitDiffers || stdout != "+ queues q1 (vhost /)\n" {
		t.Errorf("the plan is %d, %s", code, stdout)
	}
	code, stdout, _ = s.run("definitions diff " + file)
	if code != exitDiffers || stdout != "+ queues q2 (vhost /)\n- queues q1 (vhost /)\n" {
		t.Errorf("the difference is %d, %s", code, stdout)
	}
	s.want("definitions import " + file)
	s.want("definitions plan "+file, "No change")
	s.refused("definitions import "+s.data, exitFailure, "")
	if info, err := os.Stat(file); err != nil ||
		runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file, which holds hashes, is %v, %v", info.Mode(), err)
	}
}

func TestTheNodeIsLookedAt(t *testing.T) {
	s := newScript(t)
	s.want("status", "broker", "node", "memory", "listens      amqp on 127.0.0.1")
	s.want("health", "alarms", "ok")
	s.want("queues declare q")
	s.want("top -n 1", "in/s", "q")
	s.want("top -n 1 --connections", "received B/s")
	s.want("doctor", "nothing bounds its length")
	s.want("queues declare lost --dead-letter-exchange gone")
	code, stdout, _ := s.run("doctor --json")
	if code != exitSerious || !strings.Contains(stdout, `"rule": "dead-letter-exchange-missing"`) {
		t.Errorf("doctor exits with %d and finds %s", code, stdout)
	}
	for _, line := range []string{"channels list", "consumers list", "connections list",
		"parameters list", "topic-permissions list", "operator-policies list"} {
		s.want(line)
	}
}

func TestConnectionsAreClosed(t *testing.T) {
	s := newScript(t)
	s.refused("connections close", exitUsage, "--all")
	s.refused("connections close nobody", exitData, "nobody")
	s.want("connections close --all")
}

func TestContextsRememberNodes(t *testing.T) {
	s := newScript(t)
	call := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := run(append([]string{"warren"}, args...)...)
		if code != want {
			t.Errorf("%v exits with %d: %s", args, code, stderr)
		}
		return stdout + stderr
	}
	call(exitOK, "context", "add", "here", "--data", s.data)
	call(exitOK, "context", "add", "there", "--uri", "http://ann:secret@127.0.0.1:1")
	call(exitUsage, "context", "add", "nowhere")
	out := call(exitOK, "context", "list")
	if !strings.Contains(out, "*     here") || strings.Contains(out, "secret") {
		t.Errorf("the contexts are\n%s", out)
	}
	call(exitOK, "queues", "list") // the first is in use
	call(exitUnavailable, "queues", "list", "--context", "there")
	if out := call(exitOK, "context", "show", "there"); strings.Contains(out, "secret") {
		t.Errorf("the password is shown: %s", out)
	}
	call(exitOK, "context", "use", "there")
	call(exitUnavailable, "queues", "list")
	t.Setenv("WARREN_CONTEXT", "here")
	call(exitOK, "queues", "list")
	call(exitOK, "context", "remove", "there")
	call(exitUsage, "queues", "list", "--context", "there")
	path, err := contextPath()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file of contexts: %v, %v", info, err)
	}
}

func TestPasswordsComeFromCommandsAndVariables(t *testing.T) {
	root := newRootCommand()
	root.SetErr(os.Stderr)
	x := storedContext{URI: "http://ann@h:1", PasswordEnv: "WARREN_TEST_PASSWORD"}
	t.Setenv("WARREN_TEST_PASSWORD", "from variable")
	if user, password, err := x.login(root); user != "ann" || password != "from variable" {
		t.Errorf("logs in as %s with %q, %v", user, password, err)
	}
	x = storedContext{URI: "http://ann@h:1", PasswordCommand: "echo from command"}
	if _, password, err := x.login(root); password != "from command" {
		t.Errorf("the command says %q, %v", password, err)
	}
	root.SetIn(strings.NewReader("from input\n"))
	if _, password, err := (storedContext{URI: "http://ann@h:1"}).login(root); password !=
		"from input" {
		t.Errorf("the input says %q, %v", password, err)
	}
}

func TestNamesAreCompletedFromTheNode(t *testing.T) {
	s := newScript(t)
	s.want("queues declare orders")
	code, stdout, _ := run("warren", "__complete", "queues", "delete", "--data", s.data, "or")
	if code != exitOK || !strings.HasPrefix(stdout, "orders\n") {
		t.Errorf("completion exits with %d and offers %q", code, stdout)
	}
}
