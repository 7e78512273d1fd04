package amqp

import (
	"maps"
	"math"
	"slices"
)

const (
	// TableDepthMax is how deep tables and arrays may nest; the outermost table counts as 1.
	TableDepthMax = 64
	// TableNodesMax is how many fields and array elements a table may have on all levels.
	TableNodesMax = 1 << 16
)

// Table is a field table as on the wire, without the length before it: a sequence of
//
//	| key 1+n | type letter 1 | value |
//
// A table from a Decode or Parse function of this package is valid and aliases what it was
// decoded from; NewTable makes one of its own. On a table that is not valid the methods stop
// at the first malformed field. Nobody writes to a table: it may be read concurrently. Where
// a key occurs twice, the first one counts.
type Table []byte

// Validate tells whether all of the table can be read: lengths, type letters, TableDepthMax
// and TableNodesMax. It does not allocate unless it fails; the error is an *Error with code
// SyntaxError.
func (t Table) Validate() error {
	if err := t.check(); err != nil {
		return err
	}
	return nil
}

func (t Table) check() *Error {
	if len(t) == 0 {
		return nil
	}
	var c tableChecker
	if wrong := c.table(t, 1); wrong != "" {
		return NewError(SyntaxError, "malformed field table: %s", wrong)
	}
	return nil
}

// tableChecker counts nodes. Its methods return what is wrong, "" for nothing.
type tableChecker struct{ nodes int }

func (c *tableChecker) table(b []byte, depth int) string {
	if depth > TableDepthMax {
		return "nested too deep"
	}
	for len(b) > 0 {
		_, v, rest, ok := nextField(b)
		if !ok {
			return "field cannot be decoded"
		}
		if wrong := c.value(v, depth); wrong != "" {
			return wrong
		}
		b = rest
	}
	return ""
}

func (c *tableChecker) array(b []byte, depth int) string {
	if depth > TableDepthMax {
		return "nested too deep"
	}
	for len(b) > 0 {
		v, rest, ok := nextValue(b)
		if !ok {
			return "array element cannot be decoded"
		}
		if wrong := c.value(v, depth); wrong != "" {
			return wrong
		}
		b = rest
	}
	return ""
}

func (c *tableChecker) value(v Value, depth int) string {
	if c.nodes++; c.nodes > TableNodesMax {
		return "too many fields"
	}
	switch v.Type {
	case TypeTable:
		return c.table(v.Data, depth+1)
	case TypeArray:
		return c.array(v.Data, depth+1)
	}
	return ""
}

// nextField takes the first field off b.
func nextField(b []byte) (key []byte, v Value, rest []byte, ok bool) {
	n := 1 + int(b[0])
	if n >= len(b) { // a type letter follows
		return nil, Value{}, nil, false
	}
	v, rest, ok = nextValue(b[n:])
	return b[1:n:n], v, rest, ok
}

// Each calls f with the fields in their order until f returns false. Keys and values alias
// the table. It does not allocate.
func (t Table) Each(f func(key []byte, v Value) bool) {
	for b := []byte(t); len(b) > 0; {
		key, v, rest, ok := nextField(b)
		if !ok || !f(key, v) {
			return
		}
		b = rest
	}
}

// Lookup returns the value of a key. The value aliases the table. It does not allocate.
func (t Table) Lookup(key string) (Value, bool) {
	for b := []byte(t); len(b) > 0; {
		k, v, rest, ok := nextField(b)
		if !ok {
			break
		}
		if string(k) == key {
			return v, true
		}
		b = rest
	}
	return Value{}, false
}

// Len returns the number of fields, repeated keys included.
func (t Table) Len() int {
	n := 0
	for b := []byte(t); len(b) > 0; n++ {
		_, _, rest, ok := nextField(b)
		if !ok {
			break
		}
		b = rest
	}
	return n
}

