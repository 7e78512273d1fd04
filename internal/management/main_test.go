package management

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a broker with its API, served over HTTP. Nothing is sampled but by the test.
type house struct {
	*Handler
	t      testing.TB
	broker *broker.Manager
	url    string
	client *http.Client
	// time is what the samples are taken at.
	time time.Time
}

// open starts a house. Its API is as options say, which change changes.
func open(t testing.TB, change ...func(*Options)) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open(store.Options{Dir: "data", FS: disk.NewMemory(), Logger: log})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := broker.New(broker.Options{
		Store: s, ExchangeTypes: exchange.Standard(), DefaultUser: "guest",
		DefaultPassword: "guest", Logger: log,
	})
	if err != nil {
		t.Fatalf("start the manager: %v", err)
	}
	t.Cleanup(m.Close)
	o := Options{
		Broker: m, Logger: log, Version: "1.2.3", Interval: time.Hour,
		Node: func() NodeInfo { return NodeInfo{Name: "warren@test", ClusterName: "test"} },
	}
	for _, c := range change {
		c(&o)
	}
	h := &house{Handler: New(o), t: t, broker: m}
	t.Cleanup(h.Close)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url, h.client = server.URL, server.Client()
	return h
}

// user makes a user with a password like the name, with a permission for everything in "/" if
// permitted.
func (h *house) user(name string, permitted bool, tags ...string) {
	h.t.Helper()
	hash, wrong := auth.HashPassword(auth.HashSHA256, name)
	if wrong != nil {
		h.t.Fatal(wrong)
	}
	_, err := h.broker.PutUser(definition.User{
		Name: name, PasswordHash: hash, Algorithm: auth.HashSHA256, Tags: tags,
	})
	if err == nil && permitted {
		err = h.broker.PutPermission(definition.Permission{
			User: name, VHost: "/", Configure: ".*", Write: ".*", Read: ".*",
		})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as a user whose password is like the name; "": without a login.
func (h *house) ask(user, method, path, body string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, user)
	}
	response, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// get asks as guest for a path that has to be there, and returns what came as JSON.
func get[T any](h *house, path string) (value T) {
	h.t.Helper()
	a := h.ask("guest", "GET", path, "")
	if a.status != http.StatusOK {
		h.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		h.t.Fatalf("GET %s: %v: %s", path, err, a.body)
	}
	return value
}

// access is that of guest to "/".
func (h *house) access() *broker.Access {
	h.t.Helper()
	a, err := h.broker.Act("guest", "/")
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) declare(names ...string) {
	h.t.Helper()
	a := h.access()
	for _, name := range names {
		if _, err := a.DeclareQueue(definition.Queue{Name: name}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// publish puts count messages into a queue.
func (h *house) publish(queue string, count int) {
	h.t.Helper()
	d := h.newDesk(h.access())
	defer d.close()
	for range count {
		properties := (&amqp.Properties{}).AppendTo(nil)
		l := letter{key: queue, properties: properties, body: []byte("hello")}
		if s, err := d.publish(&l, 0); err != nil || !s.routed {
			h.t.Fatalf("publish to %s: routed %t, %v", queue, s.routed, err)
		}
	}
	if _, err := d.await(0); err != nil {
		h.t.Fatal(err)
	}
}

func decoded[T any](t testing.TB, a answer) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return value
}
