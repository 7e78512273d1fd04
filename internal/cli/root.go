// Package cli is the command line of warren: a file for each verb of the binary.
//
// Floor 7, wiring: it turns flags into options and prints what comes back. Main is the whole
// program; cmd/warren only calls it.
package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/cli/rabbitmqctl"
)

// Exit codes, as rabbitmqctl has them where it has one. docs/cli.md explains them.
const (
	exitOK           = 0
	exitFailure      = 1
	exitDiffers      = 2 // there are differences, changes to come, or warnings
	exitSerious      = 3 // doctor found something that loses messages or lets strangers in
	exitUsage        = 64
	exitData         = 65 // what was named does not exist, or is refused
	exitUnavailable  = 69
	exitNoPermission = 77
	exitInterrupted  = 130
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usageError marks a mistake in how the program was called.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// Main runs the program with its arguments, the name of the program first, and returns its
// exit code. Called by the name of one of RabbitMQ's tools it behaves as that.
func Main(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetOut(stdout)
	root.SetErr(stderr)
	words := withAlias(args)
	root.SetArgs(words)
	err := checkCommand(root, words)
	if err == nil {
		err = root.Execute()
	}
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errTold) {
		fmt.Fprintln(stderr, "Error:", err)
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitCodeOf(err)
}

// checkCommand refuses a first word that is no command, and says which one may be meant.
func checkCommand(root *cobra.Command, words []string) error {
	if len(words) == 0 || strings.HasPrefix(words[0], "-") || strings.HasPrefix(words[0], "__") {
		return nil // a flag, or a shell that completes
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(words...)
	var names []string
	for _, c := range root.Commands() {
		if c.Name() == words[0] || c.HasAlias(words[0]) {
			return nil
		}
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usageError("there is no command %q%s; warren --help names all", words[0],
		didYouMean(words[0], names))
}

// withAlias replaces the names under which the binary may be installed by its commands.
func withAlias(args []string) []string {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if name == adminName {
		return append([]string{"admin"}, args[1:]...)
	}
	if slices.Contains(rabbitmqctl.Tools(), name) {
		return append([]string{name}, args[1:]...)
	}
	return args[1:]
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "warren",
		Short:         "A message broker that every AMQP 0-9-1 client takes for RabbitMQ",
		Version:       warren.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &exitError{exitUsage, err}
	})
	root.AddCommand(newServeCommand(), newPerfCommand(),
		newInspectCommand(), newCertCommand(), newConfigCommand())
	root.AddCommand(nouns()...)
	root.AddCommand(toolCommands()...)
	return root
}

// nouns are the commands that ask a node.
func nouns() []*cobra.Command {
	return []*cobra.Command{
		newContextCommand(),
		newQueuesCommand(), newExchangesCommand(), newBindingsCommand(),
		newPublishCommand(), newGetCommand(),
		newConnectionsCommand(), newChannelsCommand(), newConsumersCommand(),
		newUsersCommand(), newPermissionsCommand(), newTopicPermissionsCommand(),
		newVHostsCommand(), newPoliciesCommand(), newOperatorPoliciesCommand(),
		newParametersCommand(), newGlobalParametersCommand(), newLimitsCommand(),
		newDefinitionsCommand(), newMigrateCommand(), newAdminCommand(),
		newStatusCommand(), newHealthCommand(), newTopCommand(), newDoctorCommand(),
		newBackupCommand(), newRestoreCommand(),
	}
}
