package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/config"
)

// serveFlags are the flags of `warren serve`. Those that stand for keys of the configuration win
// over files and environment.
type serveFlags struct {
	config, set         []string
	management, metrics string
	keys                map[string]*string // what was given for a key
}

// keyFlags are the flags that stand for a key.
func keyFlags() [][3]string {
	return [][3]string{
		{"data", "data_dir", "directory that keeps everything durable (default warren-data)"},
		{"listen", "listeners.tcp.default",
			"address for AMQP; port 0 takes any (default 127.0.0.1:5672)"},
		{"log-level", "log.level",
			"least level logged: debug, info, warn, error (default info)"},
	}
}

func newServeCommand() *cobra.Command {
	f := serveFlags{keys: map[string]*string{}}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the broker",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c, &f)
		},
	}
	f.add(c)
	c.Flags().StringVar(&f.management, "management", "",
		"address for the management page (not served yet)")
	c.Flags().StringVar(&f.metrics, "metrics", "", "address for metrics (not served yet)")
	return c
}

// add defines the flags that say how a node is configured.
func (f *serveFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.config, "config", nil,
		"configuration `FILE`, or a folder of *.conf; may come several times")
	flags.StringArrayVar(&f.set, "set", nil, "`KEY=VALUE` of the configuration")
	for _, k := range keyFlags() {
		f.keys[k[0]] = flags.String(k[0], "", k[2])
	}
}

// sources are where the configuration comes from.
func (f *serveFlags) sources(c *cobra.Command) (config.Sources, error) {
	s := config.Sources{Files: f.config, Environ: os.Environ()}
	for _, k := range keyFlags() {
		if c.Flags().Changed(k[0]) {
			s.Flags = append(s.Flags, config.Flag{Flag: "--" + k[0], Key: k[1],
				Value: *f.keys[k[0]]})
		}
	}
	for _, assignment := range f.set {
		key, value, found := strings.Cut(assignment, "=")
		if !found {
			return s, usageError("--set %s: it is not of the form KEY=VALUE", key)
		}
		s.Flags = append(s.Flags, config.Flag{Flag: "--set", Key: strings.TrimSpace(key),
			Value: strings.TrimSpace(value)})
	}
	return s, nil
}

func serve(c *cobra.Command, f *serveFlags) error {
	options, err := serveOptions(c, f)
	if err != nil {
		return err
	}
	steerCollector(options)
	for flag, address := range map[string]string{"management": f.management, "metrics": f.metrics} {
		if address != "" {
			options.Logger.Warn("accepted, not served yet", "flag", "--"+flag, "address", address)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	node, err := warren.Start(ctx, options)
	if err != nil {
		return &exitError{exitUnavailable, err}
	}
	greet(c.OutOrStdout(), node, options)
	<-node.Done()
	return node.Err()
}

// serveOptions puts together defaults, files, environment and flags.
func serveOptions(c *cobra.Command, f *serveFlags) (warren.Options, error) {
	sources, err := f.sources(c)
	if err != nil {
		return warren.Options{}, err
	}
	configuration, err := config.Load(sources)
	if err != nil {
		return warren.Options{}, usageError("the configuration is wrong:\n%w", err)
	}
	settings := configuration.Settings()
	logger, err := newLogger(c.ErrOrStderr(), settings.Log.Level)
	if err != nil {
		return warren.Options{}, err
	}
	for _, warning := range configuration.Warnings() {
		logger.Warn("configuration: "+warning.Text, "at", warning.Place)
	}
	settings.Options.Logger = logger
	return settings.Options, nil
}

func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError("log level %q is none of debug, info, warn, error", level)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: least})), nil
}

// greet tells where the broker is and how to send it a first message.
func greet(w io.Writer, node *warren.Node, o warren.Options) {
	who := fmt.Sprintf("%s, password %s", o.DefaultUser, o.DefaultPassword)
	switch {
	case o.DefaultUser == "guest":
		who += " (from this machine only)"
	case o.DefaultPassword != "guest":
		who = o.DefaultUser + ", with the password of the configuration"
	}
	self := os.Args[0]
	if strings.Contains(self, "go-build") {
		self = "go run ./cmd/warren"
	}
	fmt.Fprintf(w, "warren %s is ready\n", warren.Version)
	fmt.Fprintf(w, "  AMQP           %s\n", node.URI())
	fmt.Fprintf(w, "  log in as      %s\n", who)
	fmt.Fprintf(w, "  data           %s\n", node.DataDir())
	uri := node.URI()
	if o.DefaultUser != "guest" {
		login := url.UserPassword(o.DefaultUser, "PASSWORD").String()
		uri = strings.Replace(uri, "//", "//"+login+"@", 1)
	}
	fmt.Fprintf(w, "  first message  %s perf --uri %s --pmessages 1 --cmessages 1\n", self, uri)
}
