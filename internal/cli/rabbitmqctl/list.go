package rabbitmqctl

import (
	"slices"
	"strings"
)

// column is one of a list: the name that operators know, the path of its value in the API's
// object when that is another, and what is made of the value.
type column struct {
	name, path string
	as         func(any) any
}

func columnNames(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// plain are columns that the API has under the same name.
func plain(names ...string) []column {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{name: name}
	}
	return columns
}

// wanted are the columns asked for, separated by commas or blanks.
func (t *task) wanted() []string {
	return strings.FieldsFunc(strings.Join(t.args, ","), func(r rune) bool {
		return r == ',' || r == ' '
	})
}

func checkColumns(t *task) error {
	known := columnNames(t.verb.columns)
	unknown := slices.DeleteFunc(t.wanted(), func(name string) bool {
		return slices.Contains(known, name)
	})
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return usageFailure("Info key(s) %s are not supported",
		strings.Join(slices.Compact(unknown), ","))
}

// list prints objects: the columns asked for, or else the usual ones.
func (t *task) list(objects []object, columns []column, usual ...string) error {
	names := usual
	if t.verb.columns != nil && len(t.args) > 0 {
		names = t.wanted()
	}
	if len(names) == 0 {
		names = columnNames(columns)
	}
	rows := make([][]any, len(objects))
	for i, o := range objects {
		row := make([]any, len(names))
		for j, name := range names {
			at := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
			row[j] = columns[at].of(o)
		}
		rows[i] = row
	}
	return t.rows(names, rows)
}

// of takes the column's cell out of an object.
func (c column) of(o object) any {
	path := c.path
	if path == "" {
		path = c.name
	}
	if c.as != nil {
		return c.as(o.get(path))
	}
	return o.get(path)
}

// lister is a verb that lists what a path has.
type lister struct {
	name, banner string
	path         func(t *task) string
	columns      []column
	usual        []string
	options      []option
	// chooses: the columns may be named.
	chooses bool
	// headless lists have no line of names as a table: RabbitMQ forgot it.
	headless bool
	// missing says what it is when the path is not there; nil: an empty list.
	missing func(t *task) error
}

func (l lister) verb() *verb {
	v := &verb{
		name: l.name, max: -1, banner: saying(l.banner), format: "table", options: l.options,
		columns: l.columns,
		do: func(t *task) error {
			objects, err := t.listOf(l)
			if err != nil {
				return err
			}
			if l.headless && t.format() == "table" {
				t.options["no-table-headers"] = "true"
			}
			return t.list(objects, l.columns, l.usual...)
		},
	}
	if !l.chooses {
		v.max, v.columns = 0, nil
	}
	return v
}

func (t *task) listOf(l lister) ([]object, error) {
	objects, err := t.getList(l.path(t))
	if isMissing(err) {
		if l.missing != nil {
			return nil, l.missing(t)
		}
		return nil, nil
	}
	return objects, err
}

// vhostMissing is what a list says whose vhost is not there.
func vhostMissing(t *task) error { return noVHost(t.vhost()) }

// What is made of values.

func asArguments(v any) any {
	o, _ := v.(object)
	return arguments(o)
}

// asWords takes a list of names, or names in a text as older APIs have them.
func asWords(v any) any {
	list := words{}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			list = append(list, cellText(item))
		}
	case string:
		list = append(list, strings.FieldsFunc(v, func(r rune) bool { return r == ',' })...)
	}
	return list
}

func asWord(v any) any {
	if s, ok := v.(string); ok {
		return word(s)
	}
	return v
}

// asText keeps JSON as text.
func asText(v any) any {
	if v == nil {
		return ""
	}
	return jsonText(v)
}

func asProcess(v any) any {
	if s, ok := v.(string); ok {
		return process(s)
	}
	return v
}
