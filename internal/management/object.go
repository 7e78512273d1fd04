package management

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// columns are the fields of an object that are wanted; nil: all.
type columns []column

// column is a field that is wanted, and what of the object in it; nil: all.
type column struct {
	name   string
	inside columns
}

const (
	// columnsMax is more than any object of the API has fields.
	columnsMax = 256
	// columnDepthMax is deeper than any of them nests.
	columnDepthMax = 8
)

// parseColumns reads "name,message_stats.publish_details.rate". What is too much to be in any
// object is passed over.
func parseColumns(text string) columns {
	tree := columns{}
	for path := range strings.SplitSeq(text, ",") {
		if path != "" {
			tree.add(path, 1)
		}
	}
	return tree
}

func (c *columns) add(path string, depth int) {
	name, rest, goesOn := strings.Cut(path, ".")
	goesOn = goesOn && depth < columnDepthMax
	for i := range *c {
		if known := &(*c)[i]; known.name == name {
			switch {
			case !goesOn:
				known.inside = nil
			case known.inside != nil:
				known.inside.add(rest, depth+1)
			}
			return
		}
	}
	if len(*c) == columnsMax {
		return
	}
	wanted := column{name: name}
	if goesOn {
		wanted.inside = columns{}
		wanted.inside.add(rest, depth+1)
	}
	*c = append(*c, wanted)
}

// find returns what is wanted of a field, nil for all of it.
func (c columns) find(name string) (inside columns, wanted bool) {
	if c == nil {
		return nil, true
	}
	for i := range c {
		if c[i].name == name {
			return c[i].inside, true
		}
	}
	return nil, false
}

// writer writes JSON objects field by field: those that are wanted. It checks nothing; what is
// begun is ended by the caller.
type writer struct {
	out  []byte
	want columns // of the object that is written
	// outer are the wants of the objects around it.
	outer []columns
	// found: nothing is written, but the one field that is wanted is found: lists are sorted by
	// it.
	found *sortKey
}

func (w *writer) wants(name string) bool {
	_, wanted := w.want.find(name)
	return wanted
}

// comma separates from what stands before.
func (w *writer) comma() {
	if n := len(w.out); n > 0 && w.out[n-1] != '{' && w.out[n-1] != '[' {
		w.out = append(w.out, ',')
	}
}

// field begins a field, if it is wanted and to be written.
func (w *writer) field(name string) bool {
	if !w.wants(name) {
		return false
	}
	w.name(name)
	return true
}

func (w *writer) name(name string) {
	w.comma()
	w.out = amqp.AppendTextJSON(w.out, name)
	w.out = append(w.out, ':')
}

func (w *writer) text(name, value string) {
	switch {
	case !w.wants(name):
	case w.found != nil:
		*w.found = sortKey{kind: keyText, text: value}
	default:
		w.name(name)
		w.out = amqp.AppendTextJSON(w.out, value)
	}
}

// textOrNull writes null for the empty text.
func (w *writer) textOrNull(name, value string) {
	if value == "" {
		w.null(name)
		return
	}
	w.text(name, value)
}

func (w *writer) int(name string, value int64) {
	switch {
	case !w.wants(name):
	case w.found != nil:
		*w.found = sortKey{number: float64(value)}
	default:
		w.name(name)
		w.out = strconv.AppendInt(w.out, value, 10)
	}
}

// real writes a number with a fraction, 0.0 for what is none.
func (w *writer) real(name string, value float64) {
	switch {
	case !w.wants(name):
	case w.found != nil:
		*w.found = sortKey{number: value}
	default:
		w.name(name)
		w.out = appendReal(w.out, value)
	}
}

func appendReal(out []byte, value float64) []byte {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		value = 0
	}
	if value == math.Trunc(value) && math.Abs(value) < 1e15 {
		return strconv.AppendFloat(out, value, 'f', 1, 64)
	}
	return strconv.AppendFloat(out, value, 'g', -1, 64)
}

