package amqp091_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/tlsconfig"
	"github.com/warrenmq/warren/internal/warrentest"
)

// journal is a log that may be read while it is written.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{} // one token: something was written since
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.wrote <- struct{}{}:
	default:
	}
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// await waits until the log says something.
func (j *journal) await(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for !strings.Contains(j.String(), text) {
		select {
		case <-j.wrote:
		case <-late:
			t.Fatalf("the log does not say %q", text)
		}
	}
}

// secured is a broker with a port for TLS and one without.
type secured struct {
	t         *testing.T
	authority *tlsconfig.Authority
	broker    *broker.Manager
	door      *amqp091.Door
	log       *journal
	plain     net.Addr
	secure    net.Addr
}

func serveSecured(t *testing.T, files tlsconfig.Options, o amqp091.Options) *secured {
	t.Helper()
	s := &secured{t: t, log: &journal{wrote: make(chan struct{}, 1)}}
	log := slog.New(slog.NewTextHandler(
		io.MultiWriter(s.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	keep, err := store.Open(store.Options{Dir: "data", FS: disk.NewMemory(), Logger: log})
	s.must(err)
	t.Cleanup(func() { _ = keep.Close() })
	s.broker, err = broker.New(broker.Options{
		Store: keep, ExchangeTypes: exchange.Standard(), DefaultUser: "guest",
		DefaultPassword: "guest", Logger: log,
	})
	s.must(err)
	dir := t.TempDir()
	s.authority, err = tlsconfig.NewAuthority("authority")
	s.must(err)
	server, err := s.authority.Server("localhost")
	s.must(err)
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		s.must(os.WriteFile(path, content, 0o600))
		return path
	}
	files.CertFile = file("server.pem", server.Certificate)
	files.KeyFile = file("server.key", server.Key)
	files.CAFile = file("ca.pem", s.authority.Certificate)
	source, err := tlsconfig.Open(files)
	s.must(err)
	o.Broker, o.Logger = s.broker, log
	s.door = amqp091.NewDoor(o)
	s.plain, s.secure = s.listen(nil), s.listen(source.Config())
	return s
}

// listen serves a port until the end of the test.
func (s *secured) listen(secure *tls.Config) net.Addr {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			if secure != nil {
				conn = tls.Server(conn, secure)
			}
			serving.Go(func() { s.door.Serve(conn) })
		}
	})
	s.t.Cleanup(serving.Wait) // after clients have gone, which are made later
	s.t.Cleanup(func() { _ = l.Close() })
	return l.Addr()
}

