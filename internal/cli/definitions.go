package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
	"github.com/warrenmq/warren/internal/drift"
)

func newDefinitionsCommand() *cobra.Command {
	s := &session{}
	return s.noun("definitions", "Everything declared, as a file: export, import, plan, diff",
		s.definitionsExport(),
		s.verb("import FILE", "Create and change what a file declares; nothing is deleted",
			exactArgs(1), files, s.definitionsImport),
		s.verb("plan FILE",
			"Say what an import would do; exit code 2 for changes, 65 for what is refused",
			exactArgs(1), files, s.definitionsPlan),
		s.verb("diff ONE [OTHER]", "Compare files, contexts or URLs; without OTHER with the node",
			asUsage(cobra.RangeArgs(1, 2)), files, s.definitionsDiff),
	)
}

// files lets the shell offer files.
func files(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func (s *session) definitionsPath() string {
	if s.vhost == "" {
		return "/definitions"
	}
	return apiclient.Path("definitions", s.vhost)
}

func (s *session) definitionsExport() *cobra.Command {
	return s.verb("export [FILE]", "Write the definitions to a file, or print them", maxArgs(1),
		files,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			var text []byte
			if err := api.Get(ctx, s.definitionsPath(), &text); err != nil {
				return err
			}
			text = indented(text)
			if len(args) == 0 || args[0] == "-" {
				_, err := c.OutOrStdout().Write(text)
				return err
			}
			// It holds hashes of passwords.
			if err := os.WriteFile(args[0], text, 0o600); err != nil {
				return err
			}
			s.say(c, "Definitions are in %s.", args[0])
			return nil
		})
}

func (s *session) definitionsImport(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
) error {
	text, err := readFile(c, args[0])
	if err != nil {
		return err
	}
	if _, err := drift.Parse(text, s.vhostOr()); err != nil {
		return &exitError{exitData, fmt.Errorf("%s: %w", args[0], err)}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	err = api.Do(ctx, apiclient.Request{
		Method: http.MethodPost, Path: s.definitionsPath(), Body: bytes.NewReader(text),
	}, nil)
	if err != nil {
		return err
	}
	s.say(c, "Definitions of %s are imported.", args[0])
	return nil
}

func (s *session) definitionsPlan(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
) error {
	wanted, err := s.readDefinitions(ctx, c, args[0])
	if err != nil {
		return err
	}
	present, err := s.nodeDefinitions(ctx, api)
	if err != nil {
		return err
	}
	list, err := s.refusals(ctx, api, wanted, present)
	if err != nil {
		return err
	}
	refused, changes := list, 0
	for _, d := range drift.Compare(wanted, present) {
		if d.Action == drift.Extra || slices.ContainsFunc(refused, d.Is) {
			continue // an import deletes nothing
		}
		if d.Action != drift.Kept {
			changes++
		}
		list = append(list, d)
	}
	err = s.printDifferences(c, list, changes)
	if len(refused) > 0 {
		return &exitError{exitData, fmt.Errorf("the import would be refused because of %s",
			counted(len(refused), "object"))}
	}
	return err
}

// printDifferences prints them and ends with the code for changes if there are some.
func (s *session) printDifferences(
	c *cobra.Command, list []drift.Difference, changes int,
) error {
	if s.json {
		if list == nil {
			list = []drift.Difference{}
		}
		if err := writeJSON(c.OutOrStdout(), list); err != nil {
			return err
		}
	}
	for _, d := range list {
		s.say(c, "%s", differenceLine(d))
	}
	if changes == 0 {
		if len(list) == 0 || list[0].Action != drift.Refused {
			s.say(c, "No change.")
		}
		return nil
	}
	return &exitError{exitDiffers, errTold}
}

// differenceLine writes a difference with a sign: + is to add, - is only in the other, ~ is to
// change, = is not alike and stays, ! is refused.
func differenceLine(d drift.Difference) string {
	sign := map[drift.Action]string{
		drift.Missing: "+", drift.Extra: "-", drift.Changed: "~", drift.Kept: "=",
		drift.Refused: "!",
	}[d.Action]
	line := fmt.Sprintf("%s %s %s", sign, d.Kind, table.Text(d.Name))
	if d.VHost != "" {
		line += fmt.Sprintf(" (vhost %s)", table.Text(d.VHost))
	}
	for _, field := range d.Fields {
		line += "\n      " + table.Text(field)
	}
	if d.Why != "" {
		line += "\n      " + table.Text(d.Why)
	}
	return line
}

func (s *session) definitionsDiff(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
) error {
	one, err := s.readDefinitions(ctx, c, args[0])
	if err != nil {
		return err
	}
	var other drift.Definitions
	if len(args) == 2 {
		other, err = s.readDefinitions(ctx, c, args[1])
	} else {
		other, err = s.nodeDefinitions(ctx, api)
	}
	if err != nil {
		return err
	}
	list := drift.Compare(other, one)
	return s.printDifferences(c, list, len(list))
}

func (s *session) nodeDefinitions(
	ctx context.Context, api *apiclient.Client,
) (drift.Definitions, error) {
	var text []byte
	if err := api.Get(ctx, s.definitionsPath(), &text); err != nil {
		return nil, err
	}
	return drift.Parse(text, s.vhostOr())
}

// readDefinitions reads those of a file, of a URL or of a context.
func (s *session) readDefinitions(
	ctx context.Context, c *cobra.Command, name string,
) (drift.Definitions, error) {
	node := storedContext{URI: name}
	isNode := strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
	if !isNode {
		stored, err := readContexts()
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(name); err != nil {
			node, isNode = stored.Contexts[name]
		}
	}
	if isNode {
		api, err := node.client(c, s.timeout)
		if err != nil {
			return nil, err
		}
		defer api.Close()
		return s.nodeDefinitions(ctx, api)
	}
	text, err := readFile(c, name)
	if err != nil {
		return nil, err
	}
	d, err := drift.Parse(text, s.vhostOr())
	if err != nil {
		return nil, &exitError{exitData, fmt.Errorf("%s: %w", name, err)}
	}
	return d, nil
}
