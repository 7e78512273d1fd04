package rabbitmqctl

import (
	"fmt"
	"slices"
	"strings"
)

// bold is how the tools write headings, whether a person reads them or not.
func bold(text string) string { return "\x1b[1m" + text + "\x1b[0m" }

func helpVerbs() []*verb {
	return []*verb{
		{name: "autocomplete", max: 1, needs: nothing, do: func(t *task) error {
			prefix := ""
			if len(t.args) > 0 {
				prefix = t.args[0]
			}
			for _, name := range t.names() {
				if strings.HasPrefix(name, prefix) {
					if err := t.print(name); err != nil {
						return err
					}
				}
			}
			return nil
		}},
		{name: "help", max: 1, needs: nothing,
			options: []option{flag("list-commands", "")}, do: help},
		{name: "version", needs: nothing, do: func(t *task) error {
			return t.print(t.Compatible)
		}},
	}
}

func help(t *task) error {
	switch {
	case t.options.has("list-commands"):
		return t.print("\n" + t.listing() + "\n")
	case len(t.args) == 0:
		return t.print(t.overview())
	}
	v := t.lookUp(t.args[0])
	if v == nil {
		text := fmt.Sprintf("\nCommand '%s' not found. \n", t.args[0])
		if near := t.nearest(t.args[0]); near != "" {
			text += fmt.Sprintf("Did you mean '%s'? \n", near)
		}
		return fail(exitUsage, "%s", text)
	}
	return t.helpOf(v)
}

// names are those of the tool's verbs, sorted.
func (t *task) names() []string {
	var list []string
	for _, v := range t.verbs {
		list = append(list, v.name)
	}
	slices.Sort(list)
	return list
}

func (t *task) usageOf(v *verb) string {
	return strings.TrimSpace(fmt.Sprintf("%s [--node <node>] [--longnames] [--quiet] %s %s",
		t.Tool, v.name, v.arguments))
}

// shownUsage is what follows the report of a misuse.
func (t *task) shownUsage() string {
	return fmt.Sprintf("Arguments given:\n\t%s\n\n%s\n\n%s\n", strings.Join(t.Args, " "),
		bold("Usage"), t.usageOf(t.verb))
}

// overview lists all verbs.
func (t *task) overview() string {
	return fmt.Sprintf("\n%s\n\n%s [--node <node>] [--timeout <timeout>] [--longnames] [--quiet] "+
		"<command> [<command options>]\n\nAvailable commands:\n\n%s\n"+
		"Use '%s help <command>' to learn more about a specific command",
		bold("Usage"), t.Tool, t.listing(), t.Tool)
}

// listing is the verbs by section.
func (t *task) listing() string {
	names, sections := order()
	texts := usages()
	width := 0
	for _, v := range t.verbs {
		width = max(width, len(v.name))
	}
	var out strings.Builder
	for _, section := range sections {
		head := bold(section) + ":\n\n"
		for _, name := range names {
			u := texts[name]
			if u.section != section || !slices.Contains(u.tools, t.Tool) {
				continue
			}
			fmt.Fprintf(&out, "%s   %-*s  %s\n", head, width, name, u.meaning)
			head = ""
		}
		if head == "" {
			out.WriteString("\n")
		}
	}
	return out.String()
}

// generalHelp is what every verb takes.
const generalHelp = `short            | long          | description
-----------------|---------------|--------------------------------
-?               | --help        | says how the verb is used
-n <node>        | --node <node> | a context of warren, or nothing
-l               | --longnames   | taken, means nothing
-t               | --timeout <n> | how long to wait for the node, in seconds
-q               | --quiet       | print results only
-s               | --silent      | print results only, without names of columns
-p               | --vhost       | the vhost
                 | --formatter   | json, json_stream, pretty_table, table, csv, erlang
                 | --data <dir>  | the data directory of the node
                 | --uri <uri>   | the place of its HTTP API, with user and password`

func (t *task) helpOf(v *verb) error {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s\n\n%s\n\n%s.\n\n", bold("Usage"), t.usageOf(v), v.meaning)
	if v.columns != nil {
		fmt.Fprintf(&out, "\n%s\n\n<column>\n\tmust be one of %s\n\n",
			bold("Arguments and Options"), strings.Join(columnNames(v.columns), ", "))
	}
	fmt.Fprintf(&out, "\n%s\n\n%s\n", bold("General Options"), generalHelp)
	return t.print(out.String())
}

// nearest returns the verb that was meant most likely, "" if none is near.
func (t *task) nearest(word string) string {
	best, found := 4, "" // more than three letters apart is another word
	for _, name := range t.names() {
		if d := distance(word, name); d < best {
			best, found = d, name
		}
	}
	return found
}

// distance counts the letters to change, to add and to take away to get from one word to another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