func (s *secured) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// dial connects with TLS, as a user's certificate says who it is, if user is not empty.
func (s *secured) dial(user string) *warrentest.Client {
	s.t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	config.RootCAs.AppendCertsFromPEM(s.authority.Certificate)
	if user != "" {
		pair, err := s.authority.Client(user)
		s.must(err)
		certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
		s.must(err)
		config.Certificates = []tls.Certificate{certificate}
	}
	conn, err := tls.Dial("tcp", s.secure.String(), config)
	s.must(err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return warrentest.NewClient(s.t, conn)
}

// external logs in with what the certificate says.
func external(c *warrentest.Client) (offered string) {
	c.Raw(amqp.ProtocolHeader[:])
	start := c.Expect(0, amqp.MethodConnectionStart).(*amqp.ConnectionStart)
	c.Send(0, &amqp.ConnectionStartOk{
		ClientProperties: amqp.NewTable(map[string]any{"capabilities": map[string]any{
			"authentication_failure_close": true,
		}}),
		Mechanism: "EXTERNAL", Locale: "en_US",
	})
	return start.Mechanisms
}

func TestMessagesOverTLS(t *testing.T) {
	s := serveSecured(t, tlsconfig.Options{}, amqp091.Options{})
	c := s.dial("")
	c.Handshake(nil)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	declare(c, "q", false)
	consume(c, 1, "q", true)
	// Sizes about the limits of what one read takes: of a wait, of a record, of a buffer, and of
	// bodies that are not copied.
	for _, size := range []int{0, 1, 2000, 2048, 2100, 16 << 10, 70_000, 200_000, 3 << 20} {
		body := strings.Repeat("warren.", size/7+1)[:size]
		for range 3 {
			c.Publish(1, "", "q", amqp.Properties{}, []byte(body))
		}
		for range 3 {
			delivery(t, c, 1, body)
		}
	}
	shown := s.door.Connections()
	if len(shown) != 1 || shown[0].TLS == nil || shown[0].TLS.Version != "tlsv1.3" ||
		shown[0].TLS.Cipher == "" || shown[0].TLS.PeerSubject != "" {
		t.Errorf("shown as %+v", shown[0].TLS)
	}
}

func TestLoginByCertificate(t *testing.T) {
	s := serveSecured(t, tlsconfig.Options{VerifyPeer: true}, amqp091.Options{
		CertificateLogin: auth.CertificateLogin{From: auth.LoginCommonName},
	})
	_, mistake := s.broker.PutUser(definition.User{Name: "machine"})
	if mistake != nil {
		t.Fatal(mistake)
	}
	c := s.dial("machine")
	if offered := external(c); offered != "PLAIN AMQPLAIN EXTERNAL" {
		t.Errorf("offered to a client with a certificate: %s", offered)
	}
	tune := c.Expect(0, amqp.MethodConnectionTune).(*amqp.ConnectionTune)
	c.Send(0, &amqp.ConnectionTuneOk{ChannelMax: tune.ChannelMax, FrameMax: tune.FrameMax})
	c.Send(0, &amqp.ConnectionOpen{VirtualHost: "/"})
	closed := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if want := "for user 'machine'"; !strings.Contains(closed.ReplyText, want) {
		t.Errorf("%s, want %s", closed.ReplyText, want)
	}

	c = s.dial("nobody")
	external(c)
	closed = c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if closed.ReplyCode != amqp.AccessRefused || !strings.Contains(closed.ReplyText, "EXTERNAL") {
		t.Errorf("a user who does not exist: %d %s", closed.ReplyCode, closed.ReplyText)
	}

	c = s.dial("")
	if offered := external(c); offered != "PLAIN AMQPLAIN" {
		t.Errorf("offered to a client without a certificate: %s", offered)
	}
	c.DrainToEnd()
}

// TestCertificateThatNobodyVerifiedIsNobody: with verify_none, the one that a client shows says
// nothing.
func TestCertificateThatNobodyVerifiedIsNobody(t *testing.T) {
	s := serveSecured(t, tlsconfig.Options{}, amqp091.Options{
		CertificateLogin: auth.CertificateLogin{From: auth.LoginCommonName},
	})
	c := s.dial("guest")
	if offered := external(c); offered != "PLAIN AMQPLAIN" {
		t.Errorf("offered: %s", offered)
	}
	c.DrainToEnd()
}

func TestMechanismThatIsSwitchedOffIsNotTaken(t *testing.T) {
	s := serveSecured(t, tlsconfig.Options{}, amqp091.Options{Mechanisms: []string{"AMQPLAIN"}})
	c := warrentest.Dial(t, s.plain)
	c.Raw(amqp.ProtocolHeader[:])
	start := c.Expect(0, amqp.MethodConnectionStart).(*amqp.ConnectionStart)
	if start.Mechanisms != "AMQPLAIN" {
		t.Errorf("offered: %s", start.Mechanisms)
	}
	c.Send(0, &amqp.ConnectionStartOk{
		Mechanism: "PLAIN", Response: "\x00guest\x00guest", Locale: "en_US",
	})
	c.DrainToEnd()
}

func TestClientsAtTheWrongPortAreTold(t *testing.T) {
	s := serveSecured(t, tlsconfig.Options{}, amqp091.Options{})
	plain, err := net.Dial("tcp", s.secure.String())
	s.must(err)
	defer plain.Close()
	_, err = plain.Write(amqp.ProtocolHeader[:])
	s.must(err)
	_ = plain.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.Copy(io.Discard, plain)
	s.log.await(t, "a client without TLS spoke to the port for AMQP with TLS")

	_, err = tls.Dial("tcp", s.plain.String(), &tls.Config{ServerName: "localhost"})
	if err == nil {
		t.Error("TLS without TLS")
	}
	s.log.await(t, "a TLS client spoke to the port for plain AMQP")

	prober, err := net.Dial("tcp", s.secure.String())
	s.must(err)
	_ = prober.Close()
	s.log.await(t, "connection closed before TLS")
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Error("a prober is an error")
	}
}

