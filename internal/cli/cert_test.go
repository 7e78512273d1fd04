package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/tlsconfig"
)

func TestCertificatesForDevelopment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	var out, errors bytes.Buffer
	args := []string{"warren", "cert", "dev", "--dir", dir, "broker.example", "192.0.2.1"}
	if code := Main(args, &out, &errors); code != exitOK {
		t.Fatalf("exit %d: %s", code, &errors)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	source, err := tlsconfig.Open(tlsconfig.Options{
		CertFile: at("server.pem"), KeyFile: at("server.key"), CAFile: at("ca.pem"),
		VerifyPeer: true, RequirePeer: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	authorities, err := os.ReadFile(at("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorities)
	for _, name := range []string{"broker.example", "192.0.2.1"} {
		_, err = source.Leaf().Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	client, err := tls.LoadX509KeyPair(at("client.pem"), at("client.key"))
	if err != nil || client.Leaf.Subject.CommonName != "guest" {
		t.Errorf("the client's certificate: %v", err)
	}
	for _, key := range []string{"ca.key", "server.key", "client.key"} {
		info, err := os.Stat(at(key))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info.Mode(), err)
		}
	}
	for _, say := range []string{
		"listeners.ssl.default = 127.0.0.1:5671", "ssl_options.certfile = " + at("server.pem"),
		"openssl s_client", "pika",
	} {
		if !strings.Contains(out.String(), say) {
			t.Errorf("it does not say %q:\n%s", say, &out)
		}
	}
}

func TestCertificatesAreReplacedByForceOnly(t *testing.T) {
	dir := t.TempDir()
	var out, errors bytes.Buffer
	again := []string{"warren", "cert", "dev", "--dir", dir}
	if code := Main(again, &out, &errors); code != exitOK {
		t.Fatalf("exit %d: %s", code, &errors)
	}
	read := func() string {
		content, err := os.ReadFile(filepath.Join(dir, "server.pem"))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	before := read()
	code := Main(again, &out, &errors)
	if code != exitUsage || read() != before || !strings.Contains(errors.String(), "--force") {
		t.Errorf("without --force: exit %d, %s", code, &errors)
	}
	args := []string{"warren", "cert", "dev", "--dir", dir, "--force"}
	if code := Main(args, &out, &errors); code != exitOK || read() == before {
		t.Errorf("with --force: exit %d, %s", code, &errors)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}
