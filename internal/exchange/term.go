package exchange

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/warrenmq/warren/amqp"
)

// RabbitMQ turns each value of a field table into a term of its language, and compares and
// prints that. What clients see of it, in reply texts and in what a headers exchange matches,
// is here: a term does not know the type letter it came from.

// TermType returns RabbitMQ's name for the type of a value, such as "longstr".
func TermType(v amqp.Value) string {
	switch v.Type {
	case amqp.TypeText:
		return "longstr"
	case amqp.TypeInt32:
		return "signedint"
	case amqp.TypeDecimal:
		return "decimal"
	case amqp.TypeTimestamp:
		return "timestamp"
	case amqp.TypeTable:
		return "table"
	case amqp.TypeInt8:
		return "byte"
	case amqp.TypeFloat64:
		return "double"
	case amqp.TypeFloat32:
		return "float"
	case amqp.TypeInt64, amqp.TypeInt64Other:
		return "long"
	case amqp.TypeInt16:
		return "short"
	case amqp.TypeBool:
		return "bool"
	case amqp.TypeBytes:
		return "binary"
	case amqp.TypeVoid:
		return "void"
	case amqp.TypeArray:
		return "array"
	case amqp.TypeUint8:
		return "unsignedbyte"
	case amqp.TypeUint16:
		return "unsignedshort"
	case amqp.TypeUint32:
		return "unsignedint"
	}
	return "undefined"
}

// TermText returns a value as RabbitMQ prints its term, on one line.
func TermText(v amqp.Value) string { return string(appendTerm(nil, v)) }

func appendTerm(dst []byte, v amqp.Value) []byte {
	switch v.Type {
	case amqp.TypeText, amqp.TypeBytes:
		return appendBinary(dst, v.Data)
	case amqp.TypeTable:
		return appendTableTerm(dst, amqp.Table(v.Data))
	case amqp.TypeArray:
		return appendArrayTerm(dst, v)
	case amqp.TypeFloat32, amqp.TypeFloat64:
		f, _ := v.Float64()
		return appendFloat(dst, f)
	case amqp.TypeTimestamp:
		t, _ := v.Timestamp()
		return strconv.AppendUint(dst, uint64(t), 10)
	case amqp.TypeBool:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b)
	case amqp.TypeDecimal:
		if len(v.Data) == 5 {
			dst = strconv.AppendUint(append(dst, '{'), uint64(v.Data[0]), 10)
			scaled := uint64(binary.BigEndian.Uint32(v.Data[1:]))
			return append(strconv.AppendUint(append(dst, ','), scaled, 10), '}')
		}
	}
	if n, ok := v.Int64(); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	return append(dst, "undefined"...)
}

func appendTableTerm(dst []byte, t amqp.Table) []byte {
	dst = append(dst, '[')
	first := true
	t.Each(func(key []byte, v amqp.Value) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendBinary(append(dst, '{'), key), ',')
		dst = append(append(dst, TermType(v)...), ',')
		dst = append(appendTerm(dst, v), '}')
		return true
	})
	return append(dst, ']')
}

func appendArrayTerm(dst []byte, v amqp.Value) []byte {
	dst = append(dst, '[')
	first := true
	v.Each(func(element amqp.Value) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '{'), TermType(element)...), ',')
		dst = append(appendTerm(dst, element), '}')
		return true
	})
	return append(dst, ']')
}

// appendBinary appends bytes as text in quotes when all are printable in Latin-1, else as
// their numbers.
func appendBinary(dst, b []byte) []byte {
	dst = append(dst, "<<"...)
	if len(b) > 0 && printable(b) {
		dst = append(dst, '"')
		for _, c := range b {
			if e := escapes[c]; e != 0 {
				dst = append(dst, '\\', e)
			} else {
				dst = append(dst, c)
			}
		}
		return append(dst, `">>`...)
	}
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	return append(dst, ">>"...)
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && escapes[c] == 0 || c > '~' && c < 0xA0 {
			return false
		}
	}
	return true
}

var escapes = [256]byte{
	'\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\b': 'b', '\f': 'f', 0x1B: 'e',
	'"': '"', '\\': '\\',
}