// TestHandshakeTimeoutCoversTLS is a client that connects and says nothing, and one that says half
// of its first record.
func TestHandshakeTimeoutCoversTLS(t *testing.T) {
	s := serveSecured(t, tlsconfig.Options{}, amqp091.Options{
		HandshakeTimeout: 50 * time.Millisecond,
	})
	for _, begin := range [][]byte{nil, {0x16, 3, 1, 0x40, 0, 1}} {
		conn, err := net.Dial("tcp", s.secure.String())
		s.must(err)
		defer conn.Close()
		_, err = conn.Write(begin)
		s.must(err)
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("after %x: %v", begin, err)
		}
	}
	s.log.await(t, "handshake timeout")
}

// untilTune returns what a client is told after it has tried to log in.
func untilTune(t *testing.T, c *warrentest.Client) (told string) {
	t.Helper()
	defer c.Close()
	for {
		f, ok := c.AnyFrame()
		if !ok {
			return told
		}
		told += string(f.Payload)
		if id, err := amqp.ParseMethodID(f.Payload); err != nil ||
			id == amqp.MethodConnectionTune || id == amqp.MethodConnectionClose {
			return told
		}
	}
}

// TestSecretsAreNotLogged logs in well, badly and in broken ways, and reads the log of all that, at
// the level that says most.
func TestSecretsAreNotLogged(t *testing.T) {
	const secret = "xyzzy-plugh"
	s := serveSecured(t, tlsconfig.Options{}, amqp091.Options{})
	hash, algorithm, err := s.broker.HashPassword(t.Context(), secret)
	s.must(err)
	_, mistake := s.broker.PutUser(definition.User{
		Name: "alice", PasswordHash: hash, Algorithm: algorithm,
	})
	if mistake != nil {
		t.Fatal(mistake)
	}
	plain := amqp.NewTable(map[string]any{"LOGIN": "alice", "PASSWORD": secret})
	for _, c := range []struct{ mechanism, response string }{
		{"PLAIN", "\x00alice\x00" + secret},
		{"PLAIN", "\x00alice\x00" + secret + "-wrong"},
		{"PLAIN", "\x00nobody\x00" + secret},
		{"PLAIN", "alice\x00alice\x00" + secret},
		{"PLAIN", "alice:" + secret},
		{"PLAIN", secret},
		{"AMQPLAIN", string(plain)},
		{"AMQPLAIN", string(plain[1:])},
		{"AMQPLAIN", "\x00alice\x00" + secret},
		{"EXTERNAL", secret},
		{"X-" + "UNKNOWN", secret},
	} {
		client := warrentest.Dial(t, s.plain)
		client.Raw(amqp.ProtocolHeader[:])
		client.Expect(0, amqp.MethodConnectionStart)
		client.Send(0, &amqp.ConnectionStartOk{
			ClientProperties: amqp.NewTable(map[string]any{"capabilities": map[string]any{
				"authentication_failure_close": true,
			}}),
			Mechanism: c.mechanism, Response: c.response, Locale: "en_US",
		})
		if told := untilTune(t, client); strings.Contains(told, secret) {
			t.Errorf("%s %q: the client is told %q", c.mechanism, c.response, told)
		}
	}
	s.log.await(t, "login refused")
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has the password")
	}
	if strings.Contains(s.log.String(), "plugh") {
		t.Error("the log has a part of the password")
	}
}
