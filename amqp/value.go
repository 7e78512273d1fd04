package amqp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Type letters of values, as RabbitMQ has them. They differ from the specification's text,
// which no broker and no client follows.
const (
	TypeBool       = 't' // 1 octet, 0 is false
	TypeInt8       = 'b'
	TypeUint8      = 'B'
	TypeInt16      = 's'
	TypeUint16     = 'u'
	TypeInt32      = 'I'
	TypeUint32     = 'i'
	TypeInt64      = 'l'
	TypeInt64Other = 'L' // read like TypeInt64, never written
	TypeFloat32    = 'f'
	TypeFloat64    = 'd'
	TypeDecimal    = 'D' // scale uint8, unscaled value uint32
	TypeText       = 'S' // length uint32, bytes
	TypeBytes      = 'x' // length uint32, bytes
	TypeArray      = 'A' // length uint32 in octets, values with their letters
	TypeTable      = 'F' // length uint32 in octets, fields
	TypeTimestamp  = 'T' // seconds since 1970, uint64
	TypeVoid       = 'V' // nothing
)

// Timestamp is seconds since 1970, the value of type letter T.
type Timestamp uint64

// Decimal is Value divided by 10 to the power of Scale, the value of type letter D.
type Decimal struct {
	Scale uint8
	Value uint32
}

// Value is one value of a table or array. Data aliases the table: it is what follows the type
// letter, for S, x, A and F what follows the length. The zero Value has no type, and every
// method says so.
type Value struct {
	Type byte
	Data []byte
}

// valueSizes holds, by letter, 1 more than the size of the value, or prefixed; 0 is no type.
var valueSizes = [256]uint8{
	TypeBool: 2, TypeInt8: 2, TypeUint8: 2, TypeInt16: 3, TypeUint16: 3, TypeInt32: 5,
	TypeUint32: 5, TypeInt64: 9, TypeInt64Other: 9, TypeFloat32: 5, TypeFloat64: 9,
	TypeDecimal: 6, TypeTimestamp: 9, TypeVoid: 1,
	TypeText: prefixed, TypeBytes: prefixed, TypeArray: prefixed, TypeTable: prefixed,
}

const prefixed = 255 // a uint32 says the size

// nextValue takes the first value, with its letter, off b, which is not empty.
func nextValue(b []byte) (v Value, rest []byte, ok bool) {
	kind := b[0]
	b = b[1:]
	n := int(valueSizes[kind]) - 1
	switch n {
	case -1:
		return Value{}, nil, false
	case prefixed - 1:
		if len(b) < 4 {
			return Value{}, nil, false
		}
		size := binary.BigEndian.Uint32(b)
		if size > LongStrMax {
			return Value{}, nil, false
		}
		n, b = int(size), b[4:]
	}
	if n > len(b) {
		return Value{}, nil, false
	}
	return Value{Type: kind, Data: b[:n:n]}, b[n:], true
}

// Int64 returns a value of any integer type.
func (v Value) Int64() (int64, bool) {
	if n := int(valueSizes[v.Type]) - 1; n != len(v.Data) {
		return 0, false // also when somebody made the Value by hand
	}
	switch v.Type {
	case TypeInt8:
		return int64(int8(v.Data[0])), true
	case TypeUint8:
		return int64(v.Data[0]), true
	case TypeInt16:
		return int64(int16(binary.BigEndian.Uint16(v.Data))), true
	case TypeUint16:
		return int64(binary.BigEndian.Uint16(v.Data)), true
	case TypeInt32:
		return int64(int32(binary.BigEndian.Uint32(v.Data))), true
	case TypeUint32:
		return int64(binary.BigEndian.Uint32(v.Data)), true
	case TypeInt64, TypeInt64Other:
		return int64(binary.BigEndian.Uint64(v.Data)), true
	}
	return 0, false
}

