package config

import (
	"errors"
	"math"
	"time"

	"github.com/warrenmq/warren"
)

func listenKeys() []Key {
	buffer := integer(0, 1<<30)
	keys := []Key{
		{Name: "listeners.tcp.default", Type: address(), Default: "127.0.0.1:5672",
			unless: "listeners.tcp", Meaning: "where AMQP is served; a port is for all addresses",
			set: func(s *Settings, v value) { s.Options.Listen = v.text }},
		{Name: "listeners.tcp.$name", Type: address(), Meaning: "more such addresses",
			set: func(s *Settings, v value) {
				s.Options.ListenMore = append(s.Options.ListenMore, v.text)
			}},
		{Name: "listeners.tcp", Type: only("default", "AMQP without TLS cannot be switched off; "+
			"listeners.tcp.default = 127.0.0.1:5672 keeps it on this machine"),
			Meaning: "RabbitMQ's none is refused", set: nothing},
		{Name: "listeners.ssl.$name", Type: address(),
			Meaning: "where AMQP is served over TLS; 5671 is usual",
			set: func(s *Settings, v value) {
				s.Options.TLS.Listen = append(s.Options.TLS.Listen, v.text)
			}},
		{Name: "listeners.ssl", Type: only("none", "name an address: listeners.ssl.default = 5671"),
			Meaning: "nowhere over TLS",
			set:     func(s *Settings, _ value) { s.Options.TLS.Listen = nil }},
		{Name: "handshake_timeout", Type: timeOf(time.Millisecond, math.MaxInt32),
			Default: "10000", Meaning: "how long a client may take to log in and open its vhost",
			set: func(s *Settings, v value) { s.Options.HandshakeTimeout = v.duration() }},
		{Name: "heartbeat", Type: timeOf(time.Second, math.MaxUint16), Default: "60",
			Meaning: "what is offered to clients, which may choose less, or none",
			set:     func(s *Settings, v value) { s.Options.Heartbeat = v.duration() }},
		{Name: "proxy_protocol", Type: only("false",
			"the PROXY protocol is not spoken: connections would be taken for those of the proxy"),
			Meaning: "true is refused", set: nothing},
		{Name: "tcp_listen_options.backlog", Type: integer(1, math.MaxUint16),
			Meaning: "connections that wait to be taken; default what the system has",
			set:     func(s *Settings, v value) { s.Options.Sockets.Backlog = int(v.number) }},
		{Name: "tcp_listen_options.nodelay", Type: boolean(), Default: "true",
			Meaning: "false has small writes wait for more",
			set:     func(s *Settings, v value) { s.Options.Sockets.Delay = !v.on }},
		{Name: "tcp_listen_options.sndbuf", Type: buffer,
			Meaning: "bytes that the system buffers for sending",
			set:     func(s *Settings, v value) { s.Options.Sockets.SendBuffer = int(v.number) }},
		{Name: "tcp_listen_options.recbuf", Type: buffer, Meaning: "and for receiving",
			set: func(s *Settings, v value) { s.Options.Sockets.ReceiveBuffer = int(v.number) }},
		{Name: "tcp_listen_options.keepalive", Type: boolean(), Default: "true",
			Meaning: "the system looks whether silent peers are still there",
			set:     func(s *Settings, v value) { s.Options.Sockets.NoKeepAlive = !v.on }},
	}
	return keys
}

// tlsKeys are the keys of a listener for TLS, below prefix.
func tlsKeys(prefix string, of func(*Settings) *warren.TLS) []Key {
	keys := []Key{
		{Name: "certfile", Type: readable(), Reload: true,
			Meaning: "file with the certificate, and those between it and its authority; " +
				"one that changes is read again",
			set: func(s *Settings, v value) { of(s).CertFile = v.text }},
		{Name: "keyfile", Type: readable(), Reload: true, Meaning: "file with its key",
			set: func(s *Settings, v value) { of(s).KeyFile = v.text }},
		{Name: "cacertfile", Type: readable(), Reload: true,
			Meaning: "file with the authorities that clients' certificates are trusted by",
			set:     func(s *Settings, v value) { of(s).CAFile = v.text }},
		{Name: "password", Type: noPassword(),
			Meaning: "refused: keys have to be there without encryption", set: nothing},
		{Name: "verify", Type: oneOf("verify_peer", "verify_none"), Default: "verify_none",
			Meaning: "whether clients' certificates are asked for and judged",
			set:     func(s *Settings, v value) { of(s).VerifyPeer = v.text == "verify_peer" }},
		{Name: "fail_if_no_peer_cert", Type: boolean(), Default: "false",
			Meaning: "whether clients without one are refused",
			set:     func(s *Settings, v value) { of(s).RequirePeer = v.on }},
		{Name: "versions.$version", Type: oneOf("tlsv1.3", "tlsv1.2"),
			Meaning: "a version that is spoken; default both; older ones are refused",
			set: func(s *Settings, v value) {
				of(s).Versions = append(of(s).Versions, v.text)
			}},
		{Name: "depth", Type: integer(0, math.MaxUint8),
			Meaning: "certificates between a client's and its authority, at most",
			set: func(s *Settings, v value) {
				if of(s).Depth = int(v.number); v.number == 0 {
					of(s).Depth = -1
				}
			}},
	}
	for i := range keys {
		keys[i].Name = prefix + "." + keys[i].Name
	}
	return keys
}

// nothing is the effect of a key whose type says all.
func nothing(*Settings, value) {}

// noPassword refuses the password of a key, and does not tell it.
func noPassword() Type {
	return Type{Name: "none", Secret: true, parse: func(string) (value, error) {
		return value{}, errors.New("encrypted keys are not read: store the key without a " +
			"password, readable by the node alone")
	}}
}
