// Package table prints lists of objects for people: aligned columns, chosen, sorted and filtered.
//
// Floor 7, wiring, below the command lines that use it. An object is what the HTTP API answers
// with; a column is a path into it, such as message_stats.publish_details.rate.
package table

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Object is a JSON object.
type Object = map[string]any

// Lookup finds the value that a path leads to, nil if there is none. A key with a point in it is
// found before an object in an object.
func Lookup(o Object, path string) any {
	if v, ok := o[path]; ok {
		return v
	}
	for at := 0; ; {
		next := strings.IndexByte(path[at:], '.')
		if next < 0 {
			return nil
		}
		at += next
		if inner, ok := o[path[:at]].(Object); ok {
			if v := Lookup(inner, path[at+1:]); v != nil {
				return v
			}
		}
		at++
	}
}

// Text writes a value for a cell. What a terminal would obey is written as an escape, since
// names come from whoever declared them.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return clean(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case Object:
		if len(v) == 0 {
			return ""
		}
	case []any:
		if words, ok := plainWords(v); ok {
			return strings.Join(words, " ")
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return clean(fmt.Sprint(v))
	}
	return clean(string(text))
}

// plainWords returns a list of strings that need no quotes.
func plainWords(list []any) ([]string, bool) {
	words := make([]string, len(list))
	for i, v := range list {
		word, ok := v.(string)
		if !ok {
			return nil, false
		}
		words[i] = clean(word)
	}
	return words, true
}

func clean(text string) string {
	if strings.IndexFunc(text, isUnprintable) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if isUnprintable(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

// Number returns the value as a number, if it is one.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

// Sort orders objects by a column, a leading "-" turns the order round. Numbers go by value and
// before text; what has no value comes last.
func Sort(list []Object, column string) {
	name, reverse := strings.CutPrefix(column, "-")
	slices.SortStableFunc(list, func(a, b Object) int {
		x, y := Lookup(a, name), Lookup(b, name)
		if x == nil || y == nil {
			return cmp.Compare(boolInt(x == nil), boolInt(y == nil))
		}
		order := compare(x, y)
		if reverse {
			return -order
		}
		return order
	})
}

func compare(a, b any) int {
	x, isNumber := Number(a)
	y, too := Number(b)
	switch {
	case isNumber && too:
		return cmp.Compare(x, y)
	case isNumber != too:
		return cmp.Compare(boolInt(too), boolInt(isNumber))
	}
	return strings.Compare(Text(a), Text(b))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Style says how a table looks.
type Style struct {
	// NoHeaders leaves the names of the columns out.
	NoHeaders bool
	// Tabs separates by tabs instead of aligning, for programs.
	Tabs bool
}

// gap stands between two columns.
const gap = "  "

// Write prints the columns of all objects. Numbers stand right.
func Write(w io.Writer, columns []string, list []Object, style Style) error {
	rows := make([][]string, 0, len(list)+1)
	if !style.NoHeaders {
		rows = append(rows, columns)
	}
	right := make([]bool, len(columns))
	for i, column := range columns {
		right[i] = len(list) > 0
		for _, o := range list {
			v := Lookup(o, column)
			if _, isNumber := Number(v); !isNumber && v != nil {
				right[i] = false
				break
			}
		}
	}
	for _, o := range list {
		row := make([]string, len(columns))
		for i, column := range columns {
			row[i] = Text(Lookup(o, column))
		}
		rows = append(rows, row)
	}
	return writeRows(w, rows, right, style)
}

func writeRows(w io.Writer, rows [][]string, right []bool, style Style) error {
	out := bufio.NewWriter(w)
	width := make([]int, len(right))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		if style.Tabs {
			fmt.Fprintln(out, strings.Join(row, "\t"))
			continue
		}
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString(gap)
			}
			if right[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
	return out.Flush()
}

// WriteFields prints one object as lines of name and value, in the order of the names; objects
// in it are taken apart.
func WriteFields(w io.Writer, o Object) error {
	var rows [][]string
	var add func(prefix string, o Object)
	add = func(prefix string, o Object) {
		for _, name := range sortedKeys(o) {
			inner, ok := o[name].(Object)
			if ok && len(inner) > 0 && name != "arguments" && name != "definition" {
				add(prefix+name+".", inner)
				continue
			}
			rows = append(rows, []string{prefix + clean(name), Text(o[name])})
		}
	}
	add("", o)
	return writeRows(w, rows, []bool{false, false}, Style{})
}

func sortedKeys(o Object) []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
