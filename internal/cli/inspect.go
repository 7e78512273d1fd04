package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/protocol/control"
	"github.com/warrenmq/warren/internal/store"
)

// inspectAsks is how long a node has to say that it runs.
const inspectAsks = 2 * time.Second

func newInspectCommand() *cobra.Command {
	var o store.InspectOptions
	c := &cobra.Command{
		Use:   "inspect DIR [--records [FILE]]",
		Short: "Show what is in a data directory, and change nothing",
		Long: "Show the files of a data directory, what is live in them, the queues by their\n" +
			"numbers, and what is damaged. It reads all messages once, takes no lock and writes\n" +
			"nothing.",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usageError("which data directory?")
			case len(args) > 2 || len(args) == 2 && !o.Records:
				return usageError("too many arguments; a FILE goes with --records")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Dir = args[0]
			if len(args) == 2 {
				o.File = args[1]
			}
			if nodeRuns(c.Context(), o.Dir) {
				fmt.Fprintln(c.OutOrStdout(), "A node is running on this directory: the picture "+
					"is moving, and what looks damaged need not be.")
			}
			return store.Inspect(c.OutOrStdout(), o)
		},
	}
	c.Flags().BoolVar(&o.Records, "records", false,
		"also print every record of the log and of segments, or of one FILE")
	return c
}

// nodeRuns asks the node of a data directory. Its lock would tell more surely, but only by being
// taken, and that could keep a node from starting.
func nodeRuns(ctx context.Context, dir string) bool {
	ctx, cancel := context.WithTimeout(ctx, inspectAsks)
	defer cancel()
	conn, err := control.Dialer(dir)(ctx)
	if err == nil {
		_ = conn.Close() // nothing was asked
	}
	return err == nil || errors.Is(err, context.DeadlineExceeded)
}
