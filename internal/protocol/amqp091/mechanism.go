package amqp091

import (
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
)

// The SASL mechanisms, by the names that clients know.
const (
	mechanismPlain    = "PLAIN"
	mechanismAMQPlain = "AMQPLAIN"
	mechanismExternal = "EXTERNAL"
)

// Mechanisms returns the SASL mechanisms there are, in the order they are offered in. EXTERNAL is
// offered to clients whose certificate has been verified.
func Mechanisms() []string {
	return []string{mechanismPlain, mechanismAMQPlain, mechanismExternal}
}

// offered are the mechanisms for a client, with a verified certificate or without.
func (o *Options) offered(certified bool) []string {
	return slices.DeleteFunc(slices.Clone(o.Mechanisms), func(name string) bool {
		return name == mechanismExternal && !certified
	})
}

// greet makes connection.start, which is the same for all clients of one kind.
func (o *Options) greet(certified bool) []byte {
	return amqp.AppendMethodFrame(nil, 0, &amqp.ConnectionStart{
		VersionMajor: 0, VersionMinor: 9, ServerProperties: o.serverProperties(),
		Mechanisms: strings.Join(o.offered(certified), " "), Locales: "en_US",
	})
}

// login finds out who the client is. A mechanism that was not offered is malformed.
func (c *Connection) login(m *amqp.ConnectionStartOk) (user string, err error) {
	if !slices.Contains(c.options.offered(c.certified), m.Mechanism) {
		return "", errMechanism
	}
	var password string
	switch m.Mechanism {
	case mechanismExternal:
		user, err = c.certificateUser()
		if err == nil {
			err = c.options.Broker.LoginWithout(user, c.conn.RemoteAddr())
		}
		return user, err
	case mechanismPlain:
		user, password, err = auth.ParsePlain([]byte(m.Response))
	default:
		user, password, err = auth.ParseAMQPlain([]byte(m.Response))
	}
	if err != nil {
		return user, err
	}
	return user, c.options.Broker.Login(
		c.options.logins.context(), user, password, c.conn.RemoteAddr())
}
