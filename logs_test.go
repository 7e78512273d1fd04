package warren_test

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// lines is a log in memory. It is safe for concurrent use.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// asker returns what asks the HTTP API of a node as a user, and wants an answer with that status.
func asker(
	t *testing.T, node *warren.Node,
) func(user, password, method, path, body string, want int) {
	return func(user, password, method, path, body string, want int) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method,
			"http://"+node.ManagementAddr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(user, password)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s %s: %d, want %d", method, path, answer.StatusCode, want)
		}
	}
}

// TestLogSaysWhatHappenedAndNoSecret gives secrets away wherever there is a place for one.
func TestLogSaysWhatHappenedAndNoSecret(t *testing.T) {
	const secret = "s3cr3t-w0rd"
	var log lines
	node := warrentest.Start(t, func(o *warren.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log,
			&slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Management = "127.0.0.1:0"
		o.Tracing.Endpoint = "http://ann:" + secret + "@127.0.0.1:1/v1/traces"
		o.Tracing.Headers = "key=" + secret
	})
	ask := asker(t, node)
	hash := base64.StdEncoding.EncodeToString([]byte("salt" + strings.Repeat(secret, 3)[:32]))
	for _, call := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/api/users/ann", `{"password":"` + secret + `","tags":"administrator"}`, 201},
		{"PUT", "/api/users/bob", `{"password_hash":"` + hash + `","tags":"",` +
			`"hashing_algorithm":"rabbit_password_hashing_sha256"}`, 201},
		{"PUT", "/api/users/carl", `{"password":"` + secret + `","tags":` + secret, 400},
		{"PUT", "/api/parameters/shovel/%2F/sh",
			`{"value":{"src-uri":"amqp://ann:` + secret + `@one","src-queue":"a",` +
				`"dest-uri":"amqp://ann:` + secret + `@two","dest-queue":"b"}}`, 201},
		{"GET", "/api/auth/hash_password/" + secret, "", 200},
		{"POST", "/api/definitions", `{"users":[{"name":"dora","password":"` + secret +
			`","tags":""}]}`, 204},
		{"POST", "/api/warren/authenticate",
			`{"username":"ann","password":"` + secret + `x"}`, 403},
		{"GET", "/api/overview?password=" + secret, "", 200},
		{"DELETE", "/api/users/dora", "", 204},
	} {
		ask("guest", "guest", call.method, call.path, call.body, call.want)
	}
	ask("ann", secret, "GET", "/api/whoami", "", 200)
	ask("ann", secret+"x", "GET", "/api/whoami", "", 401)
	ask(secret, "typed in the wrong field", "GET", "/api/whoami", "", 401)

	c := warrentest.Open(t, node.Addr())
	c.Publish(1, "", "nowhere", amqp.Properties{Headers: headersOf(tracedBy)}, []byte(secret))
	c.Call(1, &amqp.ChannelClose{ReplyCode: 200}, amqp.MethodChannelCloseOk)
	c.Close()
	node.Close()

	text := log.String()
	for _, piece := range []string{secret, hash} {
		if at := strings.Index(text, piece); at >= 0 {
			t.Errorf("a secret: %s", text[max(0, at-200):at+len(piece)])
		}
	}
	for _, event := range []string{
		`msg="user set" user=ann`, `msg="user deleted" user=dora`,
		`msg="changed by an operator" user=guest`, "method=PUT path=/api/users/ann",
		`msg="login to the API refused" user=ann`, `msg="login to the API refused" user=(unknown)`,
		`msg="connection opened"`, "vhost=/", `msg=stopped`, `msg="traces cannot be sent"`,
	} {
		if !strings.Contains(text, event) {
			t.Errorf("the log does not say %s", event)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
