package rabbitmqctl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// formats are the values of --formatter; the first means none was chosen.
func formats() []string {
	return []string{"", "table", "json", "json_stream", "pretty_table", "csv", "erlang", "string",
		"plugins", "report", "inspect"}
}

// rows prints a list in the format chosen.
func (t *task) rows(columns []string, rows [][]any) error {
	var out strings.Builder
	headers := !t.options.has("silent") && !t.options.has("no-table-headers")
	switch t.format() {
	case "json":
		writeRowsJSON(&out, columns, rows)
	case "json_stream":
		for _, row := range rows {
			writeJSON(&out, record(columns, row))
			out.WriteByte('\n')
		}
		out.WriteByte('\n')
	case "csv":
		writeCSV(&out, columns, rows, headers)
	case "erlang":
		writeTerms(&out, columns, rows)
	case "pretty_table":
		writePretty(&out, columns, rows)
	default:
		writeTable(&out, columns, rows, headers)
	}
	_, err := fmt.Fprint(t.Stdout, out.String())
	return err
}

// record is a row as an object.
func record(columns []string, row []any) object {
	o := make(object, len(columns))
	for i, name := range columns {
		o[i] = field{name, cellJSON(row[i])}
	}
	return o
}

func writeRowsJSON(out *strings.Builder, columns []string, rows [][]any) {
	out.WriteString("[\n")
	for i, row := range rows {
		if i > 0 {
			out.WriteByte(',')
		}
		writeJSON(out, record(columns, row))
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
}

// writeTable separates by tabs, for programs to cut.
func writeTable(out *strings.Builder, columns []string, rows [][]any, headers bool) {
	if len(rows) > 0 && headers && columns != nil {
		out.WriteString(strings.Join(columns, "\t") + "\n")
	}
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				out.WriteByte('\t')
			}
			out.WriteString(cellText(cell))
		}
		out.WriteByte('\n')
	}
}

func writeCSV(out *strings.Builder, columns []string, rows [][]any, headers bool) {
	line := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
		}
		out.WriteByte('\n')
	}
	if len(rows) > 0 && headers {
		line(columns)
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cellText(cell)
		}
		line(cells)
	}
}

func writeTerms(out *strings.Builder, columns []string, rows [][]any) {
	lists := make([]string, len(rows))
	for i, row := range rows {
		pairs := make([]string, len(row))
		for j, cell := range row {
			pairs[j] = "{" + columns[j] + "," + cellTerm(cell) + "}"
		}
		lists[i] = "[" + strings.Join(pairs, ",") + "]"
	}
	out.WriteString("[" + strings.Join(lists, ",\n ") + "]\n")
}

// writePretty draws lines between cells, in the characters that terminals have for that.
func writePretty(out *strings.Builder, columns []string, rows [][]any) {
	if len(rows) == 0 {
		return
	}
	widths := make([]int, len(columns))
	texts := make([][]string, len(rows))
	for i, name := range columns {
		widths[i] = utf8.RuneCountInString(name)
	}
	for i, row := range rows {
		for j, cell := range row {
			texts[i] = append(texts[i], cellPretty(cell))
			widths[j] = max(widths[j], utf8.RuneCountInString(texts[i][j]))
		}
	}
	rule := func(left, middle, right string) {
		out.WriteString("\x1b(0" + left)
		for i, w := range widths {
			if i > 0 {
				out.WriteString(middle)
			}
			out.WriteString(strings.Repeat("q", w+2))
		}
		out.WriteString(right + "\x1b(B\n")
	}
	const bar = "\x1b(0x\x1b(B"
	line := func(cells []string, style func(string) string) {
		for i, cell := range cells {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			out.WriteString(bar + " " + style(cell) + gap + " ")
		}
		out.WriteString(bar + "\n")
	}
	rule("l", "w", "k")
	line(columns, bold)
	for _, cells := range texts {
		rule("t", "n", "u")
		line(cells, func(s string) string { return s })
	}
	rule("m", "v", "j")
}

// message prints a sentence as the result of a verb; programs get it as an object.
func (t *task) message(format string, args ...any) error {
	return t.result(fmt.Sprintf(format, args...), nil)
}

// result prints a text, or the fields for programs; without fields these get the text.
func (t *task) result(text string, fields object) error {
	switch t.format() {
	case "json", "json_stream":
		if fields == nil {
			fields = object{{"message", text}}
		}
		return t.print(jsonText(fields))
	case "erlang":
		return t.print(binary(text))
	}
	return t.print(text)
}
