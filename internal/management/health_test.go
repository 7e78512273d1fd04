package management

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/broker"
)

func TestHealthChecksSayWhatIsWrong(t *testing.T) {
	node := NodeInfo{
		Name: "warren@test", SocketsUsed: 3, SocketsTotal: 10,
		Listeners: []Listener{
			{Protocol: "amqp", IP: "::", Port: 5672},
			{Protocol: "amqp/ssl", IP: "::", Port: 5671, TLS: true,
				NotAfter: time.Now().Add(10 * 24 * time.Hour)},
		},
	}
	h := open(t, func(o *Options) { o.Node = func() NodeInfo { return node } })
	const checks = "/api/health/checks/"
	check := func(path string, status int, parts ...string) {
		t.Helper()
		a := h.ask("guest", "GET", path, "")
		if a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		for _, part := range parts {
			if !strings.Contains(a.body, part) {
				t.Errorf("%s: %s has no %s", path, a.body, part)
			}
		}
	}
	for _, r := range healthRoutes() {
		if !strings.Contains(r.path, ":") {
			check(r.path, 200, `"status":"ok"`)
		}
	}
	check(checks+"port-listener/5671", 200, `"port":5671`)
	check(checks+"port-listener/1", 503, `"missing":1`, `"ports":[5672,5671]`)
	check(checks+"protocol-listener/amqps", 200, `"protocol":"amqp/ssl"`)
	check(checks+"protocol-listener/mqtt,amqp091", 200, `"protocol":"amqp"`)
	check(checks+"protocol-listener/mqtt", 503, `"missing":"mqtt"`)
	check(checks+"certificate-expiration/1/weeks", 200)
	check(checks+"certificate-expiration/2/weeks", 503, `"port":5671`, `"status":"failed"`)
	check(checks+"certificate-expiration/999999999999/weeks", 400)
	check("/api/aliveness-test/%2F", 200)
	check("/api/aliveness-test/missing", 404)
	check("/api/healthchecks/node/warren@test", 200)
	check("/api/healthchecks/node/other", 404)

	h.broker.SetAlarm(broker.MemoryAlarm, true)
	check(checks+"alarms", 503, `"resource":"memory"`, `"node":"warren@test"`, "cluster")
	check(checks+"local-alarms", 503, `"resource":"memory"`, "on the node")
	check("/api/healthchecks/node", 503, "{resource_limit,memory,warren@test}")
	h.declare("q")
	a := h.ask("guest", "POST", "/api/exchanges/%2F/amq.default/publish",
		`{"routing_key":"q","payload":"","payload_encoding":"string","properties":{}}`)
	if a.status != 503 || h.ready("q") != 0 {
		t.Errorf("publish during an alarm: %d %s", a.status, a.body)
	}
	h.broker.SetAlarm(broker.MemoryAlarm, false)
	h.broker.VHost("/").Queue("q").SetFlow(broker.FlowQuarantined, "torn")
	check(checks+"virtual-hosts", 503, `"virtual-hosts":["/"]`)
	node.Draining, node.SocketsUsed = true, 10
	check(checks+"is-in-service", 503, "maintenance")
	check(checks+"below-node-connection-limit", 503, `"limit":10`)
}

func TestConnectionsAreClosedWithTheReasonGiven(t *testing.T) {
	var said []string
	connection := func(name, user string) broker.Connection {
		return broker.Connection{Name: name, User: user, Close: func(reason string) {
			said = append(said, name+": "+reason)
		}}
	}
	h := open(t, func(o *Options) {
		o.Connections = func() []broker.Connection {
			return []broker.Connection{
				connection("127.0.0.1:1 -> 127.0.0.1:5672", "ann"), connection("b", "guest"),
				connection("c", "ann"),
			}
		}
	})
	h.user("ann", true, tagManagement)
	h.user("ben", true, tagMonitoring)
	const one = "/api/connections/127.0.0.1%3A1%20-%3E%20127.0.0.1%3A5672"
	for _, step := range []struct {
		user, path string
		status     int
	}{
		{"guest", one, 204}, {"ann", "/api/connections/b", 401}, {"ben", "/api/connections/b", 401},
		{"ann", "/api/connections/missing", 404}, {"ann", "/api/connections/username/ann", 204},
		{"ben", "/api/connections/username/ann", 401},
	} {
		if a := h.ask(step.user, "DELETE", step.path, ""); a.status != step.status {
			t.Errorf("%s: DELETE %s: %d %s", step.user, step.path, a.status, a.body)
		}
	}
	const why = closeReason
	want := "127.0.0.1:1 -> 127.0.0.1:5672: " + why + "|127.0.0.1:1 -> 127.0.0.1:5672: " + why +
		"|c: " + why
	if got := strings.Join(said, "|"); got != want {
		t.Errorf("clients were told %s", got)
	}
	q := request{Request: httptest.NewRequest("DELETE", one, nil)}
	q.Header.Set("X-Reason", strings.Repeat("ä", reasonMax))
	if reason := q.reason(); len(reason) > reasonMax || !utf8.ValidString(reason) {
		t.Errorf("a long reason becomes %q", reason)
	}
}

func TestLoginsAreCounted(t *testing.T) {
	h := open(t)
	const path = "/api/auth/attempts/warren@test"
	h.ask("nobody", "GET", "/api/whoami", "")
	a := h.ask("guest", "GET", path, "")
	want := `[{"auth_attempts":2,"auth_attempts_failed":1,"auth_attempts_succeeded":1,` +
		`"protocol":"http"}]`
	if a.body != want {
		t.Errorf("%s", a.body)
	}
	if a := h.ask("guest", "DELETE", path, ""); a.status != 204 {
		t.Error(a)
	}
	if a := h.ask("guest", "GET", path, ""); !strings.Contains(a.body, `"auth_attempts":1,`) {
		t.Errorf("after a reset: %s", a.body)
	}
}
