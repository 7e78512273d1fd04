package warren_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/tlsconfig"
	"github.com/warrenmq/warren/internal/warrentest"
)

// certified writes the certificate of a server, and returns where and who trusts it.
func certified(t *testing.T) (warren.TLS, *tls.Config) {
	t.Helper()
	authority, err := tlsconfig.NewAuthority("authority")
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	o := warren.TLS{
		CertFile: filepath.Join(t.TempDir(), "server.pem"),
		KeyFile:  filepath.Join(t.TempDir(), "server.key"),
		Listen:   []string{"127.0.0.1:0"},
	}
	for path, content := range map[string][]byte{
		o.CertFile: server.Certificate, o.KeyFile: server.Key,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Certificate)
	return o, &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

func TestNodeIsServedOverTLS(t *testing.T) {
	secure, trust := certified(t)
	node := warrentest.Start(t, func(o *warren.Options) {
		o.TLS, o.Web.TLS = secure, secure
	})
	conn, err := tls.Dial("tcp", node.AddrTLS().String(), trust)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	warrentest.NewClient(t, conn).Handshake(nil)

	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: trust, ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://"+node.ManagementAddrTLS().String()+"/api/overview", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("guest", "guest")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Errorf("%s, %s", answer.Proto, answer.Status)
	}
}

func TestNodeDoesNotStartWithoutItsCertificate(t *testing.T) {
	secure, _ := certified(t)
	secure.KeyFile = secure.CertFile
	node, err := warren.Start(t.Context(), warren.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", TLS: secure,
	})
	if err == nil {
		_ = node.Close()
		t.Error("it started")
	}
}
