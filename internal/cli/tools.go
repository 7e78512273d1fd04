package cli

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/rabbitmqctl"
	"github.com/warrenmq/warren/internal/management"
	"github.com/warrenmq/warren/internal/protocol/control"
)

// errTold is the end of a tool that has told already what is wrong.
var errTold = errors.New("told already")

// toolCommands are RabbitMQ's command line tools: by their own names, for those who cannot link
// them, and by short ones where these mean nothing else.
func toolCommands() []*cobra.Command {
	short := map[string]string{
		"rabbitmqctl": "ctl", "rabbitmq-diagnostics": "diagnostics",
		"rabbitmq-plugins": "plugins", "rabbitmq-upgrade": "upgrade",
	}
	var list []*cobra.Command
	for _, tool := range rabbitmqctl.Tools() {
		c := &cobra.Command{
			Use: cmp.Or(short[tool], tool), Short: "What " + tool + " does, in its words",
			DisableFlagParsing: true, Hidden: short[tool] == "",
			RunE: func(c *cobra.Command, args []string) error { return runTool(c, tool, args) },
		}
		if short[tool] != "" {
			c.Aliases = []string{tool}
		}
		list = append(list, c)
	}
	return list
}

func runTool(c *cobra.Command, tool string, args []string) error {
	code := rabbitmqctl.Main(rabbitmqctl.Call{
		Tool: tool, Args: args, Stdin: c.InOrStdin(), Stdout: c.OutOrStdout(),
		Stderr: c.ErrOrStderr(), Version: warren.Version,
		Compatible: management.DefaultCompatibleVersion,
		Connect: func(w rabbitmqctl.Where) (*apiclient.Client, error) {
			chosen, err := chooseForTool(w)
			if err != nil {
				return nil, err
			}
			return chosen.client(c, w.Timeout)
		},
	})
	if code != exitOK {
		return &exitError{code, errTold}
	}
	return nil
}

// chooseForTool finds the node of a tool, whose options of old name nodes, not places: the option
// --data or --uri; the context that is called like the node; the data directory that the
// environment names, in warren's words or RabbitMQ's; the context in use; a directory on which a
// node runs.
func chooseForTool(w rabbitmqctl.Where) (storedContext, error) {
	if w.Data != "" || w.URI != "" {
		return storedContext{Data: w.Data, URI: w.URI}, nil
	}
	file, err := readContexts()
	if err != nil {
		return storedContext{}, err
	}
	if x, ok := file.Contexts[w.Node]; ok {
		return x, nil
	}
	if dir := dataOfEnvironment(w.Node); dir != "" {
		return storedContext{Data: dir}, nil
	}
	if x, found, err := chosenContext(""); err != nil || found {
		return x, err
	}
	usual := []string{defaultData, "/var/lib/warren", "/var/lib/rabbitmq"}
	at := max(0, slices.IndexFunc(usual, control.Exists))
	return storedContext{Data: usual[at]}, nil
}

// dataOfEnvironment is the data directory that the environment names, "" if none.
func dataOfEnvironment(node string) string {
	if dir := cmp.Or(os.Getenv("WARREN_DATA"), os.Getenv("RABBITMQ_MNESIA_DIR")); dir != "" {
		return dir
	}
	base := os.Getenv("RABBITMQ_MNESIA_BASE")
	if base == "" {
		return ""
	}
	dir := filepath.Join(base, cmp.Or(node, os.Getenv("RABBITMQ_NODENAME")))
	if control.Exists(dir) {
		return dir
	}
	return base
}
