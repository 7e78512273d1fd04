package rabbitmqadmin

import (
	"bufio"
	"fmt"
	"strings"
	"unicode/utf8"
)

// frame is a style of tables: the lines above, under the header, between rows and below, each as
// left, fill, cross, right; and what stands left of, between and right of cells.
type frame struct {
	top, head, row, bottom string // four runes, or none
	left, between, right   string
}

// frames are the values of --table-style.
func frames() map[string]frame {
	return map[string]frame{
		"modern":     {"┌─┬┐", "├─┼┤", "├─┼┤", "└─┴┘", "│ ", " │ ", " │"},
		"ascii":      {"+-++", "+-++", "+-++", "+-++", "| ", " | ", " |"},
		"psql":       {"", " -+ ", "", "", " ", " | ", " "},
		"markdown":   {"", "|-||", "", "", "| ", " | ", " |"},
		"dots":       {"....", ":..:", ":..:", ":..:", ": ", " : ", " :"},
		"borderless": {"", "", "", "", " ", "   ", ""},
	}
}

// printNew prints a list or one object as a table. Scripts, which say --non-interactive, get
// values separated by spaces alone, without a header.
func (p *program) printNew(answer []byte, columns []string) error {
	if !p.options.verbose {
		return nil // --quiet
	}
	value, err := loads(answer)
	if err != nil {
		return err
	}
	rows := [][]string{columns}
	switch value := value.(type) {
	case []any:
		l := lister{columns: columns, rust: true, json: []string{"definition", "value", "arguments",
			"limits", "properties"}}
		found, cells := l.table(value, 1<<10)
		rows = [][]string{found}
		for _, row := range cells {
			rows = append(rows, texts(row, cell.plain))
		}
	case *dict:
		l := lister{rust: true}
		found, cells := l.table([]any{value}, 1<<10)
		rows = [][]string{{"key", "value"}}
		for i, column := range found {
			rows = append(rows, []string{column, cells[0][i].text})
		}
	}
	chosen, ok := frames()[p.options.tableStyle]
	if !ok {
		return &failure{text: "there is no table style " + p.options.tableStyle,
			code: exitNewUsage}
	}
	if p.options.nonInteractive {
		chosen, rows = frames()["borderless"], rows[1:]
	}
	out := bufio.NewWriter(p.out)
	chosen.write(out, rows, !p.options.nonInteractive)
	return out.Flush()
}

func (f frame) write(out *bufio.Writer, rows [][]string, header bool) {
	if len(rows) == 0 {
		return
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			width[i] = max(width[i], utf8.RuneCountInString(text))
		}
	}
	f.line(out, f.top, width)
	for n, row := range rows {
		switch {
		case n == 1 && header:
			f.line(out, f.head, width)
		case n > 0:
			f.line(out, f.row, width)
		}
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = text + strings.Repeat(" ", width[i]-utf8.RuneCountInString(text))
		}
		line := f.left + strings.Join(cells, f.between) + f.right
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	f.line(out, f.bottom, width)
}

func (f frame) line(out *bufio.Writer, parts string, width []int) {
	runes := []rune(parts)
	if len(runes) != 4 {
		return
	}
	text := make([]string, len(width))
	for i, w := range width {
		text[i] = strings.Repeat(string(runes[1]), w+2)
	}
	line := string(runes[0]) + strings.Join(text, string(runes[2])) + string(runes[3])
	fmt.Fprintln(out, strings.TrimSpace(line))
}
