package perf

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

const (
	schemeAMQP  = "amqp"
	schemeRelay = "relay"
	amqpPort    = "5672"
)

// target is where a URI points.
type target struct {
	scheme   string
	address  string
	user     string
	password string
	vhost    string
}

// parseURI reads amqp://user:password@host:port/vhost, all but the scheme optional, and
// relay://host:port for the bare relay of Relay.
func parseURI(uri string) (target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return target{}, fmt.Errorf("perf: read the URI: %w", err)
	}
	if u.Scheme != schemeAMQP && u.Scheme != schemeRelay {
		return target{}, fmt.Errorf("perf: URI scheme %q: want %s or %s",
			u.Scheme, schemeAMQP, schemeRelay)
	}
	t := target{scheme: u.Scheme, user: "guest", password: "guest", vhost: "/"}
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = amqpPort
	}
	t.address = net.JoinHostPort(host, port)
	if u.User != nil {
		t.user = u.User.Username()
		t.password, _ = u.User.Password()
	}
	if path := strings.TrimPrefix(u.EscapedPath(), "/"); path != "" {
		if t.vhost, err = url.PathUnescape(path); err != nil {
			return target{}, fmt.Errorf("perf: read the vhost of the URI: %w", err)
		}
	}
	return t, nil
}
