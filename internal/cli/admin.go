package cli

import (
	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/cli/rabbitmqadmin"
)

// adminName is the name under which the binary is the program of that name.
const adminName = "rabbitmqadmin"

// newAdminCommand is `warren admin`, which takes everything as rabbitmqadmin does.
func newAdminCommand() *cobra.Command {
	return &cobra.Command{
		Use: "admin", Short: "Understand what rabbitmqadmin understands, old and new syntax",
		DisableFlagParsing: true, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			code := rabbitmqadmin.Main(adminName, args, c.InOrStdin(), c.OutOrStdout(),
				c.ErrOrStderr())
			if code != exitOK {
				return &exitError{code, errTold}
			}
			return nil
		},
	}
}
