package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
)

// topFlags are the flags of `warren top`.
type topFlags struct {
	interval    time.Duration
	sort        string
	connections bool
	count       int
}

// topRows is how many rows are shown where nothing bounds them.
const topRows = 20

func newTopCommand() *cobra.Command {
	s := &session{}
	var f topFlags
	c := s.verb("top", "Watch the busiest queues or connections; q ends it", exactArgs(0), nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, _ []string) error {
			if f.interval < 100*time.Millisecond {
				return usageError("--interval is at least 100ms")
			}
			return s.top(ctx, c, api, f)
		})
	flags := c.Flags()
	flags.DurationVarP(&f.interval, "interval", "i", 5*time.Second, "time between two looks")
	flags.StringVar(&f.sort, "sort", "", "column to sort by (default: the sum of rates)")
	flags.BoolVarP(&f.connections, "connections", "c", false, "connections instead of queues")
	flags.IntVarP(&f.count, "count", "n", 0, "looks before it ends; 0 means until q or Ctrl-C")
	return s.flags(c)
}

// top shows tables until it is told to end. On a terminal each takes the place of the last.
func (s *session) top(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, f topFlags,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	screen := &screen{out: c.OutOrStdout()}
	if err := screen.enter(c.InOrStdin(), cancel); err != nil {
		return err
	}
	defer screen.leave()
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	for n := 1; ; n++ {
		text, err := s.look(ctx, api, f, screen)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		screen.draw(text)
		if n == f.count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look makes one table.
func (s *session) look(
	ctx context.Context, api *apiclient.Client, f topFlags, screen *screen,
) (string, error) {
	var overview object
	if err := api.Get(ctx, "/overview", &overview); err != nil {
		return "", err
	}
	l, rates := queueListing(), queueRates()
	if f.connections {
		l, rates = listing{path: "/connections", paged: true}, connectionRates()
	}
	list, err := s.fetch(ctx, api, l, nil)
	if err != nil {
		return "", err
	}
	for _, o := range list {
		sum := 0.0
		for _, r := range rates {
			value, _ := table.Number(table.Lookup(o, r.path))
			o[r.column] = value
			sum += value
		}
		o["rates"] = sum
	}
	sort := f.sort
	if sort == "" {
		sort = "-rates"
	}
	table.Sort(list, sort)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s  %s in/s  %s out/s  %s ready  %s unacknowledged  %d shown of %d\n\n",
		table.Text(overview["cluster_name"]),
		orZero(overview, "message_stats.publish_details.rate"),
		orZero(overview, "message_stats.deliver_get_details.rate"),
		orZero(overview, "queue_totals.messages_ready"),
		orZero(overview, "queue_totals.messages_unacknowledged"),
		min(len(list), screen.rows()), len(list))
	list = list[:min(len(list), screen.rows())]
	columns := []string{"vhost", "name", "messages_ready", "messages_unacknowledged", "consumers"}
	if f.connections {
		columns = []string{"user", "name", "state", "channels"}
	}
	for _, r := range rates {
		columns = append(columns, r.column)
	}
	err = table.Write(&out, columns, list, table.Style{})
	return out.String(), err
}

func orZero(o object, path string) string {
	if text := table.Text(table.Lookup(o, path)); text != "" {
		return text
	}
	return "0"
}

// rate is a column with a rate and where it stands.
type rate struct{ column, path string }

func queueRates() []rate {
	return []rate{
		{"in/s", "message_stats.publish_details.rate"},
		{"out/s", "message_stats.deliver_get_details.rate"},
		{"ack/s", "message_stats.ack_details.rate"},
	}
}

func connectionRates() []rate {
	return []rate{
		{"received B/s", "recv_oct_details.rate"}, {"sent B/s", "send_oct_details.rate"},
	}
}

// screen is where tables are drawn: over each other on a terminal, one after the other elsewhere.
type screen struct {
	out   io.Writer
	fd    int
	state *term.State // of the terminal before; nil: there is none
}

// enter takes the terminal, if there is one; q and Ctrl-C call quit.
func (s *screen) enter(in io.Reader, quit func()) error {
	input, ok := in.(*os.File)
	if !ok || !isTerminal(s.out) || !term.IsTerminal(int(input.Fd())) {
		return nil
	}
	s.fd = int(input.Fd())
	state, err := term.MakeRaw(s.fd)
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	s.state = state
	fmt.Fprint(s.out, "\x1b[?1049h\x1b[?25l")
	go keys(input, quit) // ends with the program: a read of a terminal cannot be given up
	return nil
}

// keys waits for the key that ends.
func keys(in io.Reader, quit func()) {
	key := make([]byte, 1)
	for {
		n, err := in.Read(key)
		if err != nil || n == 1 && strings.IndexByte("qQ\x03\x04", key[0]) >= 0 {
			quit()
			return
		}
	}
}

func (s *screen) leave() {
	if s.state != nil {
		fmt.Fprint(s.out, "\x1b[?25h\x1b[?1049l")
		_ = term.Restore(s.fd, s.state)
	}
}

// rows is how many rows of a table fit.
func (s *screen) rows() int {
	if s.state != nil {
		if _, height, err := term.GetSize(s.fd); err == nil && height > 5 {
			return height - 4
		}
	}
	return topRows
}

func (s *screen) draw(text string) {
	if s.state == nil {
		fmt.Fprintln(s.out, text)
		return
	}
	width, _, err := term.GetSize(s.fd)
	if err != nil || width < 1 {
		width = 80
	}
	fmt.Fprint(s.out, "\x1b[H\x1b[J")
	for line := range strings.Lines(text) {
		runes := []rune(strings.TrimRight(line, "\n"))
		fmt.Fprintf(s.out, "%s\r\n", string(runes[:min(len(runes), width)]))
	}
}
