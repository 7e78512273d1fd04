package broker

import (
	"crypto/tls"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/auth"
)

// NewTLSState returns what may be shown of a TLS connection whose handshake is done.
func NewTLSState(s tls.ConnectionState) *TLSState {
	shown := &TLSState{
		Version: "tlsv" + strings.TrimPrefix(tls.VersionName(s.Version), "TLS "),
		Cipher:  tls.CipherSuiteName(s.CipherSuite),
	}
	if len(s.PeerCertificates) > 0 {
		peer := s.PeerCertificates[0]
		shown.PeerSubject = auth.DistinguishedName(peer.RawSubject)
		shown.PeerIssuer = auth.DistinguishedName(peer.RawIssuer)
		shown.PeerValidity = peer.NotBefore.UTC().Format(time.RFC3339) + " - " +
			peer.NotAfter.UTC().Format(time.RFC3339)
	}
	return shown
}
