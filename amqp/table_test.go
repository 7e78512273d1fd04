package amqp

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMalformedTablesAreRefused(t *testing.T) {
	const (
		field   = "SYNTAX_ERROR - malformed field table: field cannot be decoded (502)"
		element = "SYNTAX_ERROR - malformed field table: array element cannot be decoded (502)"
	)
	for _, c := range []struct{ name, in, want string }{
		{"key longer than the table", "05 61", field},
		{"key without a type", "01 61", field},
		{"empty key without a type", "00", field},
		{"type that does not exist", "01 61 51", field},
		{"type 0", "01 61 00", field},
		{"bool without value", "01 61 74", field},
		{"short int64", "01 61 6c 00000000000000", field},
		{"short decimal", "01 61 44 00000000", field},
		{"text without length", "01 61 53", field},
		{"text with half a length", "01 61 53 0000", field},
		{"text longer than the table", "01 61 53 00000002 61", field},
		{"text of 2^31", "01 61 53 80000000 61", field},
		{"negative length of bytes", "01 61 78 ffffffff", field},
		{"negative length of an array", "01 61 41 fffffffe", field},
		{"negative length of a table", "01 61 46 ffffffff", field},
		{"second field", "00 56 01", field},
		{"inner table", "00 46 00000002 0161", field},
		{"inner array", "00 41 00000001 74", element},
		{"array in an array", "00 41 00000006 41 00000001 74", element},
		{"inner table takes from outside", "00 46 00000002 0074 01", field},
	} {
		wantText(t, c.name, Table(unhex(t, c.in)).Validate(), c.want)
		args := append([]byte{0, 0, 0, 0}, appendTable(nil, unhex(t, c.in))...)
		wantCode(t, c.name, new(QueueDeclare).Decode(args), SyntaxError)
	}
}

// nested returns tables, or a table of arrays, of this depth.
func nested(depth int, kind byte) Table {
	var b []byte
	for range depth - 1 {
		inner := b
		if kind == TypeTable {
			b = []byte{0}
		} else {
			b = nil
		}
		b = appendTable(append(b, kind), inner)
	}
	if kind == TypeArray && depth > 1 {
		b = append([]byte{0}, b...)
	}
	return b
}

func TestTableDepthIsLimited(t *testing.T) {
	for _, kind := range []byte{TypeTable, TypeArray} {
		if err := nested(TableDepthMax, kind).Validate(); err != nil {
			t.Errorf("%c: %v", kind, err)
		}
		const want = "SYNTAX_ERROR - malformed field table: nested too deep (502)"
		wantText(t, string(kind), nested(TableDepthMax+1, kind).Validate(), want)
		wantText(t, string(kind), nested(10000, kind).Validate(), want)
	}
}

func TestTablesNestedTooDeepAreReadToTheLimit(t *testing.T) {
	for _, kind := range []byte{TypeTable, TypeArray} {
		deep := nested(10000, kind)
		levels := strings.Count(fmt.Sprint(deep.Map()), "[")
		if levels != TableDepthMax+1 { // and the empty one that stands for the rest
			t.Errorf("%c: %d levels", kind, levels)
		}
		other := deep.Clone()
		other[len(other)-1]++ // differs at the bottom, if anybody looked there
		if deep.Equal(other) {
			t.Errorf("%c: equal beyond the limit", kind)
		}
	}
}

func TestTableNodesAreLimited(t *testing.T) {
	fields := Table(strings.Repeat("\x00V", TableNodesMax))
	array := appendTable([]byte{0, TypeArray}, []byte(strings.Repeat("V", TableNodesMax-1)))
	const want = "SYNTAX_ERROR - malformed field table: too many fields (502)"
	for _, table := range []Table{fields, array} {
		if err := table.Validate(); err != nil {
			t.Error(err)
		}
		wantText(t, "one more", append(table, 0, TypeVoid).Validate(), want)
	}
	if n := fields.Len(); n != TableNodesMax {
		t.Errorf("%d fields", n)
	}
}

