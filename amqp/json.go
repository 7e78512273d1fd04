package amqp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// MarshalJSON writes a table as RabbitMQ's HTTP API does: see AppendJSON.
func (t Table) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }

// UnmarshalJSON reads a table as RabbitMQ's HTTP API does: see ParseTableJSON. It also takes null
// for a table without fields.
func (t *Table) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*t = nil
		return nil
	}
	parsed, err := ParseTableJSON(text)
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// AppendJSON appends the table as RabbitMQ's HTTP API writes it, an object with the fields in
// their order. Of a repeated key the first counts. Integers and timestamps are numbers, as
// decimals are; text and bytes are strings, in which U+FFFD stands for what is not UTF-8; what
// JSON has no word for, such as an infinite number, is null. The result is JSON in any case.
func (t Table) AppendJSON(dst []byte) []byte { return t.appendJSON(dst, 1) }

func (t Table) appendJSON(dst []byte, depth int) []byte {
	dst = append(dst, '{')
	if depth <= TableDepthMax {
		var buf [fewFields]field
		fields, few := t.fields(&buf)
		for i, f := range fields {
			dst = appendFieldJSON(dst, i > 0, f.key, f.value, depth)
		}
		if !few {
			dst = t.appendManyJSON(dst, depth)
		}
	}
	return append(dst, '}')
}

func (t Table) appendManyJSON(dst []byte, depth int) []byte {
	seen := make(map[string]struct{})
	t.Each(func(key []byte, v Value) bool {
		if _, repeated := seen[string(key)]; !repeated {
			dst = appendFieldJSON(dst, len(seen) > 0, key, v, depth)
			seen[string(key)] = struct{}{}
		}
		return true
	})
	return dst
}

func appendFieldJSON(dst []byte, comma bool, key []byte, v Value, depth int) []byte {
	if comma {
		dst = append(dst, ',')
	}
	dst = AppendTextJSON(dst, key)
	dst = append(dst, ':')
	return v.appendJSON(dst, depth)
}

// AppendJSON appends the value as RabbitMQ's HTTP API writes it: see Table.AppendJSON.
func (v Value) AppendJSON(dst []byte) []byte { return v.appendJSON(dst, 1) }

func (v Value) appendJSON(dst []byte, depth int) []byte {
	if n, ok := v.Int64(); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	switch v.Type {
	case TypeBool:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b)
	case TypeFloat32, TypeFloat64:
		return appendFloatJSON(dst, v)
	case TypeDecimal:
		return v.appendDecimalJSON(dst)
	case TypeText, TypeBytes:
		return AppendTextJSON(dst, v.Data)
	case TypeTimestamp:
		t, _ := v.Timestamp()
		return strconv.AppendUint(dst, uint64(t), 10)
	case TypeTable:
		return Table(v.Data).appendJSON(dst, depth+1)
	case TypeArray:
		return v.appendArrayJSON(dst, depth+1)
	}
	return append(dst, "null"...)
}

func (v Value) appendArrayJSON(dst []byte, depth int) []byte {
	dst = append(dst, '[')
	first := true
	if depth <= TableDepthMax {
		v.Each(func(element Value) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = element.appendJSON(dst, depth)
			return true
		})
	}
	return append(dst, ']')
}

func appendFloatJSON(dst []byte, v Value) []byte {
	f, ok := v.Float64()
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	bits := 64
	if v.Type == TypeFloat32 {
		bits = 32
	}
	form := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		form = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, form, -1, bits)
	if !bytes.ContainsAny(dst[start:], ".e") {
		dst = append(dst, ".0"...) // it stays a number with a fraction when it is read again
	}
	return dst
}

func (v Value) appendDecimalJSON(dst []byte) []byte {
	d, ok := v.Any().(Decimal)
	if !ok {
		return append(dst, "null"...)
	}
	dst = strconv.AppendUint(dst, uint64(d.Value), 10)
	if d.Scale > 0 {
		dst = append(dst, 'e', '-')
		dst = strconv.AppendUint(dst, uint64(d.Scale), 10)
	}
	return dst
}

// AppendTextJSON appends text as a JSON string. U+FFFD stands for what is not UTF-8. The result is
// safe inside HTML: no "<", ">", "&" is in it.
func AppendTextJSON[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c == '\n':
				dst = append(dst, '\\', 'n')
			case c < ' ' || c == '<' || c == '>' || c == '&' || c == 0x7f:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			default:
				dst = append(dst, c)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
		i += size
		if r == '\u2028' || r == '\u2029' { // line ends in JavaScript
			dst = append(dst, `\u202`...)
			dst = append(dst, hex[r&15])
			continue
		}
		dst = utf8.AppendRune(dst, r)
	}
	return append(dst, '"')
}

// ParseTableJSON reads a table from one JSON object as RabbitMQ's HTTP API does: strings become
// text, numbers without fraction or exponent integers of 64 bits, other numbers floats of 64 bits.
// It refuses null as RabbitMQ does, numbers that are out of range, keys longer than ShortStrMax,
// and what nests deeper than TableDepthMax or has more than TableNodesMax values. Keys are sorted.
func ParseTableJSON(text []byte) (Table, error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	var fields map[string]any
	if err := in.Decode(&fields); err != nil {
		return nil, fmt.Errorf("JSON decoding error. Reason: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("JSON decoding error. Reason: more follows the object")
	}
	if fields == nil {
		return nil, errors.New("JSON decoding error. Reason: null is no object")
	}
	return TableOfJSON(fields)
}

// TableOfJSON is ParseTableJSON for an object that was decoded, with numbers as json.Number. It
// changes fields.
func TableOfJSON(fields map[string]any) (Table, error) {
	if err := fromJSON(fields, 1); err != nil {
		return nil, err
	}
	t := NewTable(fields)
	return t, t.Validate()
}

// fromJSON turns the numbers in an object or array, in place, into those that NewTable takes.
func fromJSON(v any, depth int) error {
	if depth > TableDepthMax {
		return fmt.Errorf("nested deeper than %d", TableDepthMax)
	}
	var err error
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = elementFromJSON(v[i], depth); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, element := range v {
			if len(key) > ShortStrMax {
				return fmt.Errorf("a key of %d octets is too long", len(key))
			}
			if v[key], err = elementFromJSON(element, depth); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

func elementFromJSON(v any, depth int) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, errors.New("null is no value")
	case json.Number:
		return numberFromJSON(v)
	case []any, map[string]any:
		return v, fromJSON(v, depth+1)
	}
	return v, nil
}

func numberFromJSON(v json.Number) (any, error) {
	if n, err := v.Int64(); err == nil {
		return n, nil
	}
	if f, err := v.Float64(); err == nil && bytes.ContainsAny([]byte(v), ".eE") {
		return f, nil
	}
	return nil, fmt.Errorf("%s is out of range", v)
}
