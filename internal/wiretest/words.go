package wiretest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// arguments are the name=value words of a line, in a map that empties as they are used.
type arguments map[string]string

// splitWords splits a line at spaces that are neither quoted nor in brackets.
func splitWords(line string) (words []string) {
	depth, quoted, start := 0, false, -1
	for i := 0; i <= len(line); i++ {
		end := i == len(line)
		switch {
		case !end && quoted && line[i] == '\\':
			i++
			continue
		case !end && line[i] == '"':
			quoted = !quoted
		case quoted:
		case !end && strings.IndexByte("{[", line[i]) >= 0:
			depth++
		case !end && strings.IndexByte("}]", line[i]) >= 0:
			depth--
		}
		space := end || line[i] == ' ' && !quoted && depth == 0
		switch {
		case space && start >= 0:
			words = append(words, line[start:i])
			start = -1
		case !space && start < 0:
			start = i
		}
	}
	return words
}

// parseArguments reads name=value words; a bare name has the value "true".
func parseArguments(words []string) (arguments, error) {
	args := make(arguments)
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			value = "true"
		}
		if _, twice := args[name]; twice {
			return nil, fmt.Errorf("%s is given twice", name)
		}
		args[name] = value
	}
	return args, nil
}

// take returns an argument and strikes it off.
func (a arguments) take(name string) (value string, ok bool) {
	value, ok = a[name]
	delete(a, name)
	return value, ok
}

// number returns an argument that is a number, or otherwise.
func (a arguments) number(name string, otherwise uint64) (uint64, error) {
	value, ok := a.take(name)
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// text returns an argument that is a string, quoted or not.
func (a arguments) text(name, otherwise string) (string, error) {
	value, ok := a.take(name)
	if !ok {
		return otherwise, nil
	}
	return unquote(value)
}

// octets returns an argument that is hexadecimal digits, or a quoted string.
func (a arguments) octets(name string) ([]byte, error) {
	value, _ := a.take(name)
	if strings.HasPrefix(value, `"`) {
		s, err := strconv.Unquote(value)
		return []byte(s), err
	}
	return hex.DecodeString(value)
}

// rest is an error when arguments are left that nobody has asked for.
func (a arguments) rest() error {
	for name := range a {
		return fmt.Errorf("no such argument: %s", name)
	}
	return nil
}

func unquote(value string) (string, error) {
	if strings.HasPrefix(value, `"`) {
		return strconv.Unquote(value)
	}
	return value, nil
}

// quote is the inverse of unquote.
func quote(s string) string {
	q := strconv.Quote(s)
	if s == "" || len(q) != len(s)+2 || strings.ContainsAny(s, " {}[]=,") {
		return q
	}
	return s
}

// tableScanner reads the literal of a table.
type tableScanner struct{ text string }

// parseTable reads {key:value, ...}.
func parseTable(text string) (amqp.Table, error) {
	s := &tableScanner{text: text}
	v, err := s.value()
	if err == nil && s.text != "" {
		err = fmt.Errorf("%q after the table", s.text)
	}
	m, ok := v.(map[string]any)
	if err == nil && !ok {
		err = fmt.Errorf("%s is not a table", text)
	}
	if err != nil {
		return nil, err
	}
	return amqp.NewTable(m), nil
}

// skip takes a character, and the spaces around it, if it comes next.
func (s *tableScanner) skip(c byte) bool {
	s.text = strings.TrimLeft(s.text, " ")
	if s.text == "" || s.text[0] != c {
		return false
	}
	s.text = strings.TrimLeft(s.text[1:], " ")
	return true
}

// word takes what goes up to one of the characters in ends, or a quoted string.
func (s *tableScanner) word(ends string) (text string, quoted bool, err error) {
	if q, err := strconv.QuotedPrefix(s.text); err == nil {
		s.text = s.text[len(q):]
		text, err = strconv.Unquote(q)
		return text, true, err
	}
	end := strings.IndexAny(s.text, ends)
	if end < 0 {
		end = len(s.text)
	}
	text, s.text = s.text[:end], s.text[end:]
	return text, false, nil
}

func (s *tableScanner) value() (any, error) {
	switch {
	case s.skip('{'):
		return s.table()
	case s.skip('['):
		array := []any{}
		for !s.skip(']') {
			v, err := s.value()
			if err != nil {
				return nil, err
			}
			array = append(array, v)
			s.skip(',')
		}
		return array, nil
	}
	if len(s.text) > 2 && s.text[1] == ':' {
		kind := s.text[0]
		s.text = s.text[2:]
		text, _, err := s.word(",}]")
		if err != nil {
			return nil, err
		}
		return typedValue(kind, text)
	}
	text, quoted, err := s.word(",}]")
	switch {
	case quoted || err != nil:
		return text, err
	case text == "true" || text == "false":
		return text == "true", nil
	case text == "void":
		return nil, nil
	}
	return typedValue(amqp.TypeInt32, text)
}

func (s *tableScanner) table() (any, error) {
	m := make(map[string]any)
	for !s.skip('}') {
		key, _, err := s.word(":")
		if err != nil {
			return nil, err
		}
		if !s.skip(':') {
			return nil, fmt.Errorf("no value for %q", key)
		}
		if m[key], err = s.value(); err != nil {
			return nil, err
		}
		s.skip(',')
	}
	return m, nil
}

// typedValue returns a value as the Go type that amqp.NewTable gives this type letter.
func typedValue(kind byte, text string) (any, error) {
	switch kind {
	case amqp.TypeBytes:
		return []byte(text), nil
	case amqp.TypeFloat32, amqp.TypeFloat64:
		f, err := strconv.ParseFloat(text, 64)
		if kind == amqp.TypeFloat32 {
			return float32(f), err
		}
		return f, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, err
	}
	switch kind {
	case amqp.TypeInt8:
		return int8(n), nil
	case amqp.TypeUint8:
		return uint8(n), nil
	case amqp.TypeInt16:
		return int16(n), nil
	case amqp.TypeUint16:
		return uint16(n), nil
	case amqp.TypeInt32:
		return int32(n), nil
	case amqp.TypeUint32:
		return uint32(n), nil
	case amqp.TypeInt64:
		return n, nil
	case amqp.TypeTimestamp:
		return amqp.Timestamp(n), nil
	}
	return nil, fmt.Errorf("no such type letter: %c", kind)
}

// formatTable is the inverse of parseTable. Fields keep the order of the wire.
func formatTable(t amqp.Table) string {
	var fields []string
	t.Each(func(key []byte, v amqp.Value) bool {
		fields = append(fields, quote(string(key))+":"+formatValue(v))
		return true
	})
	return "{" + strings.Join(fields, ", ") + "}"
}

func formatValue(v amqp.Value) string {
	switch v.Type {
	case amqp.TypeText:
		return strconv.Quote(string(v.Data))
	case amqp.TypeBytes:
		return "x:" + strconv.Quote(string(v.Data))
	case amqp.TypeVoid:
		return "void"
	case amqp.TypeBool, amqp.TypeInt32:
		return fmt.Sprint(v.Any())
	case amqp.TypeTable:
		t, _ := v.Table()
		return formatTable(t)
	case amqp.TypeArray:
		var elements []string
		v.Each(func(element amqp.Value) bool {
			elements = append(elements, formatValue(element))
			return true
		})
		return "[" + strings.Join(elements, ", ") + "]"
	}
	return fmt.Sprintf("%c:%v", v.Type, v.Any())
}
