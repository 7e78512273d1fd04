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
)

// serveFlags are the flags of `warren serve`.
type serveFlags struct {
	data, listen, config, logLevel string
	management, metrics            string
}

func newServeCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the broker",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c, &f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.data, "data", "warren-data", "directory that keeps everything durable")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:5672", "address for AMQP; port 0 takes any")
	flags.StringVar(&f.config, "config", "", "configuration `FILE` of lines key = value")
	flags.StringVar(&f.logLevel, "log-level", "info",
		"least level logged: debug, info, warn, error")
	flags.StringVar(&f.management, "management", "",
		"address for the management page (not served yet)")
	flags.StringVar(&f.metrics, "metrics", "", "address for metrics (not served yet)")
	return c
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

// serveOptions puts together defaults, the configuration file and the flags; a flag given
// explicitly wins over the file.
func serveOptions(c *cobra.Command, f *serveFlags) (warren.Options, error) {
	options := warren.Options{DefaultUser: "guest", DefaultPassword: "guest"}
	level := f.logLevel
	if f.config != "" {
		fromFile, err := readConfig(f.config)
		if err != nil {
			return options, usageError("%w", err)
		}
		options = fromFile.options(options)
		if fromFile.logLevel != "" && !c.Flags().Changed("log-level") {
			level = fromFile.logLevel
		}
	}
	if options.Listen == "" || c.Flags().Changed("listen") {
		options.Listen = f.listen
	}
	options.DataDir = f.data
	logger, err := newLogger(c.ErrOrStderr(), level)
	if err != nil {
		return options, err
	}
	options.Logger = logger
	if err := options.Validate(); err != nil {
		return options, usageError("%w", err)
	}
	return options, nil
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
