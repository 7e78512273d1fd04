package auth

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CertificateLogin says which part of a client's certificate is the name of the user.
type CertificateLogin struct {
	// From is one of the texts below; empty means LoginDistinguishedName.
	From string
	// SANType is the kind of alternative name, "dns", "ip", "email" or "uri"; empty means dns.
	SANType string
	// SANIndex is which of the alternative names of that kind, from 0.
	SANIndex int
}

// What CertificateLogin.From may be, as RabbitMQ's ssl_cert_login_from.
const (
	LoginDistinguishedName = "distinguished_name"
	LoginCommonName        = "common_name"
	LoginAlternativeName   = "subject_alternative_name"
)

// Validate says what is wrong with it.
func (l CertificateLogin) Validate() error {
	switch l.From {
	case "", LoginDistinguishedName, LoginCommonName, LoginAlternativeName, "subject_alt_name":
	default:
		return fmt.Errorf("a certificate's login from %q is none of %s, %s, %s", l.From,
			LoginDistinguishedName, LoginCommonName, LoginAlternativeName)
	}
	switch l.SANType {
	case "", "dns", "ip", "email", "uri":
	default:
		return fmt.Errorf("an alternative name's kind %q is none of dns, ip, email, uri",
			l.SANType)
	}
	if l.SANIndex < 0 {
		return fmt.Errorf("there is no alternative name number %d", l.SANIndex)
	}
	return nil
}

// ErrNoCertificate says that a connection has not proved who the client is: it is not encrypted, or
// the client showed no certificate, or nobody verified it.
var ErrNoCertificate = errors.New("no verified certificate of the client")

// User returns the user that a connection's certificate names. The error is ErrNoCertificate, or
// says which part the certificate lacks.
func (l CertificateLogin) User(s *tls.ConnectionState) (string, error) {
	if !Verified(s) {
		return "", ErrNoCertificate
	}
	certificate := s.VerifiedChains[0][0]
	var name string
	switch l.From {
	case LoginCommonName:
		name = strings.Join(commonNames(certificate), ",")
	case LoginAlternativeName, "subject_alt_name":
		name = l.alternative(certificate)
	default:
		name = DistinguishedName(certificate.RawSubject)
	}
	if name == "" {
		from := l.From
		if from == "" {
			from = LoginDistinguishedName
		}
		return "", fmt.Errorf("the certificate has no %s to log in with", from)
	}
	return name, nil
}

// Verified reports whether the client has shown a certificate, and an authority vouches for it.
func Verified(s *tls.ConnectionState) bool {
	return s != nil && len(s.VerifiedChains) > 0 && len(s.VerifiedChains[0]) > 0
}

// alternative is the alternative name that the user is called by; empty: there is none.
func (l *CertificateLogin) alternative(c *x509.Certificate) string {
	var names []string
	switch l.SANType {
	case "ip":
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
	case "email":
		names = c.EmailAddresses
	case "uri":
		for _, uri := range c.URIs {
			names = append(names, uri.String())
		}
	default:
		names = c.DNSNames
	}
	if l.SANIndex >= len(names) {
		return ""
	}
	return names[l.SANIndex]
}

func commonNames(c *x509.Certificate) (names []string) {
	for _, n := range c.Subject.Names {
		if text, ok := n.Value.(string); ok && n.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
			names = append(names, text)
		}
	}
	return names
}

// DistinguishedName writes a name of X.509 in the form of RFC 4514, as RabbitMQ does: the last part
// first, unknown types as numbers, what does not print as hexadecimal. It is empty when raw is no
// name.
func DistinguishedName(raw []byte) string {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &sequence); err != nil || len(rest) > 0 {
		return ""
	}
	parts := make([]string, 0, len(sequence))
	for _, set := range slices.Backward(sequence) {
		values := make([]string, 0, len(set))
		for _, v := range set {
			values = append(values, attributeName(v.Type)+"="+escapeName(fmt.Sprint(v.Value)))
		}
		parts = append(parts, strings.Join(values, "+"))
	}
	return strings.Join(parts, ",")
}

// attributeName is what RabbitMQ calls an attribute of a name.
func attributeName(id asn1.ObjectIdentifier) string {
	for _, known := range [...]struct{ id, name string }{
		{"2.5.4.3", "CN"}, {"2.5.4.4", "SN"}, {"2.5.4.5", "SERIALNUMBER"}, {"2.5.4.6", "C"},
		{"2.5.4.7", "L"}, {"2.5.4.8", "ST"}, {"2.5.4.9", "STREET"}, {"2.5.4.10", "O"},
		{"2.5.4.11", "OU"}, {"2.5.4.12", "TITLE"}, {"2.5.4.42", "GIVENNAME"},
		{"2.5.4.43", "INITIALS"}, {"2.5.4.44", "GENERATIONQUALIFIER"}, {"2.5.4.65", "PSEUDONYM"},
		{"0.9.2342.19200300.100.1.25", "DC"}, {"0.9.2342.19200300.100.1.1", "UID"},
		{"1.2.840.113549.1.9.1", "EMAILADDRESS"},
	} {
		if id.String() == known.id {
			return known.name
		}
	}
	return id.String()
}

// escapeName writes a value so that no part of it can be taken for another part of the name.
func escapeName(value string) string {
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		switch {
		case c == ' ' && (i == 0 || i == len(value)-1), c == '#' && i == 0,
			strings.IndexByte(`"+,;<>\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= '~':
			fmt.Fprintf(&b, "\\%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
