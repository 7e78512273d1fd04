package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/cli/table"
	"github.com/warrenmq/warren/internal/config"
)

func newConfigCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show and check the configuration of a node",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(newConfigShowCommand(), newConfigCheckCommand(), newConfigKeysCommand())
	return c
}

func newConfigShowCommand() *cobra.Command {
	f := serveFlags{keys: map[string]*string{}}
	var effective, json bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Show what `warren serve` would go by, with these flags, here and now",
		Long: "Show each key that files, environment or flags set, with its value and where that " +
			"is from.\nSecrets are hidden. It takes the flags of `warren serve`.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			sources, err := f.sources(c)
			if err != nil {
				return err
			}
			configuration, err := loadConfiguration(sources)
			if err != nil {
				return err
			}
			warnOf(c.ErrOrStderr(), configuration)
			settings := configuration.Given()
			if effective {
				settings = configuration.Effective()
			}
			return writeSettings(c.OutOrStdout(), settings, json)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&effective, "effective", false, "also keys that have their default")
	c.Flags().BoolVar(&json, "json", false, "print JSON")
	return c
}

func writeSettings(w io.Writer, settings []config.Setting, json bool) error {
	list := []table.Object{}
	for _, s := range settings {
		list = append(list, table.Object{"key": s.Name, "value": s.Shown(), "from": s.Place})
	}
	if json {
		return writeJSON(w, list)
	}
	return table.Write(w, []string{"key", "value", "from"}, list, table.Style{})
}

// warnOf prints what is odd in a configuration.
func warnOf(w io.Writer, c *config.Config) {
	for _, warning := range c.Warnings() {
		fmt.Fprintln(w, "Warning:", warning)
	}
}

func newConfigCheckCommand() *cobra.Command {
	var strict bool
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say all that is wrong with configuration files, and start nothing",
		Long: "Say all that is wrong with configuration files, and start nothing. Without files, " +
			"those that `warren serve` would read, and its environment.",
		RunE: func(c *cobra.Command, args []string) error {
			f := serveFlags{config: args}
			sources, err := f.sources(c)
			if err != nil {
				return err
			}
			configuration, err := loadConfiguration(sources)
			if err != nil {
				return err
			}
			warnOf(c.ErrOrStderr(), configuration)
			if n := len(configuration.Warnings()); n > 0 && strict {
				return &exitError{exitConfig, errors.New(counted(n, "warning"))}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s, %s: good\n",
				counted(len(configuration.Files()), "file"),
				counted(len(configuration.Given()), "key"))
			return nil
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "warnings are errors")
	return c
}

func newConfigKeysCommand() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "keys [TEXT]",
		Short: "List the keys of the configuration whose names have TEXT in them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			list := []table.Object{}
			for _, k := range config.Keys() {
				if len(args) > 0 && !strings.Contains(k.Name, args[0]) {
					continue
				}
				list = append(list, table.Object{
					"key": k.Name, "also": k.Also, "type": k.Type.Name, "default": k.Default,
					"meaning": k.Meaning, "reload": k.Reload, "variable": config.VariableOf(k.Name),
				})
			}
			if json {
				return writeJSON(c.OutOrStdout(), list)
			}
			return table.Write(c.OutOrStdout(), []string{"key", "type", "default", "meaning"},
				list, table.Style{})
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print JSON")
	return c
}
