package auth

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net"
	"net/url"
	"testing"
)

// raw encodes a name: pairs of a type and a value.
func raw(t *testing.T, attributes ...any) []byte {
	t.Helper()
	var name pkix.RDNSequence
	for i := 0; i < len(attributes); i += 2 {
		name = append(name, pkix.RelativeDistinguishedNameSET{{
			Type: attributes[i].(asn1.ObjectIdentifier), Value: attributes[i+1],
		}})
	}
	der, err := asn1.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestDistinguishedNames(t *testing.T) {
	cn, o := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 10}
	for _, c := range []struct {
		raw  []byte
		want string
	}{
		{raw(t, o, "client", cn, "rabbit"), "CN=rabbit,O=client"},
		{raw(t, cn, "a,CN=admin"), `CN=a\,CN=admin`},
		{raw(t, cn, ` #x" `), `CN=\ #x\"\ `},
		{raw(t, cn, "#x"), `CN=\#x`},
		{raw(t, cn, `a+b;c<d>e\f`), `CN=a\+b\;c\<d\>e\\f`},
		{raw(t, cn, "<script>"), `CN=\<script\>`},
		{raw(t, cn, "new\nline"), `CN=new\0Aline`},
		{raw(t, cn, "é"), `CN=\C3\A9`},
		{raw(t, asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, "u"), "UID=u"},
		{raw(t, asn1.ObjectIdentifier{1, 2, 3}, "u"), "1.2.3=u"},
		// As RabbitMQ 3.10 says it.
		{raw(t, asn1.ObjectIdentifier{2, 5, 4, 6}, "DE", asn1.ObjectIdentifier{2, 5, 4, 8},
			`Some "State"`, o, "A, B ", cn, " #x <y>",
			asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, "a@b.c",
			asn1.ObjectIdentifier{2, 5, 4, 17}, "12345"),
			`2.5.4.17=12345,EMAILADDRESS=a@b.c,CN=\ #x \<y\>,O=A\, B\ ,ST=Some \"State\",C=DE`},
		{raw(t), ""},
		{[]byte("no name"), ""},
	} {
		if got := DistinguishedName(c.raw); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestUsersOfCertificates(t *testing.T) {
	cn := asn1.ObjectIdentifier{2, 5, 4, 3}
	full := &x509.Certificate{
		RawSubject: raw(t, asn1.ObjectIdentifier{2, 5, 4, 10}, "client", cn, "alice"),
		Subject: pkix.Name{Names: []pkix.AttributeTypeAndValue{
			{Type: cn, Value: "alice"}, {Type: cn, Value: "second"},
		}},
		DNSNames:       []string{"a.example", "b.example"},
		EmailAddresses: []string{"alice@example"},
		IPAddresses:    []net.IP{net.IPv4(192, 0, 2, 1)},
		URIs:           []*url.URL{{Scheme: "spiffe", Host: "example", Path: "/alice"}},
	}
	bare := &x509.Certificate{RawSubject: raw(t)}
	const san = LoginAlternativeName
	for _, c := range []struct {
		login       CertificateLogin
		certificate *x509.Certificate
		want        string
	}{
		{CertificateLogin{}, full, "CN=alice,O=client"},
		{CertificateLogin{From: LoginDistinguishedName}, full, "CN=alice,O=client"},
		{CertificateLogin{From: LoginCommonName}, full, "alice,second"},
		{CertificateLogin{From: san}, full, "a.example"},
		{CertificateLogin{From: "subject_alt_name", SANIndex: 1}, full, "b.example"},
		{CertificateLogin{From: san, SANIndex: 2}, full, ""},
		{CertificateLogin{From: san, SANType: "email"}, full, "alice@example"},
		{CertificateLogin{From: san, SANType: "ip"}, full, "192.0.2.1"},
		{CertificateLogin{From: san, SANType: "uri"}, full, "spiffe://example/alice"},
		{CertificateLogin{}, bare, ""},
		{CertificateLogin{From: LoginCommonName}, bare, ""},
		{CertificateLogin{From: san}, bare, ""},
	} {
		if err := c.login.Validate(); err != nil {
			t.Errorf("%+v: %v", c.login, err)
		}
		got, err := c.login.User(&tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{c.certificate},
			VerifiedChains:   [][]*x509.Certificate{{c.certificate}},
		})
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%+v: %q, %v, want %q", c.login, got, err, c.want)
		}
		// What nobody has verified proves nothing.
		_, err = c.login.User(&tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{c.certificate},
		})
		if !errors.Is(err, ErrNoCertificate) {
			t.Errorf("%+v: a certificate that was not verified: %v", c.login, err)
		}
	}
	for _, bad := range []CertificateLogin{
		{From: "serial"}, {From: san, SANType: "x400"}, {From: san, SANIndex: -1},
	} {
		if bad.Validate() == nil {
			t.Errorf("%+v is valid", bad)
		}
	}
}
