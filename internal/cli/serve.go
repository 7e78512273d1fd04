package cli

import (
	"errors"
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
	config, set []string
	keys        map[string]*string // what was given for a key
}

// keyFlags are the flags that stand for a key.
func keyFlags() [][3]string {
	return [][3]string{
		{"data", "data_dir", "directory that keeps everything durable (default warren-data)"},
		{"listen", "listeners.tcp.default",
			"address for AMQP; port 0 takes any (default 127.0.0.1:5672)"},
		{"log-level", "log.level",
			"least level logged: debug, info, warning, error (default info)"},
		{"management", "management.listen",
			"address for the HTTP API, or off (default 127.0.0.1:15672)"},
		{"metrics", "prometheus.listen",
			"address for metrics, or off (default 127.0.0.1:15692)"},
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

// serve runs a node until it is asked to end.
func serve(c *cobra.Command, f *serveFlags) error {
	sources, err := f.sources(c)
	if err != nil {
		return err
	}
	configuration, err := loadConfiguration(sources)
	if err != nil {
		return err
	}
	settings := configuration.Settings()
	logs, err := openLogs(&settings, c.OutOrStdout(), c.ErrOrStderr())
	if err != nil {
		return &exitError{exitConfig, err}
	}
	defer logs.Close()
	tellConfiguration(logs.logger, configuration)
	settings.Options.Logger = logs.logger
	steerCollector(settings.Options)
	signals := make(chan os.Signal, signalsMax)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	r := &running{logs: logs, sources: sources, configuration: configuration}
	settings.Options.Hooks = r.hooks()
	settings.Options.ConfigFiles = absolute(configuration.Files())
	settings.Options.LogFiles = logPlaces(&settings)
	if err := r.start(settings.Options); err != nil {
		return &exitError{exitUnavailable, err}
	}
	greet(c.OutOrStdout(), r.node, settings.Options)
	return r.obey(signals)
}

// exitConfig says that files or environment are wrong, as rabbitmqctl's code does.
const exitConfig = 78

// loadConfiguration reads all sources. The error has the exit code for a wrong flag, or for a wrong
// configuration.
func loadConfiguration(sources config.Sources) (*config.Config, error) {
	c, err := config.Load(sources)
	var problems *config.Problems
	if !errors.As(err, &problems) {
		return c, err
	}
	err = fmt.Errorf("the configuration is wrong:\n%w", err)
	for _, p := range problems.List {
		if !strings.HasPrefix(p.Place, "--") {
			return nil, &exitError{exitConfig, err}
		}
	}
	return nil, &exitError{exitUsage, err}
}

// tellConfiguration logs where the configuration is from, and what is odd in it.
func tellConfiguration(logger *slog.Logger, c *config.Config) {
	for _, file := range c.Files() {
		logger.Info("configuration read", "file", file)
	}
	for _, warning := range oneForAGroup(c.Warnings()) {
		logger.Warn("configuration: "+warning.Text, "at", warning.Place)
	}
}

// oneForAGroup makes one warning of those about keys that have no effect for the same reason and
// whose names begin with the same word; it has the place of the first.
func oneForAGroup(warnings []config.Problem) (list []config.Problem) {
	const noEffect = " has no effect: "
	type group struct{ begin, why string }
	at, count := map[group]int{}, map[group]int{}
	for _, w := range warnings {
		name, why, found := strings.Cut(w.Text, noEffect)
		begin, _, several := strings.Cut(name, ".")
		g := group{begin, why}
		i, known := at[g]
		if !found || !several || !known {
			if found && several {
				at[g], count[g] = len(list), 1
			}
			list = append(list, w)
			continue
		}
		count[g]++
		list[i].Text = fmt.Sprintf("%s.* (%d keys)%s%s", begin, count[g], noEffect, why)
	}
	return list
}

// who says who may log in, as far as the configuration tells. The default user is made in an empty
// data directory only, and not if definitions that are imported have users.
func who(node *warren.Node, o warren.Options) string {
	if !node.HasUser(o.DefaultUser) {
		return "one of the users there are: the default user was not made"
	}
	login := fmt.Sprintf("%s, password %s", o.DefaultUser, o.DefaultPassword)
	switch {
	case o.DefaultUser == "guest":
		login += " (from this machine only)"
	case o.DefaultPassword != "guest":
		login = o.DefaultUser + ", with the password of the configuration"
	}
	return login
}

// greet tells where the broker is and how to send it a first message.
func greet(w io.Writer, node *warren.Node, o warren.Options) {
	self := os.Args[0]
	if strings.Contains(self, "go-build") {
		self = "go run ./cmd/warren"
	}
	fmt.Fprintf(w, "warren %s is ready\n", warren.Version)
	fmt.Fprintf(w, "  AMQP           %s\n", node.URI())
	if uri := node.URITLS(); uri != "" {
		fmt.Fprintf(w, "  AMQP with TLS  %s\n", uri)
	}
	if url := node.ManagementURL(); url != "" {
		fmt.Fprintf(w, "  HTTP API       %s\n", url)
	}
	fmt.Fprintf(w, "  log in as      %s\n", who(node, o))
	fmt.Fprintf(w, "  data           %s\n", node.DataDir())
	uri := node.URI()
	switch {
	case !node.HasUser(o.DefaultUser):
		uri = strings.Replace(uri, "//", "//USER:PASSWORD@", 1)
	case o.DefaultUser != "guest":
		login := url.UserPassword(o.DefaultUser, "PASSWORD").String()
		uri = strings.Replace(uri, "//", "//"+login+"@", 1)
	}
	fmt.Fprintf(w, "  first message  %s perf --uri %s --pmessages 1 --cmessages 1\n", self, uri)
}
