package management

import (
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/definition"
)

// permit gives a user a permission.
func (h *house) permit(user, vhost, configure, write, read string) {
	h.t.Helper()
	err := h.broker.PutPermission(definition.Permission{
		User: user, VHost: vhost, Configure: configure, Write: write, Read: read,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// spelled is a path of the table with something in the place of each parameter.
func spelled(path string) string {
	return strings.NewReplacer(":vhost", "%2F", ":user", "guest", ":queue", "q", ":exchange", "x",
		":name", "n", ":component", "shovel", ":node", "warren@test", ":", "").Replace(path)
}

// TestEveryPathIsForThoseItSays tries each path as users with less than it needs.
func TestEveryPathIsForThoseItSays(t *testing.T) {
	h := open(t)
	h.user("none", true)
	h.user("manager", true, tagManagement)
	h.user("policymaker", true, tagPolicymaker)
	h.user("monitor", true, tagMonitoring)
	less := map[scope][]string{
		anybody: {}, managers: {"none"}, monitors: {"none", "manager", "policymaker"},
		policymakers:   {"none", "manager", "monitor"},
		administrators: {"none", "manager", "policymaker", "monitor"},
	}
	for _, r := range h.routes {
		if r.needs == anybody {
			continue
		}
		if a := h.ask("", r.method, spelled(r.path), ""); a.status != 401 {
			t.Errorf("%s %s without a login: %d", r.method, r.path, a.status)
		}
		for _, user := range less[r.needs] {
			if a := h.ask(user, r.method, spelled(r.path), "{}"); a.status != 401 {
				t.Errorf("%s %s as %s: %d %s", r.method, r.path, user, a.status, a.body)
			}
		}
	}
}

// TestVHostsOfOthersAreClosed tries each path of a vhost as a user without a permission there.
func TestVHostsOfOthersAreClosed(t *testing.T) {
	h := open(t)
	h.user("stranger", false, tagPolicymaker)
	h.user("admin", false, tagAdministrator)
	for _, r := range h.routes {
		if !strings.Contains(r.path, ":vhost") {
			continue
		}
		a := h.ask("stranger", r.method, spelled(r.path), "{}")
		if a.status != 401 {
			t.Errorf("%s %s as a stranger: %d %s", r.method, r.path, a.status, a.body)
		}
	}
	// Administrators see everything, and change what is in a vhost when they are permitted to.
	for _, r := range h.routes {
		if r.method == "GET" || !strings.HasPrefix(r.path, "/api/queues/:vhost/") &&
			!strings.HasPrefix(r.path, "/api/exchanges/:vhost/") &&
			!strings.HasPrefix(r.path, "/api/bindings/:vhost/") {
			continue
		}
		if a := h.ask("admin", r.method, spelled(r.path), "{}"); a.status != 401 {
			t.Errorf("%s %s as an administrator without a permission: %d %s", r.method, r.path,
				a.status, a.body)
		}
	}
}

// TestPermissionsCountOverHTTP tries what needs configure, write and read without it: what AMQP
// refuses, the API does too.
func TestPermissionsCountOverHTTP(t *testing.T) {
	h := open(t)
	h.user("ann", false, tagManagement)
	h.permit("ann", "/", "^c", "^w", "^r")
	for _, name := range []string{"c", "w", "r", "q"} {
		h.declare(name)
		if a := h.ask("guest", "PUT", "/api/exchanges/%2F/x"+name, "{}"); a.status != 201 {
			t.Fatal(a)
		}
	}
	for _, refused := range [][3]string{
		{"PUT", "/api/queues/%2F/new", "{}"},
		{"PUT", "/api/queues/%2F/c1", `{"arguments":{"x-dead-letter-exchange":"amq.topic"}}`},
		{"DELETE", "/api/queues/%2F/q", ""}, // CVE-2024-51988
		{"DELETE", "/api/queues/%2F/r", ""},
		{"DELETE", "/api/queues/%2F/w/contents", ""},
		{"PUT", "/api/exchanges/%2F/new", "{}"},
		{"PUT", "/api/exchanges/%2F/c1", `{"arguments":{"alternate-exchange":"amq.topic"}}`},
		{"DELETE", "/api/exchanges/%2F/xq", ""},
		{"POST", "/api/bindings/%2F/e/xr/q/q", "{}"},
		{"POST", "/api/bindings/%2F/e/xr/e/xq", "{}"},
		{"POST", "/api/bindings/%2F/e/xq/q/w", "{}"},
		{"POST", "/api/queues/%2F/q/get",
			`{"count":1,"ackmode":"ack_requeue_false","encoding":"auto"}`},
		{"POST", "/api/warren/queues/%2F/q/move", `{"queue":"w"}`},
		{"GET", "/api/aliveness-test/%2F", ""},
	} {
		a := h.ask("ann", refused[0], refused[1], refused[2])
		if a.status != 401 {
			t.Errorf("%s %s: %d %s", refused[0], refused[1], a.status, a.body)
		}
	}
	const message = `{"routing_key":"q","payload":"x","payload_encoding":"string","properties":{}}`
	for _, exchange := range []string{"amq.default", "xq", "xr"} {
		a := h.ask("ann", "POST", "/api/exchanges/%2F/"+exchange+"/publish", message)
		if a.status != 400 || !strings.Contains(a.body, "403 ACCESS_REFUSED") {
			t.Errorf("publish to %s: %d %s", exchange, a.status, a.body)
		}
	}
	if a := h.ask("ann", "DELETE", "/api/queues/%2F/c", ""); a.status != 204 {
		t.Errorf("delete what may be configured: %d %s", a.status, a.body)
	}
	if h.broker.VHost("/").Queue("q") == nil {
		t.Error("the queue of others is gone")
	}
}

func TestConnectionsOfOthersAreNotClosed(t *testing.T) {
	h := open(t)
	h.user("ann", true, tagManagement)
	for _, path := range []string{"/api/connections/username/guest"} {
		if a := h.ask("ann", "DELETE", path, ""); a.status != 401 {
			t.Errorf("DELETE %s: %d %s", path, a.status, a.body)
		}
	}
	if a := h.ask("ann", "DELETE", "/api/connections/username/ann", ""); a.status != 204 {
		t.Errorf("their own: %d %s", a.status, a.body)
	}
}