// Float64 returns a value of either floating point type.
func (v Value) Float64() (float64, bool) {
	switch {
	case v.Type == TypeFloat32 && len(v.Data) == 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v.Data))), true
	case v.Type == TypeFloat64 && len(v.Data) == 8:
		return math.Float64frombits(binary.BigEndian.Uint64(v.Data)), true
	}
	return 0, false
}

// Text returns a value of type S. It aliases the table, and need not be UTF-8.
func (v Value) Text() ([]byte, bool) { return v.Data, v.Type == TypeText }

// Bool returns a value of type t.
func (v Value) Bool() (value, ok bool) {
	if v.Type != TypeBool || len(v.Data) != 1 {
		return false, false
	}
	return v.Data[0] != 0, true
}

// Timestamp returns a value of type T.
func (v Value) Timestamp() (Timestamp, bool) {
	if v.Type != TypeTimestamp || len(v.Data) != 8 {
		return 0, false
	}
	return Timestamp(binary.BigEndian.Uint64(v.Data)), true
}

// Table returns a value of type F. It aliases the table around it.
func (v Value) Table() (Table, bool) { return Table(v.Data), v.Type == TypeTable }

// Each calls f with the elements of a value of type A until f returns false, and never for
// another type. Elements alias the table. It does not allocate.
func (v Value) Each(f func(element Value) bool) {
	if v.Type != TypeArray {
		return
	}
	for b := v.Data; len(b) > 0; {
		element, rest, ok := nextValue(b)
		if !ok || !f(element) {
			return
		}
		b = rest
	}
}

// Any returns the value as a Go value of its own: the first type that NewTable's list has for
// the letter, int64 for L, map[string]any for F, []any for A. NewTable makes the same value
// of it again. It returns nil for V.
func (v Value) Any() any { return v.toAny(1) }

func (v Value) toAny(depth int) any {
	if n, ok := v.Int64(); ok {
		return sizedInt(v.Type, n)
	}
	switch v.Type {
	case TypeBool:
		b, _ := v.Bool()
		return b
	case TypeFloat32:
		if len(v.Data) == 4 { // a detour by float64 would change some NaNs
			return math.Float32frombits(binary.BigEndian.Uint32(v.Data))
		}
	case TypeFloat64:
		f, _ := v.Float64()
		return f
	case TypeDecimal:
		if len(v.Data) == 5 {
			return Decimal{Scale: v.Data[0], Value: binary.BigEndian.Uint32(v.Data[1:])}
		}
	case TypeText:
		return string(v.Data)
	case TypeBytes:
		return append([]byte{}, v.Data...)
	case TypeTimestamp:
		t, _ := v.Timestamp()
		return t
	case TypeTable:
		return Table(v.Data).toMap(depth + 1)
	case TypeArray:
		return v.toSlice(depth + 1)
	}
	return nil
}

func (v Value) toSlice(depth int) []any {
	s := []any{}
	if depth > TableDepthMax {
		return s
	}
	v.Each(func(element Value) bool {
		s = append(s, element.toAny(depth))
		return true
	})
	return s
}

// sizedInt returns the number in the Go type of the letter.
func sizedInt(kind byte, n int64) any {
	switch kind {
	case TypeInt8:
		return int8(n)
	case TypeUint8:
		return uint8(n)
	case TypeInt16:
		return int16(n)
	case TypeUint16:
		return uint16(n)
	case TypeInt32:
		return int32(n)
	case TypeUint32:
		return uint32(n)
	}
	return n
}

// Equal compares as RabbitMQ does where it compares arguments and headers: integers by their
// number and floats by theirs, whatever their size; every other value by type and bytes.
// Tables are equal as Table.Equal says, arrays element by element.
func (v Value) Equal(o Value) bool { return v.equal(o, 1) }

