package tlsconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// lookEvery is how often a handshake looks whether the files have changed, at most.
	lookEvery = 5 * time.Second
	// fileMax is the largest file that is read, in bytes.
	fileMax = 1 << 20
)

// Source has the certificates of a server, as its files are. It is safe for concurrent use.
type Source struct {
	options Options

	mu      sync.Mutex
	current *tls.Config // replaced, never changed
	leaf    *x509.Certificate
	seen    [3]stamp // of the files that current is made from, or could not be
	looked  time.Time
	said    string // what went wrong last
}

// stamp tells a file that was replaced from what it was.
type stamp struct {
	size    int64
	changed time.Time
}

// Open reads the files. The error names the file that is wrong.
func Open(o Options) (*Source, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Source{options: o, looked: time.Now()}
	s.seen = s.stamps()
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// Config returns a configuration for a listener. Each handshake uses the files as they are, or were
// some seconds ago. The protocols are those that clients may choose from (ALPN), none for AMQP.
func (s *Source) Config(protocols ...string) *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.current.Clone()
	c.NextProtos = protocols
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := s.config()
		if len(protocols) > 0 {
			now = now.Clone()
			now.NextProtos = protocols
		}
		return now, nil
	}
	return c
}

// Leaf returns the certificate of the server that is in use.
func (s *Source) Leaf() *x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaf
}

// Replace reads the files again, or others: from now on all is as o says, but for its Logger. With
// an error, what was in use stays in use.
func (s *Source) Replace(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.options
	o.Logger = before.Logger
	s.options = o
	s.seen, s.looked = s.stamps(), time.Now()
	if err := s.load(); err != nil {
		s.options, s.seen = before, [3]stamp{}
		return err
	}
	s.said = ""
	return nil
}

// config returns the configuration for a handshake that begins. Files that cannot be read, or do
// not fit each other, since they are being replaced, change nothing; they are tried again.
func (s *Source) config() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.looked) < lookEvery {
		return s.current
	}
	s.looked = time.Now()
	if now := s.stamps(); now != s.seen || s.said != "" {
		s.seen = now
		switch err := s.load(); {
		case err != nil && err.Error() != s.said:
			s.said = err.Error()
			s.options.Logger.Error("TLS certificate not reloaded", "error", err)
		case err == nil:
			s.said = ""
		}
	}
	return s.current
}

// stamps looks at the files.
func (s *Source) stamps() (now [3]stamp) {
	for i, path := range []string{s.options.CertFile, s.options.KeyFile, s.options.CAFile} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			now[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return now
}

// load reads the files; mu is held.
func (s *Source) load() error {
	c, err := s.options.load()
	if err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	leaf := c.Certificates[0].Leaf
	if s.leaf == nil || !bytes.Equal(s.leaf.Raw, leaf.Raw) {
		s.options.Logger.Info("TLS certificate", "subject", leaf.Subject.String(),
			"file", s.options.CertFile, "expires", leaf.NotAfter)
	}
	if time.Now().After(leaf.NotAfter) {
		s.options.Logger.Warn("TLS certificate has expired", "file", s.options.CertFile,
			"expired", leaf.NotAfter)
	}
	s.current, s.leaf = c, leaf
	return nil
}

func (o *Options) load() (*tls.Config, error) {
	certificate, err := readFile(o.CertFile)
	if err != nil {
		return nil, err
	}
	key, err := readFile(o.KeyFile)
	if err != nil {
		return nil, err
	}
	if encrypted(key) {
		return nil, fmt.Errorf("the key in %s is encrypted: openssl pkey -in FILE -out PLAIN",
			o.KeyFile)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", o.CertFile, o.KeyFile, err)
	}
	lowest, highest, err := versions(o.Versions)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: lowest, MaxVersion: highest,
		DynamicRecordSizingDisabled: true, // it is made for web pages
	}
	if !o.VerifyPeer {
		return c, nil
	}
	return c, o.verifyPeers(c)
}

// verifyPeers makes a configuration ask for certificates.
func (o *Options) verifyPeers(c *tls.Config) error {
	authorities, err := readFile(o.CAFile)
	if err != nil {
		return err
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(authorities) {
		return fmt.Errorf("%s has no certificate", o.CAFile)
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven
	if o.RequirePeer {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	// A session that is resumed is not verified again, and may outlive its authority.
	c.SessionTicketsDisabled = true
	between := o.depth()
	c.VerifyConnection = func(state tls.ConnectionState) error {
		short := func(chain []*x509.Certificate) bool { return len(chain)-2 <= between }
		if len(state.PeerCertificates) > 0 && !slices.ContainsFunc(state.VerifiedChains, short) {
			return fmt.Errorf("the chain of the client's certificate is longer than %d", between)
		}
		return nil
	}
	return nil
}

// encrypted reports whether a key has a password.
func encrypted(key []byte) bool {
	for {
		var block *pem.Block
		if block, key = pem.Decode(key); block == nil {
			return false
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return true
		}
	}
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, fileMax+1))
	if err == nil && len(content) > fileMax {
		err = errors.New("too large for a certificate")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}
