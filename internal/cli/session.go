package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
	"github.com/warrenmq/warren/internal/protocol/control"
)

// object is a JSON object of the API.
type object = apiclient.Object

// session holds the flags that every noun takes: which node is asked, and how it is printed.
type session struct {
	context, uri, data, vhost string
	ca, cert, key             string
	insecure, json            bool
	timeout                   time.Duration
	chosen                    storedContext // what the flags and the file of contexts led to
}

// noun makes a command that groups verbs, with the flags of a session.
func (s *session) noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("unknown verb %q of %s; there are %s", args[0], c.Name(),
					verbNames(c))
			}
			return c.Help()
		},
	}
	c.AddCommand(verbs...)
	return s.flags(c)
}

// flags adds those of a session to a command and what is below it.
func (s *session) flags(c *cobra.Command) *cobra.Command {
	f := c.PersistentFlags()
	f.StringVar(&s.context, "context", "", "a `NAME` of warren context list")
	f.StringVar(&s.uri, "uri", "", "`URL` of the HTTP API, http://user:password@host:15672")
	f.StringVar(&s.data, "data", "", "data `DIRECTORY` of a node on this machine")
	f.StringVarP(&s.vhost, "vhost", "p", "", "vhost; lists show all vhosts without it")
	f.StringVar(&s.ca, "ca", "", "`FILE` of authorities that sign the node's certificate")
	f.StringVar(&s.cert, "cert", "", "`FILE` of the certificate shown to the node")
	f.StringVar(&s.key, "key", "", "`FILE` of that certificate's key")
	f.BoolVar(&s.insecure, "insecure", false, "take any certificate of the node")
	f.BoolVar(&s.json, "json", false, "print JSON, for programs")
	f.DurationVar(&s.timeout, "timeout", time.Minute, "how long to wait for an answer")
	for name, complete := range map[string]cobra.CompletionFunc{
		"context": completeContexts, "vhost": s.completeNames("/vhosts?columns=name"),
	} {
		_ = c.RegisterFlagCompletionFunc(name, complete) // fails only for flags there are not
	}
	return c
}

// deed is what a verb does with a node.
type deed func(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
) error

// verb makes a command of a deed. Names for its arguments are offered by complete; nil offers
// none.
func (s *session) verb(
	use, short string, args cobra.PositionalArgs, complete cobra.CompletionFunc, do deed,
) *cobra.Command {
	if complete == nil {
		complete = cobra.NoFileCompletions
	}
	return &cobra.Command{
		Use: use, Short: short, Args: args, ValidArgsFunction: complete, RunE: s.run(do),
	}
}

// run wraps a deed: with a client of the chosen node, until it is interrupted.
func (s *session) run(do deed) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		api, err := s.connect(c)
		if err != nil {
			return err
		}
		defer api.Close()
		err = do(ctx, c, api, args)
		if ctx.Err() != nil {
			return &exitError{exitInterrupted, errors.New("interrupted")}
		}
		return err
	}
}

// connect makes the client of the node that flags, environment and contexts choose, in this
// order: --data, --uri, --context, WARREN_CONTEXT, the context in use, the directory warren-data.
func (s *session) connect(c *cobra.Command) (*apiclient.Client, error) {
	chosen, err := s.choose()
	if err != nil {
		return nil, err
	}
	s.chosen = chosen
	if chosen.VHost != "" && s.vhost == "" {
		s.vhost = chosen.VHost
	}
	return chosen.client(c, s.timeout)
}

func (s *session) choose() (storedContext, error) {
	if s.data != "" && s.uri != "" {
		return storedContext{}, usageError("--data and --uri exclude each other")
	}
	own := storedContext{
		URI: s.uri, Data: s.data, CA: s.ca, Cert: s.cert, Key: s.key, Insecure: s.insecure,
	}
	if s.data != "" || s.uri != "" {
		return own, nil
	}
	stored, found, err := chosenContext(s.context)
	if err != nil {
		return storedContext{}, err
	}
	if !found {
		own.Data = defaultData
		return own, nil
	}
	if s.ca != "" {
		stored.CA = s.ca
	}
	if s.cert != "" {
		stored.Cert, stored.Key = s.cert, s.key
	}
	stored.Insecure = stored.Insecure || s.insecure
	return stored, nil
}

// defaultData is the directory of a node started without flags.
const defaultData = "warren-data"

// client makes the client of a context; a password that it does not hold is asked for.
func (x storedContext) client(c *cobra.Command, timeout time.Duration) (*apiclient.Client, error) {
	if x.URI == "" {
		return apiclient.New(apiclient.Options{Dial: control.Dialer(x.Data), Timeout: timeout})
	}
	user, password, err := x.login(c)
	if err != nil {
		return nil, err
	}
	security, err := x.tls()
	if err != nil {
		return nil, err
	}
	client, err := apiclient.New(apiclient.Options{
		URL: x.URI, User: user, Password: password, TLS: security, Timeout: timeout,
	})
	if err != nil {
		return nil, usageError("%w", err)
	}
	return client, nil
}

// login finds user and password: in the URI, in the context, by its command or variable, and
// last by asking.
func (x storedContext) login(c *cobra.Command) (user, password string, err error) {
	user, password = x.User, x.Password
	known := password != ""
	if u, err := url.Parse(x.URI); err == nil && u.User != nil {
		if user == "" {
			user = u.User.Username()
		}
		if inURI, has := u.User.Password(); has && !known {
			password, known = inURI, true
		}
	}
	if user == "" {
		user = "guest"
		if !known {
			password, known = "guest", x.PasswordCommand == "" && x.PasswordEnv == ""
		}
	}
	if known {
		return user, password, nil
	}
	password, err = x.secret(c, user)
	return user, password, err
}

func (x storedContext) tls() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: x.Insecure} //nolint:gosec // asked for by the user
	if x.CA != "" {
		pem, err := os.ReadFile(x.CA)
		if err != nil {
			return nil, usageError("--ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usageError("--ca: %s holds no certificate", x.CA)
		}
	}
	if x.Cert != "" {
		pair, err := tls.LoadX509KeyPair(x.Cert, x.Key)
		if err != nil {
			return nil, usageError("--cert and --key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// vhostOr returns the chosen vhost, the default one if none is.
func (s *session) vhostOr() string {
	if s.vhost == "" {
		return "/"
	}
	return s.vhost
}

// say confirms a change, in a line or as an object.
func (s *session) say(c *cobra.Command, format string, args ...any) {
	if !s.json {
		fmt.Fprintf(c.OutOrStdout(), format+"\n", args...)
	}
}

// show prints one object.
func (s *session) show(w io.Writer, o object) error {
	if s.json {
		return writeJSON(w, o)
	}
	return table.WriteFields(w, o)
}

func writeJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}

// exitCodeOf says with which code the program ends for an error that has none of its own.
func exitCodeOf(err error) int {
	switch status := apiclient.Status(err); {
	case apiclient.IsUnreachable(err):
		return exitUnavailable
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return exitNoPermission
	case status == http.StatusBadRequest, status == http.StatusNotFound:
		return exitData
	case status == http.StatusServiceUnavailable:
		return exitUnavailable
	}
	return exitFailure
}