func (v Value) equal(o Value, depth int) bool {
	if a, ok := v.Int64(); ok {
		b, ok := o.Int64()
		return ok && a == b
	}
	if v.Type == o.Type && bytes.Equal(v.Data, o.Data) {
		return true
	}
	if a, ok := v.Float64(); ok {
		b, ok := o.Float64()
		return ok && a == b
	}
	switch {
	case v.Type != o.Type:
		return false
	case v.Type == TypeTable:
		return Table(v.Data).equal(Table(o.Data), depth+1)
	case v.Type == TypeArray:
		return v.equalArray(o, depth+1)
	case v.Type == TypeBool:
		a, _ := v.Bool()
		b, _ := o.Bool()
		return a == b
	}
	return false
}

func (v Value) equalArray(o Value, depth int) bool {
	if depth > TableDepthMax {
		return false
	}
	a, b := v.Data, o.Data
	for len(a) > 0 && len(b) > 0 {
		x, restA, okA := nextValue(a)
		y, restB, okB := nextValue(b)
		if !okA || !okB || !x.equal(y, depth) {
			return false
		}
		a, b = restA, restB
	}
	return len(a) == 0 && len(b) == 0
}

// appendValue appends the letter and the value: see NewTable.
func appendValue(dst []byte, value any) []byte {
	be := binary.BigEndian
	switch v := value.(type) {
	case nil:
		return append(dst, TypeVoid)
	case bool:
		return append(dst, TypeBool, bit(v, 0))
	case string:
		return appendLongstr(append(dst, TypeText), v)
	case []byte:
		return appendLongstr(append(dst, TypeBytes), string(v))
	case int8:
		return append(dst, TypeInt8, uint8(v))
	case uint8:
		return append(dst, TypeUint8, v)
	case int16:
		return be.AppendUint16(append(dst, TypeInt16), uint16(v))
	case uint16:
		return be.AppendUint16(append(dst, TypeUint16), v)
	case int32:
		return be.AppendUint32(append(dst, TypeInt32), uint32(v))
	case uint32:
		return be.AppendUint32(append(dst, TypeUint32), v)
	case int64:
		return be.AppendUint64(append(dst, TypeInt64), uint64(v))
	case int:
		return appendInt(dst, int64(v))
	case uint:
		return appendUint(dst, uint64(v))
	case uint64:
		return appendUint(dst, v)
	case float32:
		return be.AppendUint32(append(dst, TypeFloat32), math.Float32bits(v))
	case float64:
		return be.AppendUint64(append(dst, TypeFloat64), math.Float64bits(v))
	case Decimal:
		return be.AppendUint32(append(dst, TypeDecimal, v.Scale), v.Value)
	case Timestamp:
		return be.AppendUint64(append(dst, TypeTimestamp), uint64(v))
	}
	return appendCompound(dst, value)
}

// appendInt appends a number without a size of its own, as clients do: I when it fits.
func appendInt(dst []byte, n int64) []byte {
	if fitsInt32(n) {
		return appendValue(dst, int32(n))
	}
	return appendValue(dst, n)
}

func appendUint(dst []byte, n uint64) []byte {
	if n > math.MaxInt64 {
		panic(fmt.Sprintf("amqp: no field table type holds %d", n))
	}
	return appendInt(dst, int64(n))
}

// appendCompound appends what a length stands before.
func appendCompound(dst []byte, value any) []byte {
	kind, start := byte(TypeTable), len(dst)+5
	dst = slices.Grow(dst, 5)[:start]
	switch v := value.(type) {
	case Table:
		dst = append(dst, v...)
	case map[string]any:
		dst = appendMap(dst, v)
	case []any:
		kind = TypeArray
		for _, element := range v {
			dst = appendValue(dst, element)
		}
	case []string:
		kind = TypeArray
		for _, element := range v {
			dst = appendValue(dst, element)
		}
	default:
		panic(fmt.Sprintf("amqp: no field table type holds a %T", value))
	}
	dst[start-5] = kind
	binary.BigEndian.PutUint32(dst[start-4:], uint32(len(dst)-start))
	return dst
}