func TestOnMalformedTablesMethodsStopAtTheMistake(t *testing.T) {
	whole := NewTable(map[string]any{"a": 1, "b": "text", "c": []any{1, 2}})
	for n := range len(whole) {
		cut := whole[:n:n]
		count := 0
		cut.Each(func([]byte, Value) bool { count++; return true })
		if count != cut.Len() || count != len(cut.Map()) {
			t.Errorf("%d octets: %d, %d, %d fields", n, count, cut.Len(), len(cut.Map()))
		}
		if _, ok := cut.Lookup("c"); ok {
			t.Errorf("%d octets: found c", n)
		}
	}
}

func TestEachStopsWhenTold(t *testing.T) {
	var keys []string
	NewTable(map[string]any{"a": 1, "b": 2, "c": 3}).Each(func(key []byte, _ Value) bool {
		keys = append(keys, string(key))
		return len(keys) < 2
	})
	if strings.Join(keys, "") != "ab" {
		t.Errorf("keys %v", keys)
	}
}

func TestFirstOfRepeatedKeysCounts(t *testing.T) {
	table := append(NewTable(map[string]any{"k": 1}), NewTable(map[string]any{"k": 2})...)
	v, _ := table.Lookup("k")
	n, _ := v.Int64()
	if n != 1 || table.Len() != 2 || table.Map()["k"] != int32(1) {
		t.Errorf("%d, %d fields, %v", n, table.Len(), table.Map())
	}
	if !table.Equal(NewTable(map[string]any{"k": 1})) {
		t.Error("not equal to a table of the first alone")
	}
}

func TestTablesAreEqualInAnyOrder(t *testing.T) {
	one := func(key string, value any) Table { return NewTable(map[string]any{key: value}) }
	a, b := one("a", 1), one("b", "x")
	for _, c := range []struct {
		name string
		a, b Table
		want bool
	}{
		{"empty and none", Table{}, nil, true},
		{"same", a, a.Clone(), true},
		{"other order", append(a.Clone(), b...), append(b.Clone(), a...), true},
		{"less", append(a.Clone(), b...), a, false},
		{"more", a, append(a.Clone(), b...), false},
		{"other value", a, one("a", 2), false},
		{"other key", a, one("b", 1), false},
		{"other size of number", a, one("a", int64(1)), true},
		{"inner order", one("t", append(a.Clone(), b...)), one("t", append(b.Clone(), a...)), true},
		{"inner difference", one("t", append(a.Clone(), b...)), one("t", a), false},
	} {
		if c.a.Equal(c.b) != c.want || c.b.Equal(c.a) != c.want {
			t.Errorf("%s: not %t", c.name, c.want)
		}
	}
}

func TestLargeTablesAreComparedInLittleTime(t *testing.T) {
	// Searching key by key, this would take the square of the number of fields.
	var forth, back Table
	for i := range TableNodesMax {
		forth = append(forth, 3, byte(i>>16), byte(i>>8), byte(i), TypeVoid)
		j := TableNodesMax - 1 - i
		back = append(back, 3, byte(j>>16), byte(j>>8), byte(j), TypeVoid)
	}
	repeated := Table(strings.Repeat("\x00V", TableNodesMax))
	if !forth.Equal(back) || forth.Equal(repeated) || repeated.Equal(back) {
		t.Error("compared wrongly")
	}
}

func TestDeepTablesAreComparedInLittleTime(t *testing.T) {
	// Equal, but not octet by octet, and with every key twice: comparing a pair more than once
	// on any level would never end.
	deep := func(leaf any) Table {
		table := NewTable(map[string]any{"k": leaf})
		for range TableDepthMax - 1 {
			inner := appendValue([]byte{1, 'k'}, table)
			table = append(inner, 1, 'k', TypeVoid)
		}
		return table
	}
	a, b := deep(int8(1)), deep(int16(1))
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	if !a.Equal(b) || a.Equal(deep(int8(2))) {
		t.Error("compared wrongly")
	}
}

