package tlsconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// files are a folder with the certificates of a server.
type files struct {
	t         *testing.T
	dir       string
	authority *Authority
}

func newFiles(t *testing.T) *files {
	t.Helper()
	f := &files{t: t, dir: t.TempDir(), authority: authority(t, "test authority")}
	f.write("ca.pem", f.authority.Certificate)
	f.serve("localhost")
	return f
}

func authority(t *testing.T, name string) *Authority {
	t.Helper()
	a, err := NewAuthority(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *files) write(name string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), content, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// serve writes a new certificate for a server of that name.
func (f *files) serve(name string) {
	f.t.Helper()
	pair, err := f.authority.Server(name)
	if err != nil {
		f.t.Fatal(err)
	}
	f.write("server.pem", pair.Certificate)
	f.write("server.key", pair.Key)
}

func (f *files) options() Options {
	return Options{
		CertFile: filepath.Join(f.dir, "server.pem"), KeyFile: filepath.Join(f.dir, "server.key"),
		CAFile: filepath.Join(f.dir, "ca.pem"),
	}
}

// client is a client that trusts the authority, with a certificate of another one or none.
func (f *files) client(issuer *Authority) *tls.Config {
	f.t.Helper()
	c := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	c.RootCAs.AppendCertsFromPEM(f.authority.Certificate)
	if issuer != nil {
		pair, err := issuer.Client("alice")
		if err != nil {
			f.t.Fatal(err)
		}
		certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
		if err != nil {
			f.t.Fatal(err)
		}
		// It is shown even to a server that says it trusts others.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &certificate, nil
		}
	}
	return c
}

// shake does a handshake and returns what both ends say of it.
func shake(t *testing.T, server, client *tls.Config) (seen tls.ConnectionState, err error) {
	t.Helper()
	there, here := net.Pipe()
	defer there.Close()
	defer here.Close()
	deadline := time.Now().Add(20 * time.Second)
	_ = there.SetDeadline(deadline)
	_ = here.SetDeadline(deadline)
	s, c := tls.Server(there, server), tls.Client(here, client)
	served := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x"))
		}
		_ = there.Close()
		served <- err
	}()
	if err = c.Handshake(); err == nil {
		_, err = io.ReadFull(c, make([]byte, 1)) // TLS 1.3 tells a client late that it is refused
	}
	_ = here.Close()
	return s.ConnectionState(), errors.Join(err, <-served)
}