func (w *writer) flag(name string, value bool) { w.atom(name, strconv.FormatBool(value)) }

func (w *writer) null(name string) { w.atom(name, "null") }

func (w *writer) atom(name, word string) {
	switch {
	case !w.wants(name):
	case w.found != nil:
		*w.found = sortKey{kind: keyAtom, text: word}
	default:
		w.name(name)
		w.out = append(w.out, word...)
	}
}

// table writes a table of AMQP, all of it.
func (w *writer) table(name string, value amqp.Table) {
	switch {
	case !w.wants(name):
	case w.found != nil:
		*w.found = sortKey{kind: keyList, text: string(value.AppendJSON(nil))}
	default:
		w.name(name)
		w.out = value.AppendJSON(w.out)
	}
}

// raw writes what is JSON already.
func (w *writer) raw(name, json string) {
	switch {
	case !w.wants(name):
	case w.found != nil:
		*w.found = sortKey{kind: keyList, text: json}
	default:
		w.name(name)
		w.out = append(w.out, json...)
	}
}

// begin begins an object in a field. It reports false, and nothing is to be written or ended,
// when that is not wanted.
func (w *writer) begin(name string) bool {
	inside, wanted := w.want.find(name)
	if !wanted {
		return false
	}
	if w.found == nil {
		w.name(name)
		w.out = append(w.out, '{')
	}
	w.outer = append(w.outer, w.want)
	w.want = inside
	return true
}

// end ends an object that begin began.
func (w *writer) end() {
	w.want = w.outer[len(w.outer)-1]
	w.outer = w.outer[:len(w.outer)-1]
	if w.found == nil {
		w.out = append(w.out, '}')
	}
}

// list writes a list of objects in a field: each is called with a function that writes one.
func (w *writer) list(name string, each func(one func(write func()))) {
	if !w.wants(name) || w.found != nil {
		return
	}
	w.name(name)
	w.out = append(w.out, '[')
	w.outer = append(w.outer, w.want)
	w.want, _ = w.want.find(name)
	each(func(write func()) {
		w.comma()
		w.out = append(w.out, '{')
		write()
		w.out = append(w.out, '}')
	})
	w.want = w.outer[len(w.outer)-1]
	w.outer = w.outer[:len(w.outer)-1]
	w.out = append(w.out, ']')
}

// texts writes a list of texts.
func (w *writer) texts(name string, values []string) {
	if w.found != nil || !w.field(name) {
		return
	}
	w.out = append(w.out, '[')
	for _, value := range values {
		w.comma()
		w.out = amqp.AppendTextJSON(w.out, value)
	}
	w.out = append(w.out, ']')
}

// sortKey is a value that lists are sorted by, in Erlang's order: numbers, atoms, lists, texts.
// The zero value is that of a field that is not there.
type sortKey struct {
	kind   uint8
	number float64
	text   string
}

// The kinds of keys in their order; numbers are 0.
const (
	keyAtom = iota + 1
	keyList
	keyText
)

func (k *sortKey) compare(o *sortKey) int {
	if k.kind != o.kind {
		return cmp.Compare(k.kind, o.kind)
	}
	if k.kind == 0 {
		return cmp.Compare(k.number, o.number)
	}
	return strings.Compare(k.text, o.text)
}

// ints writes a list of numbers.
func (w *writer) ints(name string, values ...int64) {
	if w.found != nil || !w.field(name) {
		return
	}
	w.out = append(w.out, '[')
	for _, value := range values {
		w.comma()
		w.out = strconv.AppendInt(w.out, value, 10)
	}
	w.out = append(w.out, ']')
}

// grown is a buffer for about n objects.
func grown(n int) []byte { return slices.Grow([]byte(nil), min(n*objectBytes, objectsBytesMax)) }

const (
	objectBytes     = 1 << 10 // about what an object takes
	objectsBytesMax = 4 << 20 // what is reserved at first
)
