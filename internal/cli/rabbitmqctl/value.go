package rabbitmqctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Values of the API: nil, bool, json.Number, string, []any and object, whose fields keep the
// order in which they came.
type (
	object []field
	field  struct {
		name  string
		value any
	}
)

// get returns the value at a path of names, such as "queue.name"; nil if it is not there.
func (o object) get(path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	for _, f := range o {
		if f.name != name {
			continue
		}
		if !deeper {
			return f.value
		}
		inner, _ := f.value.(object)
		return inner.get(rest)
	}
	return nil
}

// text returns a field as text, "" if it is none.
func (o object) text(path string) string {
	s, _ := o.get(path).(string)
	return s
}

// number returns a field that is a whole number, 0 if it is none.
func (o object) number(path string) int64 {
	n, ok := o.get(path).(json.Number)
	if !ok {
		return 0
	}
	if whole, err := n.Int64(); err == nil {
		return whole
	}
	f, _ := n.Float64()
	return int64(f)
}

// list returns a field that is a list, nil if it is none.
func (o object) list(path string) []any {
	l, _ := o.get(path).([]any)
	return l
}

// get asks for a path and returns the answer as a value.
func (t *task) get(path string) (any, error) {
	var text []byte
	if err := t.client.Get(t.ctx, path, &text); err != nil {
		return nil, err
	}
	v, err := parseValue(text)
	if err != nil {
		return nil, fmt.Errorf("GET %s: the answer is not what is expected: %w", path, err)
	}
	return v, nil
}

// getObject asks for a path that answers with an object.
func (t *task) getObject(path string) (object, error) {
	v, err := t.get(path)
	if err != nil {
		return nil, err
	}
	o, _ := v.(object)
	return o, nil
}

// getList asks for a path that answers with a list of objects.
func (t *task) getList(path string) ([]object, error) {
	v, err := t.get(path)
	if err != nil {
		return nil, err
	}
	items, _ := v.([]any)
	list := make([]object, 0, len(items))
	for _, item := range items {
		if o, ok := item.(object); ok {
			list = append(list, o)
		}
	}
	return list, nil
}

func parseValue(text []byte) (any, error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	return readValue(in)
}

func readValue(in *json.Decoder) (any, error) {
	token, err := in.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for in.More() {
			v, err := readValue(in)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = in.Token()
		return list, err
	case json.Delim('{'):
		o := object{}
		for in.More() {
			name, err := in.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(in)
			if err != nil {
				return nil, err
			}
			o = append(o, field{name.(string), v})
		}
		_, err = in.Token()
		return o, err
	}
	return token, nil
}

// jsonText writes a value as JSON without spaces, its fields in their order.
func jsonText(v any) string {
	var out strings.Builder
	writeJSON(&out, v)
	return out.String()
}

func writeJSON(out *strings.Builder, v any) {
	switch v := v.(type) {
	case object:
		out.WriteByte('{')
		for i, f := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(quoted(f.name) + ":")
			writeJSON(out, f.value)
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			writeJSON(out, item)
		}
		out.WriteByte(']')
	case string:
		out.WriteString(quoted(v))
	case nil:
		out.WriteString("null")
	default:
		fmt.Fprint(out, v)
	}
}

// quoted writes a JSON string; < and > stay what they are.
func quoted(s string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return `""` // cannot be: every string has a form
	}
	return strings.TrimRight(out.String(), "\n")
}
