package control

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

// setPolicy takes name, pattern, definition (JSON), priority and apply-to.
func setPolicy(put func(definition.Policy) *amqp.Error, arguments []string) Response {
	if len(arguments) != 5 {
		return Response{Error: "a policy takes name, pattern, definition, priority and apply-to"}
	}
	settings, err := decodeSettings(arguments[2])
	if err != nil {
		return Response{Error: err.Error()}
	}
	priority, err := strconv.ParseInt(arguments[3], 10, 32)
	if err != nil {
		return Response{Error: fmt.Sprintf("priority %q is not a number", arguments[3])}
	}
	wrong := put(definition.Policy{
		Name: arguments[0], Pattern: arguments[1], ApplyTo: arguments[4], Priority: priority,
		Definition: settings,
	})
	if wrong != nil {
		return Response{Error: wrong.Text}
	}
	return Response{}
}

// decodeSettings reads a JSON object. Numbers keep what they are: whole or not.
func decodeSettings(text string) (amqp.Table, error) {
	in := json.NewDecoder(bytes.NewReader([]byte(text)))
	in.UseNumber()
	var settings map[string]any
	if err := in.Decode(&settings); err != nil {
		return nil, fmt.Errorf("JSON decoding error. Reason: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("JSON decoding error. Reason: more follows the object")
	}
	if settings == nil {
		return nil, errors.New("JSON decoding error. Reason: null is no object")
	}
	value, err := settingValue(settings)
	if err != nil {
		return nil, err
	}
	return amqp.NewTable(value.(map[string]any)), nil
}

// settingValue turns the numbers in a value into those a table takes.
func settingValue(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		if f, err := v.Float64(); err == nil && !isWhole(v) {
			return f, nil
		}
		return nil, fmt.Errorf("%s is out of range", v)
	case []any:
		for i := range v {
			if v[i], err = settingValue(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key, field := range v {
			if len(key) > amqp.ShortStrMax {
				return nil, fmt.Errorf("a key of %d octets is too long", len(key))
			}
			if v[key], err = settingValue(field); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// isWhole tells whether a number is written without a fraction and an exponent.
func isWhole(n json.Number) bool { return !bytes.ContainsAny([]byte(n), ".eE") }

func clearPolicy(take func(name string) *amqp.Error, arguments []string) Response {
	if len(arguments) != 1 {
		return Response{Error: "this takes the name of the policy"}
	}
	err := take(arguments[0])
	switch {
	case err == nil:
		return Response{}
	case err.Code == amqp.NotFound:
		return Response{Error: "Parameter does not exist"} // RabbitMQ's word
	}
	return Response{Error: err.Text}
}

func listPolicies(v *broker.VHost, policies []definition.Policy, columns []string) Response {
	// In rabbitmqctl's order: what counts most comes last.
	slices.SortStableFunc(policies, func(a, b definition.Policy) int {
		return cmp.Compare(a.Priority, b.Priority)
	})
	var rows [][]any
	for _, p := range policies {
		text, err := settingsText(p.Definition)
		if err != nil {
			return Response{Error: fmt.Sprintf("policy %q: %v", p.Name, err)}
		}
		rows = append(rows, []any{v.Name(), p.Name, p.Pattern, p.ApplyTo, text, p.Priority})
	}
	return table([]string{"vhost", "name", "pattern", "apply-to", "definition", "priority"},
		rows, columns)
}

// settingsText returns settings as JSON, its keys in their order; "" for none.
func settingsText(t amqp.Table) (string, error) {
	if len(t) == 0 {
		return "", nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(t.Map()); err != nil {
		return "", err
	}
	return string(bytes.TrimRight(out.Bytes(), "\n")), nil
}
