package rabbitmqadmin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// dict is a JSON object that keeps the order in which it was written, as Python's does: it is
// seen where an object is printed inside a cell.
type dict struct {
	keys   []string
	values map[string]any
}

func (d *dict) get(key string) any { return d.values[key] }

func (d *dict) set(key string, value any) {
	if _, known := d.values[key]; !known {
		d.keys = append(d.keys, key)
	}
	d.values[key] = value
}

func newDict() *dict { return &dict{values: map[string]any{}} }

// MarshalJSON implements json.Marshaler.
func (d *dict) MarshalJSON() ([]byte, error) { return []byte(dumps(d)), nil }

// depthMax is how deep JSON may be.
const depthMax = 200

// loads reads JSON: objects become *dict, numbers json.Number.
func loads(text []byte) (any, error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	value, err := load(in, 0)
	if err != nil {
		return nil, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the value")
	}
	return value, nil
}

func load(in *json.Decoder, depth int) (any, error) {
	if depth > depthMax {
		return nil, fmt.Errorf("JSON is deeper than %d", depthMax)
	}
	token, err := in.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for in.More() {
			value, err := load(in, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := in.Token()
		return list, err
	case json.Delim('{'):
		d := newDict()
		for in.More() {
			key, err := in.Token()
			if err != nil {
				return nil, err
			}
			value, err := load(in, depth+1)
			if err != nil {
				return nil, err
			}
			d.set(key.(string), value)
		}
		_, err := in.Token()
		return d, err
	}
	return token, nil
}

// style says how JSON is written: Python's default on one line, or sorted over several lines.
type style struct {
	indent  string
	sorted  bool
	unicode bool
}

// dumps writes JSON as Python's json.dumps does by default.
func dumps(v any) string {
	var out strings.Builder
	style{}.write(&out, v, "")
	return out.String()
}

// pretty writes it sorted and indented.
func pretty(v any) string {
	var out strings.Builder
	style{indent: "  ", sorted: true, unicode: true}.write(&out, v, "")
	return out.String()
}

func (s style) write(out *strings.Builder, v any, margin string) {
	switch v := v.(type) {
	case *dict:
		keys := v.keys
		if s.sorted {
			keys = slices.Sorted(slices.Values(keys))
		}
		s.sequence(out, "{", "}", len(keys), margin, func(i int, inner string) {
			s.quote(out, keys[i])
			out.WriteString(": ")
			s.write(out, v.values[keys[i]], inner)
		})
	case []any:
		s.sequence(out, "[", "]", len(v), margin, func(i int, inner string) {
			s.write(out, v[i], inner)
		})
	case string:
		s.quote(out, v)
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(v))
	default:
		out.WriteString(number(v))
	}
}

func (s style) sequence(
	out *strings.Builder, open, end string, count int, margin string,
	item func(i int, inner string),
) {
	out.WriteString(open)
	inner := margin + s.indent
	for i := range count {
		switch {
		case s.indent != "" && i > 0:
			out.WriteString(",\n" + inner)
		case s.indent != "":
			out.WriteString("\n" + inner)
		case i > 0:
			out.WriteString(", ")
		}
		item(i, inner)
	}
	if s.indent != "" && count > 0 {
		out.WriteString("\n" + margin)
	}
	out.WriteString(end)
}

// quote writes a string; what is not ASCII is escaped unless the style wants it seen.
func (s style) quote(out *strings.Builder, text string) {
	out.WriteByte('"')
	for _, r := range text {
		switch short := strings.IndexRune("\"\\\n\r\t\b\f", r); {
		case short >= 0:
			out.WriteByte('\\')
			out.WriteByte("\"\\nrtbf"[short])
		case r < 0x20 || r > 0x7e && r <= 0xffff && !s.unicode:
			fmt.Fprintf(out, "\\u%04x", r)
		case r > 0xffff && !s.unicode:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(out, "\\u%04x\\u%04x", high, low)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

// number writes a number as Python shows it: a float has a point or an exponent.
func number(v any) string {
	n, ok := v.(json.Number)
	if !ok {
		return fmt.Sprint(v)
	}
	text := n.String()
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := n.Float64()
	if err != nil {
		return text
	}
	return pythonFloat(f)
}

func pythonFloat(f float64) string {
	text := strconv.FormatFloat(f, 'e', -1, 64)
	_, exponent, _ := strings.Cut(text, "e")
	if power, err := strconv.Atoi(exponent); err == nil && (power < -4 || power >= 16) {
		return text
	}
	text = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// str is Python's str of a value in a cell; none reports None.
func str(v any) (text string, none bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, false
	case bool:
		if v {
			return "True", false
		}
		return "False", false
	}
	return number(v), false
}