// appendFloat appends the shortest digits that give the number back, with an exponent when
// that is shorter, or when the number is so great that not every integer can be told.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendFloat(dst, f, 'g', -1, 64) // RabbitMQ refuses the table
	}
	plain := strconv.AppendFloat(nil, f, 'f', -1, 64)
	if !bytes.ContainsRune(plain, '.') {
		plain = append(plain, ".0"...)
	}
	scientific := strconv.AppendFloat(nil, f, 'e', -1, 64)
	mantissa, exponent, _ := bytes.Cut(scientific, []byte{'e'})
	short := append([]byte{}, mantissa...)
	if !bytes.ContainsRune(mantissa, '.') {
		short = append(short, ".0"...)
	}
	e, _ := strconv.Atoi(string(exponent))
	short = strconv.AppendInt(append(short, 'e'), int64(e), 10)
	if len(short) < len(plain) || math.Abs(f) >= 1<<53 {
		return append(dst, short...)
	}
	return append(dst, plain...)
}

// TermEqual tells whether RabbitMQ takes the values of two headers for equal. Numbers are
// equal by value, timestamps and floats among them; text and bytes are the same kind. Inside
// tables and arrays the types have to agree, and fields to come in the same order.
func TermEqual(a, b amqp.Value) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x.equal(y)
	}
	if a.Type == b.Type && bytes.Equal(a.Data, b.Data) {
		return true
	}
	switch a.Type {
	case amqp.TypeText, amqp.TypeBytes:
		return (b.Type == amqp.TypeText || b.Type == amqp.TypeBytes) && bytes.Equal(a.Data, b.Data)
	case amqp.TypeBool:
		x, _ := a.Bool()
		y, ok := b.Bool()
		return ok && x == y
	case amqp.TypeTable:
		if b.Type == amqp.TypeTable {
			return equalFields(amqp.Table(a.Data), amqp.Table(b.Data))
		}
		return b.Type == amqp.TypeArray && len(a.Data) == 0 && len(b.Data) == 0
	case amqp.TypeArray:
		if b.Type == amqp.TypeArray {
			return equalElements(a, b)
		}
		return b.Type == amqp.TypeTable && len(a.Data) == 0 && len(b.Data) == 0
	}
	return false
}

func equalFields(a, b amqp.Table) bool {
	var fields []header
	b.Each(func(key []byte, v amqp.Value) bool {
		fields = append(fields, header{key, v})
		return true
	})
	same := true
	a.Each(func(key []byte, v amqp.Value) bool {
		same = len(fields) > 0 && bytes.Equal(key, fields[0].key) && equalTyped(v, fields[0].value)
		if same {
			fields = fields[1:]
		}
		return same
	})
	return same && len(fields) == 0
}

func equalElements(a, b amqp.Value) bool {
	var elements []amqp.Value
	b.Each(func(v amqp.Value) bool {
		elements = append(elements, v)
		return true
	})
	same := true
	a.Each(func(v amqp.Value) bool {
		same = len(elements) > 0 && equalTyped(v, elements[0])
		if same {
			elements = elements[1:]
		}
		return same
	})
	return same && len(elements) == 0
}

func equalTyped(a, b amqp.Value) bool { return TermType(a) == TermType(b) && TermEqual(a, b) }

// numeric is a number of any type: an integer as sign and size, or a float.
type numeric struct {
	float    float64
	size     uint64
	negative bool
	whole    bool
}

func number(v amqp.Value) (numeric, bool) {
	if n, ok := v.Int64(); ok {
		if n < 0 {
			return numeric{size: -uint64(n), negative: true, whole: true}, true
		}
		return numeric{size: uint64(n), whole: true}, true
	}
	if t, ok := v.Timestamp(); ok {
		return numeric{size: uint64(t), whole: true}, true
	}
	f, ok := v.Float64()
	return numeric{float: f}, ok
}

func (n numeric) equal(o numeric) bool {
	switch {
	case n.whole && o.whole:
		return n.size == o.size && n.negative == o.negative
	case !n.whole && !o.whole:
		return n.float == o.float
	case o.whole:
		return o.equal(n)
	}
	size := math.Abs(o.float)
	return size < 1<<64 && size == math.Trunc(size) && uint64(size) == n.size &&
		(o.float < 0) == n.negative
}
