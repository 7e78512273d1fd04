package management

import (
	"net"
	"net/http"
	"net/netip"
	"slices"

	"github.com/warrenmq/warren/internal/broker"
)

// user is who asks.
type user struct {
	name string
	tags []string
	// operator: whoever it is owns the data directory, and may do everything. It has no name.
	operator bool
}

// The tags of users.
const (
	tagManagement    = "management"
	tagPolicymaker   = "policymaker"
	tagMonitoring    = "monitoring"
	tagAdministrator = "administrator"
)

func (u *user) has(tags ...string) bool {
	return u.operator || slices.ContainsFunc(u.tags, func(t string) bool {
		return slices.Contains(tags, t)
	})
}

// is reports whether the user is among those who may.
func (u *user) is(s scope) bool {
	switch s {
	case anybody:
		return true
	case managers:
		return u.has(tagManagement, tagPolicymaker, tagMonitoring, tagAdministrator)
	case monitors:
		return u.has(tagMonitoring, tagAdministrator)
	case policymakers:
		return u.has(tagPolicymaker, tagAdministrator)
	}
	return u.has(tagAdministrator)
}

// refusal is what those are told who are not among those who may, in RabbitMQ's words.
func (s scope) refusal() string {
	switch s {
	case monitors:
		return "Not monitor user"
	case policymakers:
		return "Not policymaker user"
	case administrators:
		return "Not administrator user"
	}
	return "Not management user"
}

// login finds out who asks by Basic authentication.
func (h *Handler) login(r *http.Request) (user, error) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return user{}, &failure{status: http.StatusUnauthorized, challenge: true}
	}
	wrong := &failure{
		status: http.StatusUnauthorized, kind: "not_authorized", reason: "Login failed",
		challenge: true,
	}
	if err := h.o.Broker.Login(r.Context(), name, password, peer(r)); err != nil {
		h.tellRefused(r, name, err)
		h.logins.failed.Add(1)
		return user{}, wrong
	}
	h.logins.succeeded.Add(1)
	u, ok := h.o.Broker.User(name)
	if !ok {
		return user{}, wrong // deleted a moment ago
	}
	return user{name: name, tags: u.Tags}, nil
}

// peer is where the client comes from; nil when that cannot be said.
func peer(r *http.Request) net.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil
	}
	return net.TCPAddrFromAddrPort(address)
}

// mayOpen reports whether the user has a permission in a vhost.
func (h *Handler) mayOpen(u *user, vhost string) bool {
	if u.operator {
		return true
	}
	_, ok := h.o.Broker.Permission(u.name, vhost)
	return ok
}

// authorize refuses what the user may not.
func (h *Handler) authorize(q *request) error {
	if !q.user.is(managers) {
		return notAuthorized(managers.refusal())
	}
	if !q.user.is(q.route.needs) {
		return notAuthorized(q.route.needs.refusal())
	}
	name, ok := q.lookup("vhost")
	if !ok {
		return nil
	}
	if h.o.Broker.VHost(name) == nil {
		return nil // the route says what that means: it may make it
	}
	if q.user.is(administrators) || q.route.visible && q.user.is(monitors) ||
		h.mayOpen(&q.user, name) {
		return nil
	}
	return notAuthorized("User not authorised to access virtual host")
}

// vhosts are those whose queues, exchanges and bindings the user may see in lists: all for
// administrators, else those that the user has a permission in.
func (q *request) vhosts() []*broker.VHost {
	all := q.h.o.Broker.VHosts()
	if q.user.is(administrators) {
		return all
	}
	return slices.DeleteFunc(all, func(v *broker.VHost) bool {
		return !q.h.mayOpen(&q.user, v.Name())
	})
}

// chosen are the vhosts of a list: the one of the path, or those the user may see.
func (q *request) chosen() ([]*broker.VHost, error) {
	if _, one := q.lookup("vhost"); !one {
		return q.vhosts(), nil
	}
	v, err := q.vhost()
	return []*broker.VHost{v}, err
}
