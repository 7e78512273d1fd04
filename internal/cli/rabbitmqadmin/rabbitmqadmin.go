// Package rabbitmqadmin is the command line of that name, in both of its syntaxes: the old one,
// `declare queue name=q durable=true`, whose output is that of the Python program to the byte, and
// the new one, `queues declare --name q`.
//
// Floor 7, wiring: a client of the HTTP API, of whichever broker.
package rabbitmqadmin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/apiclient"
)

// Exit codes, as rabbitmqadmin has them.
const (
	exitOK      = 0
	exitFailure = 1
	exitMisuse  = 2
)

// Version is what --version says: that of the program whose output this one has.
const Version = "3.10.8"

// program is a call.
type program struct {
	name        string
	in          io.Reader
	out, stderr io.Writer
	options     *options
	api         *apiclient.Client
}

// failure is an error that is printed after three stars.
type failure struct {
	text string // nothing is printed without one
	code int    // zero means exitFailure
}

func (e *failure) Error() string { return e.text }

func die(format string, args ...any) error { return &failure{text: fmt.Sprintf(format, args...)} }

// Main runs the program with its arguments, without its name, and returns its exit code.
func Main(name string, args []string, in io.Reader, out, stderr io.Writer) int {
	p := &program{name: name, in: in, out: out, stderr: stderr}
	err := p.run(context.Background(), args)
	var mistake *usageError
	var failed *failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &mistake) && mistake.code == exitMisuse:
		fmt.Fprintf(stderr, "Usage\n=====\n  %s [options] subcommand\n\n%s: error: %s\n",
			name, name, mistake.text)
		return exitMisuse
	case errors.As(err, &mistake):
		fmt.Fprintf(stderr, "\nERROR: %s\n\n%s --help for help\n\n", mistake.text, name)
	case errors.As(err, &failed):
		if failed.text != "" {
			fmt.Fprintf(stderr, "*** %s\n\n", failed.text)
		}
		return max(failed.code, exitFailure)
	default:
		fmt.Fprintf(stderr, "*** %s\n\n", err)
	}
	return exitFailure
}

func (p *program) run(ctx context.Context, args []string) error {
	if isNew(args) {
		return p.runNew(ctx, args)
	}
	o, words, err := parse(args)
	if err != nil {
		return err
	}
	p.options = o
	switch {
	case o.help:
		p.printHelp()
		return nil
	case o.version:
		fmt.Fprintln(p.out, "rabbitmqadmin", Version)
		return nil
	case o.completion:
		return die("there is no completion script for rabbitmqadmin; " +
			"see `warren completion --help`")
	}
	if err := o.complete(); err != nil {
		return err
	}
	if len(words) == 0 {
		return usage("Action not specified")
	}
	if err := p.connect(); err != nil {
		return err
	}
	defer p.api.Close()
	return p.act(ctx, words[0], words[1:])
}

// connect makes the client that the options lead to.
func (p *program) connect() error {
	o := p.options
	scheme := "http"
	var security *tls.Config
	if o.tls {
		scheme = "https"
		var err error
		if security, err = o.security(); err != nil {
			return die("%s", err)
		}
	}
	api, err := apiclient.New(apiclient.Options{
		URL:  scheme + "://" + net.JoinHostPort(o.host, o.port) + o.prefix,
		User: o.username, Password: o.password, TLS: security,
		Timeout: time.Duration(o.timeout) * time.Second,
	})
	if err != nil {
		return die("%s", err)
	}
	p.api = api
	return nil
}

func (o *options) security() (*tls.Config, error) {
	config := &tls.Config{
		InsecureSkipVerify: o.insecure || o.skipHost, //nolint:gosec // asked for by the user
	}
	if o.caFile != "" {
		pem, err := os.ReadFile(o.caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", o.caFile)
		}
	}
	if o.certFile != "" && o.keyFile != "" {
		pair, err := tls.LoadX509KeyPair(o.certFile, o.keyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if o.skipHost && !o.insecure {
		config.VerifyConnection = verifyChain(config.RootCAs)
	}
	return config, nil
}

// verifyChain checks everything of a certificate but the name of the host.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: between,
		})
		return err
	}
}

// ask sends a request and returns the body of the answer.
func (p *program) ask(ctx context.Context, method, path, body string) ([]byte, error) {
	request := apiclient.Request{Method: method, Path: path}
	if body != "" {
		request.Body = strings.NewReader(body)
	}
	var answer []byte
	err := p.api.Do(ctx, request, &answer)
	var refused *apiclient.Error
	switch {
	case err == nil:
		return answer, nil
	case apiclient.IsUnreachable(err) && errors.Is(err, syscall.ECONNREFUSED):
		return nil, die("Could not connect: [Errno 111] Connection refused")
	case apiclient.IsUnreachable(err) && errors.Is(err, context.DeadlineExceeded):
		return nil, die("Timed out getting HTTP response (request timeout: %d seconds)",
			p.options.timeout)
	case apiclient.IsUnreachable(err):
		return nil, die("Could not connect: %s", errors.Unwrap(err))
	case !errors.As(err, &refused):
		return nil, err
	}
	full := p.options.prefix + "/api" + path
	switch refused.Status {
	case http.StatusBadRequest:
		return nil, die("%s", refused.Reason)
	case http.StatusUnauthorized:
		return nil, die("Access refused: %s", full)
	case http.StatusNotFound:
		return nil, die("Not found: %s", full)
	}
	return nil, die("Received response %d %s for path %s\n%s", refused.Status,
		http.StatusText(refused.Status), full, refused.Body)
}

// say prints a status message unless the caller wants it quiet.
func (p *program) say(format string, args ...any) {
	if p.options.verbose {
		fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// plus is the escape of a query for a segment, which rabbitmqadmin uses for vhosts of lists. A
// space is not written as a plus: servers differ in what they take that for.
func plus(text string) string { return url.PathEscape(text) }
