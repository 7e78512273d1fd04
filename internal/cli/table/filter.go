package table

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Filter keeps the objects whose column is as wanted.
type Filter struct {
	// Column is the path of the column.
	Column  string
	op      string
	value   string
	number  float64
	numeric bool
	pattern *regexp.Regexp
}

// operators in the order in which they are looked for: the longer first.
func operators() []string { return []string{"!=", ">=", "<=", "!~", "=", "~", ">", "<"} }

// ParseFilter reads COLUMN OPERATOR VALUE, where the operator is one of = != > >= < <=, or ~ and
// !~ for a regular expression (RE2). Numbers are compared as numbers.
func ParseFilter(text string) (Filter, error) {
	at, op := -1, ""
	for _, candidate := range operators() {
		if i := strings.Index(text, candidate); i > 0 && (at < 0 || i < at) {
			at, op = i, candidate
		}
	}
	if at < 0 {
		return Filter{}, fmt.Errorf("filter %q is not COLUMN OPERATOR VALUE with one of %s",
			text, strings.Join(operators(), " "))
	}
	f := Filter{
		Column: strings.TrimSpace(text[:at]), op: op,
		value: strings.TrimSpace(text[at+len(op):]),
	}
	var err error
	switch op {
	case "~", "!~":
		if f.pattern, err = regexp.Compile(f.value); err != nil {
			return Filter{}, fmt.Errorf("filter %q: %w", text, err)
		}
	case "=", "!=":
		f.number, err = strconv.ParseFloat(f.value, 64)
		f.numeric = err == nil
	default:
		if f.number, err = strconv.ParseFloat(f.value, 64); err != nil {
			return Filter{}, fmt.Errorf("filter %q compares with %q, which is not a number",
				text, f.value)
		}
		f.numeric = true
	}
	return f, nil
}

// Match reports whether an object is kept.
func (f Filter) Match(o Object) bool {
	v := Lookup(o, f.Column)
	if f.pattern != nil {
		return f.pattern.MatchString(Text(v)) == (f.op == "~")
	}
	n, isNumber := Number(v)
	equal := Text(v) == f.value
	if f.numeric && isNumber {
		equal = n == f.number
	}
	switch f.op {
	case "=":
		return equal
	case "!=":
		return !equal
	case ">":
		return isNumber && n > f.number
	case ">=":
		return isNumber && n >= f.number
	case "<":
		return isNumber && n < f.number
	}
	return isNumber && n <= f.number
}

// Select keeps the objects that all filters match.
func Select(list []Object, filters []Filter) []Object {
	if len(filters) == 0 {
		return list
	}
	kept := list[:0:0]
next:
	for _, o := range list {
		for _, f := range filters {
			if !f.Match(o) {
				continue next
			}
		}
		kept = append(kept, o)
	}
	return kept
}
