package amqp

import (
	"math"
	"reflect"
	"testing"
)

// value returns what a table holds for v.
func value(t *testing.T, v any) Value {
	t.Helper()
	got, rest, ok := nextValue(appendValue(nil, v))
	if !ok || len(rest) != 0 {
		t.Fatalf("%#v cannot be read", v)
	}
	return got
}

// wire returns the value of a letter and its bytes.
func wire(t *testing.T, kind byte, data string) Value {
	return Value{Type: kind, Data: unhex(t, data)}
}

func TestIntegersOfEveryTypeAreRead(t *testing.T) {
	for _, c := range []struct {
		kind byte
		data string
		want int64
	}{
		{TypeInt8, "80", -128}, {TypeInt8, "7f", 127},
		{TypeUint8, "80", 128}, {TypeUint8, "ff", 255},
		{TypeInt16, "8000", math.MinInt16}, {TypeInt16, "7fff", math.MaxInt16},
		{TypeUint16, "8000", 1 << 15}, {TypeUint16, "ffff", math.MaxUint16},
		{TypeInt32, "80000000", math.MinInt32}, {TypeInt32, "7fffffff", math.MaxInt32},
		{TypeUint32, "80000000", 1 << 31}, {TypeUint32, "ffffffff", math.MaxUint32},
		{TypeInt64, "8000000000000000", math.MinInt64},
		{TypeInt64Other, "ffffffffffffffff", -1},
		{TypeInt64Other, "7fffffffffffffff", math.MaxInt64},
	} {
		v := wire(t, c.kind, c.data)
		if n, ok := v.Int64(); n != c.want || !ok {
			t.Errorf("%c %s: %d, %t", c.kind, c.data, n, ok)
		}
		n, ok := value(t, v.Any()).Int64()
		if n != c.want || !ok {
			t.Errorf("%c %s: again %d, %t", c.kind, c.data, n, ok)
		}
	}
}

func TestValuesSayWhatTheyAreNot(t *testing.T) {
	all := []any{true, int8(1), uint8(1), int16(1), uint16(1), int32(1), uint32(1), int64(1),
		float32(1), 1.0, Decimal{1, 1}, "s", []byte("x"), []any{}, map[string]any{},
		Timestamp(1), nil}
	for _, x := range append(all, Value{}) {
		v, ok := x.(Value) // the zero value has no type
		if !ok {
			v = value(t, x)
		}
		_, isInt := v.Int64()
		_, isFloat := v.Float64()
		_, isText := v.Text()
		_, isBool := v.Bool()
		_, isTime := v.Timestamp()
		_, isTable := v.Table()
		got := []bool{isBool, isFloat, isText, isTime, isTable, isInt}
		want := make([]bool, 6)
		switch v.Type {
		case TypeBool:
			want[0] = true
		case TypeFloat32, TypeFloat64:
			want[1] = true
		case TypeText:
			want[2] = true
		case TypeTimestamp:
			want[3] = true
		case TypeTable:
			want[4] = true
		case TypeInt8, TypeUint8, TypeInt16, TypeUint16, TypeInt32, TypeUint32, TypeInt64:
			want[5] = true
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%T: %v", x, got)
		}
		v.Each(func(Value) bool { t.Errorf("%T has elements", x); return true })
	}
}

func TestValuesMadeByHandNeverPanic(t *testing.T) {
	for kind := range 256 {
		for n := range 10 {
			v := Value{Type: byte(kind), Data: make([]byte, n)}
			v.Any()
			v.Int64()
			v.Float64()
			v.Bool()
			v.Timestamp()
			if !v.Equal(v) && v.Type != TypeFloat32 && v.Type != TypeFloat64 {
				t.Errorf("%c with %d octets is not equal to itself", kind, n)
			}
			v.Equal(Value{Type: byte(kind)})
		}
	}
}

func TestBooleansAreTrueUnlessZero(t *testing.T) {
	for data, want := range map[string]bool{"00": false, "01": true, "02": true, "ff": true} {
		if got, ok := wire(t, TypeBool, data).Bool(); got != want || !ok {
			t.Errorf("%s: %t, %t", data, got, ok)
		}
	}
}

func TestNumbersAreEqualWhateverTheirSize(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{int8(5), int64(5), true}, {uint8(200), int32(200), true}, {int8(-1), uint8(255), false},
		{uint32(math.MaxUint32), int64(math.MaxUint32), true},
		{int32(-1), uint32(math.MaxUint32), false},
		{float32(1.5), 1.5, true}, {0.0, math.Copysign(0, -1), true}, {nan, nan, true},
		{nan, 1.0, false}, {int32(1), 1.0, false}, {int32(1), Timestamp(1), false},
		{"a", "a", true}, {"a", "b", false}, {"a", []byte("a"), false}, {"1", 1, false},
		{nil, nil, true}, {nil, "", false}, {true, true, true}, {true, false, false},
		{true, int8(1), false}, {Decimal{1, 10}, Decimal{0, 1}, false},
		{Decimal{1, 10}, Decimal{1, 10}, true},
		{[]any{1, "x"}, []any{int64(1), "x"}, true}, {[]any{1, 2}, []any{2, 1}, false},
		{[]any{1}, []any{1, 2}, false}, {[]any{}, map[string]any{}, false},
		{[]any{[]any{int8(1)}}, []any{[]any{int16(1)}}, true},
		{map[string]any{"k": []any{int8(1)}}, map[string]any{"k": []any{int16(1)}}, true},
		{map[string]any{"k": 1}, map[string]any{"k": 2}, false},
	} {
		a, b := value(t, c.a), value(t, c.b)
		if a.Equal(b) != c.want || b.Equal(a) != c.want {
			t.Errorf("%#v and %#v: not %t", c.a, c.b, c.want)
		}
	}
	if yes := wire(t, TypeBool, "02"); !yes.Equal(value(t, true)) {
		t.Error("two ways to write true are not equal")
	}
}

func TestElementsOfAnArrayAreVisitedUntilToldToStop(t *testing.T) {
	var got []any
	value(t, []any{1, "x", nil, 4}).Each(func(element Value) bool {
		got = append(got, element.Any())
		return len(got) < 3
	})
	if !reflect.DeepEqual(got, []any{int32(1), "x", nil}) {
		t.Errorf("%#v", got)
	}
}

func TestEveryLetterOfRabbitMQAndNoOtherIsKnown(t *testing.T) {
	for kind := range 256 {
		known := false
		for _, letter := range "tbBsuIilLfdDSAFTVx" {
			known = known || kind == int(letter)
		}
		_, _, ok := nextValue(append([]byte{byte(kind)}, make([]byte, 8)...))
		if ok != known {
			t.Errorf("letter %q: known is %t", rune(kind), ok)
		}
	}
}