// Clone returns a table that aliases nothing; nil stays nil.
func (t Table) Clone() Table { return slices.Clone(t) }

// Equal tells whether both tables have the same keys with equal values (see Value.Equal), in
// any order.
func (t Table) Equal(o Table) bool { return t.equal(o, 1) }

// equal compares every pair of values once: comparing both ways would take time in the power
// of the depth, searching key by key in the square of the size.
func (t Table) equal(o Table, depth int) bool {
	if string(t) == string(o) {
		return true
	}
	if depth > TableDepthMax {
		return false
	}
	var bufT, bufO [fewFields]field
	if mine, ok := t.fields(&bufT); ok {
		other, ok := o.fields(&bufO)
		return ok && equalFields(mine, other, depth)
	}
	mine, other := t.index(), o.index()
	for key, v := range mine {
		w, ok := other[key]
		if !ok || !v.equal(w, depth) {
			return false
		}
	}
	return len(mine) == len(other)
}

type field struct {
	key   []byte
	value Value
}

// fewFields is up to how many different keys searching is cheaper than a map.
const fewFields = 8

// fields lists the fields without the repeated ones in buf, false when there are too many.
func (t Table) fields(buf *[fewFields]field) ([]field, bool) {
	n := 0
	for b := []byte(t); len(b) > 0; {
		key, v, rest, ok := nextField(b)
		if !ok {
			break
		}
		b = rest
		if _, repeated := find(buf[:n], key); repeated {
			continue
		}
		if n == len(buf) {
			return nil, false
		}
		buf[n] = field{key, v}
		n++
	}
	return buf[:n], true
}

func find(fields []field, key []byte) (Value, bool) {
	for _, f := range fields {
		if string(f.key) == string(key) {
			return f.value, true
		}
	}
	return Value{}, false
}

func equalFields(a, b []field, depth int) bool {
	for _, f := range a {
		v, ok := find(b, f.key)
		if !ok || !f.value.equal(v, depth) {
			return false
		}
	}
	return len(a) == len(b)
}

// index returns the first value of every key.
func (t Table) index() map[string]Value {
	values := make(map[string]Value)
	t.Each(func(key []byte, v Value) bool {
		if _, ok := values[string(key)]; !ok {
			values[string(key)] = v
		}
		return true
	})
	return values
}

// Map returns the fields as Go values of their own: see Value.Any.
func (t Table) Map() map[string]any { return t.toMap(1) }

func (t Table) toMap(depth int) map[string]any {
	m := make(map[string]any)
	if depth > TableDepthMax {
		return m
	}
	t.Each(func(key []byte, v Value) bool {
		if _, ok := m[string(key)]; !ok {
			m[string(key)] = v.toAny(depth)
		}
		return true
	})
	return m
}

// NewTable returns a table with the keys in sorted order. Go types become:
//
//	bool t, string S, []byte x, nil V, Timestamp T, Decimal D, float32 f, float64 d,
//	int8 b, uint8 B, int16 s, uint16 u, int32 I, uint32 i, int64 l,
//	int, uint, uint64 I when it fits and l otherwise,
//	map[string]any and Table F, []any and []string A
//
// These are the types of Value.Any, and a few that programs write down; a value of another
// type, or an unsigned one above the greatest int64, panics: it is a mistake of the program.
// Keys and strings that are too long are cut (see ShortStrMax). Maps that a peer has nested
// may exceed TableDepthMax: Validate the result. An empty map gives an empty table, nil nil.
func NewTable(m map[string]any) Table {
	if m == nil {
		return nil
	}
	return appendMap(Table{}, m)
}

func appendMap(dst []byte, m map[string]any) []byte {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		dst = appendShortstr(dst, key)
		dst = appendValue(dst, m[key])
	}
	return dst
}

// fitsInt32 tells which letter a number without a size of its own gets.
func fitsInt32(n int64) bool { return n >= math.MinInt32 && n <= math.MaxInt32 }
