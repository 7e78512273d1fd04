package rabbitmqadmin

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formats are those of --format, in the order in which they are named.
func formats() []string {
	return []string{"raw_json", "pretty_json", "tsv", "long", "table", "kvp", "bash"}
}

// cell is a value in a table; none is Python's None.
type cell struct {
	text string
	none bool
}

// shown is the text of a cell where None is printed.
func (c cell) shown() string {
	if c.none {
		return "None"
	}
	return c.text
}

// lister turns the answer of the API into a table, and prints it in one format.
type lister struct {
	out     *bufio.Writer
	columns []string
	json    []string // columns whose objects are printed as JSON
	depth   string
	verbose bool
	rust    bool // values are written as the new program writes them
}

// printList prints an answer; args is what the kind of list says about it.
func printList(w io.Writer, answer []byte, columns, json []string, o *options) error {
	out := bufio.NewWriter(w)
	switch o.format {
	case "raw_json":
		fmt.Fprintln(out, string(answer))
		return out.Flush()
	case "pretty_json":
		value, err := loads(answer)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, pretty(value))
		return out.Flush()
	}
	if !slices.Contains(formats(), o.format) {
		return usage("Format %s not recognised", o.format)
	}
	value, err := loads(answer)
	if err != nil {
		return err
	}
	items, ok := value.([]any)
	if !ok {
		return fmt.Errorf("the answer is no list")
	}
	l := lister{out: out, columns: columns, json: json, depth: o.depth, verbose: o.verbose}
	if err := l.print(items, o.format); err != nil {
		return err
	}
	return out.Flush()
}

func (l *lister) print(items []any, format string) error {
	depth := math.MaxInt
	if len(l.columns) == 0 {
		var err error
		if depth, err = strconv.Atoi(l.depth); err != nil {
			return fmt.Errorf("the depth %q is not a number", l.depth)
		}
	}
	columns, table := l.table(items, depth)
	if len(table) == 0 {
		l.say("No items")
		return nil
	}
	switch format {
	case "tsv":
		l.say(strings.Join(columns, "\t"))
		for _, row := range table {
			fmt.Fprintln(l.out, strings.Join(texts(row, cell.plain), "\t"))
		}
	case "long":
		l.long(columns, table)
	case "table":
		l.ascii(columns, table)
	case "kvp":
		for _, row := range table {
			pairs := make([]string, len(columns))
			for i, text := range texts(row, cell.shown) {
				pairs[i] = fmt.Sprintf("%s=\"%s\"", columns[i], text)
			}
			fmt.Fprintln(l.out, strings.Join(pairs, " "))
		}
	case "bash":
		l.bash(columns, table)
	}
	return nil
}

func (c cell) plain() string { return c.text }

func texts(row []cell, text func(cell) string) []string {
	list := make([]string, len(row))
	for i, c := range row {
		list[i] = text(c)
	}
	return list
}

func (l *lister) say(text string) {
	if l.verbose {
		fmt.Fprintln(l.out, text)
	}
}

// table takes objects apart down to a depth.
func (l *lister) table(items []any, depth int) (columns []string, table [][]cell) {
	columns = l.columns
	if len(columns) == 0 {
		known := map[string]bool{}
		for _, item := range items {
			l.walk("", 1, depth, item, func(column string, _ cell) {
				if !known[column] {
					known[column] = true
					columns = append(columns, column)
				}
			})
		}
		slices.SortFunc(columns, byPromotion)
	}
	place := map[string]int{}
	for i, column := range columns {
		place[column] = i
	}
	for _, item := range items {
		row := make([]cell, len(columns))
		l.walk("", 1, depth, item, func(column string, c cell) {
			if i, ok := place[column]; ok {
				row[i] = c
			}
		})
		table = append(table, row)
	}
	return columns, table
}

func (l *lister) walk(prefix string, depth, most int, item any, found func(string, cell)) {
	d, ok := item.(*dict)
	if !ok {
		return
	}
	for _, key := range d.keys {
		column := key
		if prefix != "" {
			column = prefix + "." + key
		}
		switch sub := d.get(key).(type) {
		case *dict:
			if slices.Contains(l.json, key) {
				found(column, cell{text: dumps(sub)})
			} else if depth < most {
				l.walk(column, depth+1, most, sub, found)
			}
		case []any:
			found(column, cell{text: words(sub)})
		default:
			text, none := str(sub)
			if b, ok := sub.(bool); ok && l.rust {
				text = strconv.FormatBool(b)
			}
			found(column, cell{text, none})
		}
	}
}

// words joins a list of texts by spaces; any other is written as JSON.
func words(list []any) string {
	plain := make([]string, len(list))
	for i, v := range list {
		text, ok := v.(string)
		if !ok {
			return dumps(list)
		}
		plain[i] = text
	}
	return strings.Join(plain, " ")
}

// byPromotion puts the names of things before what is known of them.
func byPromotion(a, b string) int {
	first := []string{"vhost", "name", "type", "source", "destination", "destination_type",
		"routing_key"}
	x, y := slices.Index(first, a), slices.Index(first, b)
	switch {
	case x >= 0 && y >= 0:
		return x - y
	case x >= 0:
		return -1
	case y >= 0:
		return 1
	}
	return strings.Compare(a, b)
}

func (l *lister) long(columns []string, table [][]cell) {
	line := "\n" + strings.Repeat("-", 80) + "\n"
	width := 0
	for _, column := range columns {
		width = max(width, utf8.RuneCountInString(column))
	}
	fmt.Fprintln(l.out, line)
	for _, row := range table {
		for i, column := range columns {
			fmt.Fprintf(l.out, "%*s: %s\n", width, column, row[i].shown())
		}
		fmt.Fprintln(l.out, line)
	}
}

func (l *lister) ascii(columns []string, table [][]cell) {
	rows := [][]string{columns}
	for _, row := range table {
		rows = append(rows, texts(row, cell.plain))
	}
	width := make([]int, len(columns))
	for _, row := range rows {
		for i, text := range row {
			width[i] = max(width[i], utf8.RuneCountInString(text))
		}
	}
	bar := "+"
	for _, w := range width {
		bar += strings.Repeat("-", w+2) + "+"
	}
	fmt.Fprintln(l.out, bar)
	for n, row := range rows {
		line := "|"
		for i, text := range row {
			space := width[i] - utf8.RuneCountInString(text)
			before := 0
			if n == 0 {
				before = space / 2
			}
			line += " " + strings.Repeat(" ", before) + text +
				strings.Repeat(" ", space-before) + " |"
		}
		fmt.Fprintln(l.out, line)
		if n == 0 {
			fmt.Fprintln(l.out, bar)
		}
	}
	fmt.Fprintln(l.out, bar)
}

func (l *lister) bash(columns []string, table [][]cell) {
	at := slices.Index(columns, "name")
	if at < 0 {
		return
	}
	names := make([]string, len(table))
	for i, row := range table {
		names[i] = row[at].text
	}
	fmt.Fprintln(l.out, strings.Join(names, " "))
}
