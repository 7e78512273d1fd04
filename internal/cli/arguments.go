package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// inputMax is the longest input that is read as a whole, in bytes.
const inputMax = 512 << 20

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, inputMax+1))
	if err == nil && len(text) > inputMax {
		err = fmt.Errorf("the input exceeds %d bytes", inputMax)
	}
	return text, err
}

// jsonFields collects flags of the form KEY=VALUE: a value that is JSON is taken as JSON, any
// other as text; KEY:=VALUE must be JSON, KEY=:VALUE is text whatever it looks like.
type jsonFields struct{ object }

var _ pflag.Value = (*jsonFields)(nil)

func (f *jsonFields) Type() string { return "KEY=VALUE" }

func (f *jsonFields) String() string {
	if len(f.object) == 0 {
		return ""
	}
	text, err := json.Marshal(f.object)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (f *jsonFields) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return fmt.Errorf("%q is not KEY=VALUE", text)
	}
	if f.object == nil {
		f.object = object{}
	}
	strict := strings.HasSuffix(key, ":")
	key = strings.TrimSuffix(key, ":")
	if rest, isText := strings.CutPrefix(value, ":"); isText && !strict {
		f.object[key] = rest
		return nil
	}
	parsed, err := parseJSON(value)
	switch {
	case err == nil:
		f.object[key] = parsed
	case strict:
		return fmt.Errorf("the value of %s is not JSON: %w", key, err)
	default:
		f.object[key] = value
	}
	return nil
}

// parseJSON reads one value; numbers stay as they are written.
func parseJSON(text string) (any, error) {
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	var value any
	if err := in.Decode(&value); err != nil {
		return nil, err
	}
	if in.More() {
		return nil, fmt.Errorf("more follows the value %s", text)
	}
	return value, nil
}

// parseObject reads a JSON object.
func parseObject(text string) (object, error) {
	value, err := parseJSON(text)
	if err != nil {
		return nil, usageError("%q is not JSON: %w", text, err)
	}
	o, ok := value.(object)
	if !ok {
		return nil, usageError("%q is not a JSON object", text)
	}
	return o, nil
}

// indented writes JSON over several lines, numbers and order as they were.
func indented(text []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return text
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// orEmpty returns the fields, never nil.
func (f *jsonFields) orEmpty() object {
	if f.object == nil {
		return object{}
	}
	return f.object
}

// sameJSON reports whether two values are written alike.
func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	y, too := json.Marshal(b)
	return err == nil && too == nil && bytes.Equal(x, y)
}
