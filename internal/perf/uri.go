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
	schemeNATS  = "nats"
	amqpPort    = "5672"
	natsPort    = "4222"
)

// target is where a URI points.
type target struct {
	scheme   string
	dialect  dialect
	address  string
	user     string
	password string
	vhost    string
}

// parseURI reads amqp://user:password@host:port/vhost, all but the scheme optional, and
// relay://host:port for the bare relay of Relay; nats://host:port is a NATS server.
func parseURI(uri string) (target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return target{}, fmt.Errorf("perf: read the URI: %w", err)
	}
	t := target{
		scheme: u.Scheme, dialect: amqpDialect{}, user: "guest", password: "guest", vhost: "/",
	}
	standardPort := amqpPort
	switch u.Scheme {
	case schemeAMQP, schemeRelay:
	case schemeNATS:
		t.dialect, standardPort = natsDialect{}, natsPort
	default:
		return target{}, fmt.Errorf("perf: URI scheme %q: want %s, %s or %s",
			u.Scheme, schemeAMQP, schemeNATS, schemeRelay)
	}
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = standardPort
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
