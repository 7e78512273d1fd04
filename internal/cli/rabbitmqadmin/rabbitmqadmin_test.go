package rabbitmqadmin

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestJSONIsWrittenAsPythonWritesIt: the wanted texts come from Python 3.11.
func TestJSONIsWrittenAsPythonWritesIt(t *testing.T) {
	for given, want := range map[string]string{
		`{"b":1,"a":[1.0,2.50,1e-7,1e16,-0.0]}`: `{"b": 1, "a": [1.0, 2.5, 1e-07, 1e+16, -0.0]}`,
		`"é\u2028\ud83d\ude00\u007f\n\"\\"`:     `"\u00e9\u2028\ud83d\ude00\u007f\n\"\\"`,
		`[]`:                                    `[]`, `{}`: `{}`, `[null,true]`: `[null, true]`,
		`12345678901234567890`: `12345678901234567890`,
	} {
		value, err := loads([]byte(given))
		if err != nil {
			t.Fatal(err)
		}
		if got := dumps(value); got != want {
			t.Errorf("%s is written %s, want %s", given, got, want)
		}
	}
	value, err := loads([]byte(`{"b":{"c":[1,{}],"a":"é"},"a":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"a\": [],\n  \"b\": {\n    \"a\": \"é\",\n" +
		"    \"c\": [\n      1,\n      {}\n    ]\n  }\n}"
	if got := pretty(value); got != want {
		t.Errorf("indented it is\n%s, want\n%s", got, want)
	}
	for _, wrong := range []string{"", "{", "[1] 2", strings.Repeat("[", depthMax+2)} {
		if _, err := loads([]byte(wrong)); err == nil {
			t.Errorf("%.20q is JSON", wrong)
		}
	}
}

func TestTheTwoSyntaxesAreToldApart(t *testing.T) {
	for line, want := range map[string]bool{
		"list queues":                           false,
		"list queues name messages":             false,
		"-H h -P 1 list queues":                 false,
		"declare queue name=q":                  false,
		"declare queue --name q":                true,
		"queues list":                           true,
		"--host h queues declare --name q":      true,
		"publish routing_key=q payload=x":       false,
		"publish message --routing-key q":       true,
		"get queue=q":                           false,
		"get messages --queue q":                true,
		"show overview":                         false,
		"show churn":                            true,
		"delete queue name=q":                   false,
		"delete queue --name q --idempotently":  true,
		"vhost-limits list":                     true,
		"-z list queues":                        false,
		"":                                      false,
		"export file":                           false,
		"definitions export --file f":           true,
		"close connection --name c":             true,
		"close connection name=c":               false,
		"-N node -V v -q -f tsv list exchanges": false,
	} {
		if got := isNew(strings.Fields(line)); got != want {
			t.Errorf("%q is new: %t", line, got)
		}
	}
}

func TestFilesOfBothFormsAreRead(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", "")
	file := filepath.Join(t.TempDir(), "conf")
	text := "# comment\n[old]\nhostname = one\nport: 1\nssl = True\n" +
		"[new]\nhostname = \"two\" # comment\nport = 2\ntls = true\npassword = \"a\\\"b\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]string{"old": "one 1 guest", "new": `two 2 a"b`} {
		o, _, err := parse([]string{"-c", file, "-N", node, "-u", "me"})
		if err == nil {
			err = o.complete()
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := o.host + " " + o.port + " " + o.password; got != want || !o.tls ||
			o.username != "me" {
			t.Errorf("node %s is %s, %+v", node, got, o)
		}
	}
}

// TestTheNewSyntaxSendsWhatTheAPITakes looks at the requests.
func TestTheNewSyntaxSendsWhatTheAPITakes(t *testing.T) {
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		seen = r.Method + " " + r.URL.EscapedPath() + " " + body.String()
	}))
	defer server.Close()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("RABBITMQADMIN_BASE_URI", server.URL)
	for _, c := range []struct{ line, want string }{
		{"queues declare --name a/b --type quorum --arguments {\"x\":1}",
			`PUT /api/queues/%2F/a%2Fb {"arguments": {"x": 1, "x-queue-type": "quorum"}, ` +
				`"durable": true, "auto_delete": false}`},
		{"--vhost v queues delete --name q", "DELETE /api/queues/v/q "},
		{"bindings declare --source e --destination_type queue --destination q --routing-key k",
			`POST /api/bindings/%2F/e/e/q/q {"destination_type": "queue", "routing_key": "k", ` +
				`"arguments": {}}`},
		{"users declare --name u --password p --tags a,b",
			`PUT /api/users/u {"password": "p", "tags": "a,b"}`},
		{"policies declare --name p --pattern ^q --apply-to queues --definition {\"ttl\":1}",
			`PUT /api/policies/%2F/p {"pattern": "^q", "apply-to": "queues", "priority": 0, ` +
				`"definition": {"ttl": 1}}`},
		{"parameters set --component c --name n --value 1",
			`PUT /api/parameters/c/%2F/n {"vhost": "/", "component": "c", "name": "n", ` +
				`"value": 1}`},
		{"vhost-limits declare --name max-queues --value -1 --vhost=v",
			`PUT /api/vhost-limits/v/max-queues {"value": -1}`},
	} {
		var out, stderr bytes.Buffer
		code := Main("rabbitmqadmin", strings.Fields(c.line), nil, &out, &stderr)
		if code != exitOK || seen != c.want {
			t.Errorf("%s exits with %d (%s) and sends\n%s, want\n%s", c.line, code, &stderr,
				seen, c.want)
		}
	}
	for line, want := range map[string]int{
		"queues declare": exitNewUsage, "queues nonsense": exitNewUsage,
		"queues delete --name q --nonsense 1": exitNewUsage,
	} {
		var out bytes.Buffer
		code := Main("rabbitmqadmin", strings.Fields(line), nil, &out, &out)
		if code != want {
			t.Errorf("%s exits with %d: %s", line, code, &out)
		}
	}
}