func TestTablesAreComparedAlikeWhetherFewOrMany(t *testing.T) {
	for n := range 3 * fewFields {
		a, b := map[string]any{}, map[string]any{}
		for i := range n {
			a[fmt.Sprint(i)], b[fmt.Sprint(i)] = int8(i), int64(i)
		}
		if !NewTable(a).Equal(NewTable(b)) {
			t.Errorf("%d fields are not equal", n)
		}
		b["more"] = 1
		if NewTable(a).Equal(NewTable(b)) || NewTable(b).Equal(NewTable(a)) {
			t.Errorf("%d and %d fields are equal", n, n+1)
		}
		a["other"] = 1
		if NewTable(a).Equal(NewTable(b)) {
			t.Errorf("%d fields are equal with another key", n+1)
		}
	}
}

func TestNewTableSortsKeysAndGivesTypes(t *testing.T) {
	table := NewTable(map[string]any{
		"z": nil, "b": true, "a": "text", "c": []byte{1}, "i": 5, "j": uint64(1 << 40),
		"u": uint64(7),
		"v": uint(33), "f": map[string]any{"k": 1}, "g": Table{}, "h": []any{1, "x"},
		"l": []string{"x"}, "m": int64(1), "t": Timestamp(3), "w": float32(1), "x": 1.5,
		"y": Decimal{1, 2},
	})
	var letters string
	var keys []string
	table.Each(func(key []byte, v Value) bool {
		keys = append(keys, string(key))
		letters += string(v.Type)
		return true
	})
	if strings.Join(keys, "") != "abcfghijlmtuvwxyz" || letters != "StxFFAIlAlTIIfdDV" {
		t.Errorf("%v %s", keys, letters)
	}
	if err := table.Validate(); err != nil {
		t.Error(err)
	}
	if NewTable(nil) != nil || NewTable(map[string]any{}) == nil {
		t.Error("nil and empty are not told apart")
	}
}

func TestNewTableCutsKeysAndRefusesForeignTypes(t *testing.T) {
	table := NewTable(map[string]any{strings.Repeat("k", 300): 1})
	if _, ok := table.Lookup(strings.Repeat("k", ShortStrMax)); !ok || table.Validate() != nil {
		t.Errorf("%q", table)
	}
	for _, value := range []any{uint64(1 << 63), struct{}{}, []int{1}} {
		func() {
			defer func() {
				text := fmt.Sprint(recover())
				if !strings.HasPrefix(text, "amqp: no field table type") {
					t.Errorf("%T: %s", value, text)
				}
			}()
			NewTable(map[string]any{"k": value})
		}()
	}
}

func TestMapsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOf(rapid.StringN(0, 20, 200), anyValue(3)).Draw(t, "map")
		table := NewTable(m)
		if err := table.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := table.Map(); !reflect.DeepEqual(got, m) {
			t.Fatalf("%#v came back as %#v", m, got)
		}
		if !table.Equal(NewTable(table.Map())) {
			t.Fatal("not equal to itself")
		}
	})
}

// anyValue draws what Value.Any returns.
func anyValue(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.SliceOf(rapid.Byte()).AsAny(), rapid.Int8().AsAny(), rapid.Uint8().AsAny(),
		rapid.Int16().AsAny(), rapid.Uint16().AsAny(), rapid.Int32().AsAny(),
		rapid.Uint32().AsAny(), rapid.Int64().AsAny(), rapid.Float32().AsAny(),
		rapid.Float64().AsAny(),
		rapid.Custom(func(t *rapid.T) any { return Timestamp(rapid.Uint64().Draw(t, "t")) }),
		rapid.Custom(func(t *rapid.T) any {
			return Decimal{rapid.Uint8().Draw(t, "scale"), rapid.Uint32().Draw(t, "value")}
		}),
	}
	if depth > 0 {
		inner := anyValue(depth - 1)
		kinds = append(kinds, rapid.SliceOfN(inner, 0, 5).AsAny(),
			rapid.MapOfN(rapid.StringN(0, 10, 50), inner, 0, 5).AsAny())
	}
	return rapid.OneOf(kinds...)
}
