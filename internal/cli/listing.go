package cli

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
)

// listing is a list of the API and how it is shown.
type listing struct {
	path     string // of all of them
	perVHost bool   // and with a vhost after it, of one vhost
	paged    bool   // the API gives it in pages
	columns  []string
}

// listFlags choose what is shown of a list.
type listFlags struct {
	columns   []string
	sort      string
	filters   []string
	noHeaders bool
}

func (f *listFlags) add(c *cobra.Command, columns []string) {
	flags := c.Flags()
	flags.StringSliceVar(&f.columns, "columns", nil,
		"columns to show, any field of --json (default "+strings.Join(columns, ",")+")")
	flags.StringVar(&f.sort, "sort", "", "`COLUMN` to sort by, with - before it the other way")
	flags.StringArrayVar(&f.filters, "filter", nil,
		"keep rows where `COLUMN=VALUE`, or with != > >= < <=, or ~ and !~ for a pattern")
	flags.BoolVar(&f.noHeaders, "no-headers", false, "leave out the names of the columns")
	_ = c.RegisterFlagCompletionFunc("columns", cobra.FixedCompletions(columns,
		cobra.ShellCompDirectiveNoFileComp))
}

// list makes the verb that shows a list.
func (s *session) list(short string, l listing) *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: short, Args: exactArgs(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: s.run(func(
			ctx context.Context, c *cobra.Command, api *apiclient.Client, _ []string,
		) error {
			return s.printList(ctx, c, api, l, f)
		}),
	}
	f.add(c, l.columns)
	return c
}

func (s *session) printList(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, l listing, f listFlags,
) error {
	filters := make([]table.Filter, len(f.filters))
	for i, text := range f.filters {
		var err error
		if filters[i], err = table.ParseFilter(text); err != nil {
			return usageError("--filter: %w", err)
		}
	}
	columns := f.columns
	if len(columns) == 0 {
		columns = l.columns
	}
	query := url.Values{}
	if !s.json || len(f.columns) > 0 {
		query.Set("columns", strings.Join(neededColumns(columns, f.sort, filters), ","))
	}
	list, err := s.fetch(ctx, api, l, query)
	if err != nil {
		return err
	}
	if err := checkColumns(l, list, f, filters); err != nil {
		return err
	}
	list = table.Select(list, filters)
	if f.sort != "" {
		table.Sort(list, f.sort)
	}
	if !s.json {
		return table.Write(c.OutOrStdout(), columns, list,
			table.Style{NoHeaders: f.noHeaders})
	}
	if len(f.columns) > 0 {
		list = project(list, columns)
	}
	return writeJSON(c.OutOrStdout(), list)
}

// neededColumns are those to ask for: what is shown, sorted by and filtered by. Of a path its
// first word is asked, since not every server takes paths.
func neededColumns(shown []string, sort string, filters []table.Filter) []string {
	needed := slices.Clone(shown)
	if sort != "" {
		needed = append(needed, strings.TrimPrefix(sort, "-"))
	}
	for _, f := range filters {
		needed = append(needed, f.Column)
	}
	slices.Sort(needed)
	return slices.Compact(needed)
}

// project keeps only the columns of objects, under their paths.
func project(list []object, columns []string) []object {
	for i, o := range list {
		kept := object{}
		for _, column := range columns {
			kept[column] = table.Lookup(o, column)
		}
		list[i] = kept
	}
	return list
}

// fetch gets a list, all its pages.
func (s *session) fetch(
	ctx context.Context, api *apiclient.Client, l listing, query url.Values,
) ([]object, error) {
	path := l.path
	if l.perVHost && s.vhost != "" {
		path += apiclient.Path(s.vhost)
	}
	list := []object{}
	if !l.paged {
		err := api.Get(ctx, apiclient.WithQuery(path, query), &list)
		return list, err
	}
	for o, err := range apiclient.Pages[object](ctx, api, path, query) {
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// completionMax is how many names are offered to a shell.
const completionMax = 1000

// completeNames offers the names of a list of the node, silently none if it does not answer.
func (s *session) completeNames(path string) cobra.CompletionFunc {
	return s.completeFields(func() string { return path }, "name")
}

// completeInVHost offers names of a list that each vhost has.
func (s *session) completeInVHost(noun string) cobra.CompletionFunc {
	return s.completeFields(func() string {
		return apiclient.Path(noun, s.vhostOr()) + "?columns=name"
	}, "name")
}

func (s *session) completeFields(path func() string, field string) cobra.CompletionFunc {
	return func(
		c *cobra.Command, _ []string, typed string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		c.SetIn(strings.NewReader("")) // nobody can be asked for a password now
		api, err := s.connect(c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer api.Close()
		var list []object
		if err := api.Get(context.Background(), path(), &list); err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, o := range list {
			name := table.Text(o[field])
			if strings.HasPrefix(name, typed) && len(names) < completionMax {
				names = append(names, name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// exactArgs is cobra's, with the exit code of a mistake in the call.
func exactArgs(count int) cobra.PositionalArgs { return asUsage(cobra.ExactArgs(count)) }

// maxArgs is cobra's, with the exit code of a mistake in the call.
func maxArgs(count int) cobra.PositionalArgs { return asUsage(cobra.MaximumNArgs(count)) }

// minArgs is cobra's, with the exit code of a mistake in the call.
func minArgs(count int) cobra.PositionalArgs { return asUsage(cobra.MinimumNArgs(count)) }

func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError("%s: %w; usage: %s", c.CommandPath(), err, c.UseLine())
		}
		return nil
	}
}

// verbNames names what a command can do.
func verbNames(c *cobra.Command) string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return strings.Join(names, " ")
}

// readFile reads a file, or the standard input where the name is "-".
func readFile(c *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return readAll(c.InOrStdin())
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError("%w", err)
	}
	return text, err
}
