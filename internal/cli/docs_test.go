package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commandTable is the table of docs/cli.md: a row for each command of warren's own that has no
// others below it.
func commandTable() string {
	var table strings.Builder
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.IsAvailableCommand() || sub.Name() == "help" || sub.Name() == "completion" {
				continue
			}
			if sub.HasAvailableSubCommands() {
				add(sub)
				continue
			}
			_, arguments, _ := strings.Cut(sub.Use, " ")
			use := strings.TrimSpace(sub.CommandPath() + " " + arguments)
			fmt.Fprintf(&table, "| `%s` | %s |\n", use, strings.ReplaceAll(sub.Short, "|", "\\|"))
		}
	}
	root := &cobra.Command{Use: "warren"}
	root.AddCommand(nouns()...)
	add(root)
	return table.String()
}

// TestTheTableOfCommandsIsThatOfTheProgram: what it should be is printed by a failure.
func TestTheTableOfCommandsIsThatOfTheProgram(t *testing.T) {
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := commandTable(); !strings.Contains(string(page), table) {
		t.Errorf("docs/cli.md does not have this table:\n%s", table)
	}
}

// TestEveryExitCodeIsExplained in the table of the page.
func TestEveryExitCodeIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []int{exitOK, exitFailure, exitDiffers, exitSerious, exitUsage, exitData,
		exitUnavailable, exitNoPermission, exitInterrupted} {
		if !strings.Contains(string(page), fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("docs/cli.md does not explain exit code %d", code)
		}
	}
}