func open(t *testing.T, o Options) *Source {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhoIsLetInByVerification(t *testing.T) {
	f := newFiles(t)
	stranger := authority(t, "stranger")
	for _, c := range []struct {
		name            string
		verify, require bool
		issuer          *Authority
		in, verified    bool
	}{
		{"nobody is asked", false, false, nil, true, false},
		{"nobody is asked, one has", false, false, f.authority, true, false},
		{"asked", true, false, nil, true, false},
		{"asked and verified", true, false, f.authority, true, true},
		{"asked, of a stranger", true, false, stranger, false, false},
		{"required, has none", true, true, nil, false, false},
		{"required and verified", true, true, f.authority, true, true},
		{"required, of a stranger", true, true, stranger, false, false},
	} {
		o := f.options()
		o.VerifyPeer, o.RequirePeer = c.verify, c.require
		state, err := shake(t, open(t, o).Config(), f.client(c.issuer))
		if (err == nil) != c.in {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && (len(state.VerifiedChains) > 0) != c.verified {
			t.Errorf("%s: verified chains %d", c.name, len(state.VerifiedChains))
		}
	}
}

func TestNothingIsFallenBackTo(t *testing.T) {
	good := newFiles(t).options()
	for name, change := range map[string]func(*Options){
		"no authorities":      func(o *Options) { o.VerifyPeer, o.CAFile = true, "" },
		"required, not asked": func(o *Options) { o.RequirePeer = true },
		"no certificate":      func(o *Options) { o.CertFile = "" },
		"no key":              func(o *Options) { o.KeyFile = "" },
		"an old version":      func(o *Options) { o.Versions = []string{"tlsv1.2", "tlsv1.1"} },
		"no version":          func(o *Options) { o.Versions = []string{"sslv3"} },
		"missing authorities": func(o *Options) { o.VerifyPeer, o.CAFile = true, "/nowhere" },
		"wrong authorities":   func(o *Options) { o.VerifyPeer, o.CAFile = true, o.KeyFile },
		"missing key":         func(o *Options) { o.KeyFile = "/nowhere" },
		"wrong key":           func(o *Options) { o.KeyFile = o.CAFile },
	} {
		o := good
		change(&o)
		if _, err := Open(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	f := newFiles(t)
	f.write("server.key", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"+
		"-----END ENCRYPTED PRIVATE KEY-----\n"))
	if _, err := Open(f.options()); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("an encrypted key: %v", err)
	}
	f.write("server.key", make([]byte, fileMax+1))
	if _, err := Open(f.options()); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestVersionsSpoken(t *testing.T) {
	f := newFiles(t)
	for _, c := range []struct {
		versions []string
		client   uint16
		in       bool
	}{
		{nil, tls.VersionTLS13, true},
		{nil, tls.VersionTLS12, true},
		{nil, tls.VersionTLS11, false},
		{[]string{"tlsv1.3"}, tls.VersionTLS12, false},
		{[]string{"tlsv1.2"}, tls.VersionTLS12, true},
		{[]string{"tlsv1.2", "tlsv1.3"}, tls.VersionTLS13, true},
	} {
		o := f.options()
		o.Versions = c.versions
		client := f.client(nil)
		client.MinVersion, client.MaxVersion = tls.VersionTLS10, c.client
		if _, err := shake(t, open(t, o).Config(), client); (err == nil) != c.in {
			t.Errorf("%v with a client of %s: %v", c.versions, tls.VersionName(c.client), err)
		}
	}
}

func TestLongChainsAreRefused(t *testing.T) {
	f := newFiles(t)
	o := f.options()
	o.VerifyPeer = true
	for depth, in := range map[int]bool{0: true, 1: true, -1: true} {
		o.Depth = depth // the authority signs clients itself: nothing stands between
		if _, err := shake(t, open(t, o).Config(), f.client(f.authority)); (err == nil) != in {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
	o.Depth = -1
	c := open(t, o).Config()
	now, err := c.GetConfigForClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	chain := make([]*x509.Certificate, 3)
	err = now.VerifyConnection(tls.ConnectionState{
		PeerCertificates: chain, VerifiedChains: [][]*x509.Certificate{chain},
	})
	if err == nil {
		t.Error("a longer chain than allowed was taken")
	}
}

// TestCertificatesAreFollowed replaces the files of a running server: half of a pair changes
// nothing, the other half does.
func TestCertificatesAreFollowed(t *testing.T) {
	f := newFiles(t)
	var log bytes.Buffer
	o := f.options()
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, o)
	config := s.Config("h2")
	name := func() string {
		t.Helper()
		s.mu.Lock()
		s.looked = s.looked.Add(-lookEvery) // some seconds later
		s.mu.Unlock()
		client := f.client(nil)
		client.InsecureSkipVerify = true
		client.NextProtos = []string{"h2"}
		var got string
		client.VerifyConnection = func(state tls.ConnectionState) error {
			got = state.PeerCertificates[0].DNSNames[0]
			return nil
		}
		state, err := shake(t, config, client)
		if err != nil {
			t.Fatal(err)
		}
		if state.NegotiatedProtocol != "h2" {
			t.Error("the protocol was not chosen")
		}
		return got
	}
	if got := name(); got != "localhost" {
		t.Fatalf("the certificate is of %s", got)
	}
	next, err := f.authority.Server("next.example")
	if err != nil {
		t.Fatal(err)
	}
	f.write("server.pem", append(next.Certificate, '\n'))
	for range 3 {
		if got := name(); got != "localhost" {
			t.Fatalf("half of a pair is in use: %s", got)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
	if err := s.Replace(o); err == nil {
		t.Error("half of a pair was loaded")
	}
	f.write("server.key", next.Key)
	if got := name(); got != "next.example" {
		t.Errorf("the certificate is of %s", got)
	}
	if got := s.Leaf().DNSNames[0]; got != "next.example" {
		t.Errorf("the leaf is of %s", got)
	}
	f.serve("last.example")
	if err := s.Replace(o); err != nil {
		t.Error(err)
	}
	if got := s.Leaf().DNSNames[0]; got != "last.example" {
		t.Errorf("after a reload, the leaf is of %s", got)
	}
}

func TestOtherFilesMayBeFollowed(t *testing.T) {
	f, other := newFiles(t), newFiles(t)
	other.serve("other.example")
	s := open(t, f.options())
	bad := other.options()
	bad.CertFile = "/nowhere"
	if s.Replace(bad) == nil || s.Replace(Options{}) == nil {
		t.Error("taken without a certificate")
	}
	if got := s.Leaf().DNSNames[0]; got != "localhost" {
		t.Errorf("after a mistake, the leaf is of %s", got)
	}
	if err := s.Replace(other.options()); err != nil {
		t.Error(err)
	}
	if got := s.Leaf().DNSNames[0]; got != "other.example" {
		t.Errorf("the leaf is of %s", got)
	}
}

func TestFilesAreNotLookedAtForEachHandshake(t *testing.T) {
	f := newFiles(t)
	s := open(t, f.options())
	before := s.config()
	f.serve("next.example")
	if s.config() != before {
		t.Error("the files were read again at once")
	}
}
