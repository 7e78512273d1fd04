package amqp091

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
)

// secure does the TLS handshake of a connection that came in by a port for TLS. It takes as long as
// the client may take for all of the handshake.
func (c *Connection) secure() error {
	conn, ok := c.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	err := conn.Handshake()
	if err == nil {
		state := conn.ConnectionState()
		c.tls, c.certified = broker.NewTLSState(state), auth.Verified(&state)
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	c.become(ended)
	var stranger tls.RecordHeaderError
	switch {
	case errors.Is(err, io.EOF):
		c.say(slog.LevelDebug, "connection closed before TLS")
	case errors.As(err, &stranger) && bytes.HasPrefix(stranger.RecordHeader[:], []byte("AMQP")):
		c.say(slog.LevelWarn, "a client without TLS spoke to the port for AMQP with TLS")
	default:
		c.say(slog.LevelWarn, "TLS handshake failed", "error", err)
	}
	return errEnded
}

// certificateUser is the user whose certificate the client has shown.
func (c *Connection) certificateUser() (string, error) {
	conn, ok := c.conn.(*tls.Conn)
	if !ok {
		return "", auth.ErrNoCertificate
	}
	state := conn.ConnectionState()
	return c.options.CertificateLogin.User(&state)
}

// socketOf is the connection below TLS.
func socketOf(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}
