// Package tlsconfig makes configurations for TLS from files, and follows the files: a new
// certificate is used without a restart.
//
// Floor 0, on the ground. The listeners for AMQP and for HTTP share it:
//
//	files := tlsconfig.Options{CertFile: "server.pem", KeyFile: "server.key"}
//	source, err := tlsconfig.Open(files)
//	listener := tls.NewListener(tcp, source.Config())
package tlsconfig

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
)

// Options says how a server proves who it is and what it asks of its clients. The fields are
// RabbitMQ's ssl_options.
type Options struct {
	// CertFile is a PEM file with the certificate of the server, then those between it and its
	// authority. KeyFile has its key, in PEM, not encrypted. Both are required.
	CertFile, KeyFile string
	// CAFile is a PEM file with the authorities that clients' certificates may come from.
	CAFile string
	// VerifyPeer asks clients for a certificate, and refuses those that CAFile does not vouch
	// for. It needs CAFile: there is no other list of authorities that it would fall back to.
	VerifyPeer bool
	// RequirePeer refuses clients without a certificate, too. It needs VerifyPeer.
	RequirePeer bool
	// Depth is how many certificates may stand between that of a client and its authority;
	// 0 means DepthDefault, less than 0 none.
	Depth int
	// Versions are the versions spoken, "tlsv1.2" and "tlsv1.3"; default both.
	Versions []string
	// Logger is told of new certificates and of those that cannot be used; nil: nobody is.
	Logger *slog.Logger
}

// DepthDefault is how long a chain of certificates may be when nothing else is said.
const DepthDefault = 10

// Validate says what is wrong with the options. It does not look at the files.
func (o Options) Validate() error {
	switch {
	case o.CertFile == "":
		return errors.New("TLS needs the file of a certificate (ssl_options.certfile)")
	case o.KeyFile == "":
		return errors.New("TLS needs the file of a key (ssl_options.keyfile)")
	case o.VerifyPeer && o.CAFile == "":
		return errors.New("verify_peer needs the authorities to trust (ssl_options.cacertfile)")
	case o.RequirePeer && !o.VerifyPeer:
		return errors.New("fail_if_no_peer_cert needs ssl_options.verify = verify_peer")
	}
	_, _, err := versions(o.Versions)
	return err
}

// versions returns the lowest and the highest of those versions.
func versions(names []string) (lowest, highest uint16, err error) {
	if len(names) == 0 {
		return tls.VersionTLS12, tls.VersionTLS13, nil
	}
	for _, name := range names {
		var v uint16
		switch name {
		case "tlsv1.3":
			v = tls.VersionTLS13
		case "tlsv1.2":
			v = tls.VersionTLS12
		case "tlsv1.1", "tlsv1":
			return 0, 0, fmt.Errorf("%s is not safe and not spoken: use tlsv1.2 or tlsv1.3", name)
		default:
			return 0, 0, fmt.Errorf("version %q of TLS is none of tlsv1.2, tlsv1.3", name)
		}
		if lowest == 0 || v < lowest {
			lowest = v
		}
		highest = max(highest, v)
	}
	return lowest, highest, nil
}

func (o Options) depth() int {
	switch {
	case o.Depth == 0:
		return DepthDefault
	case o.Depth < 0:
		return 0
	}
	return o.Depth
}
