package control

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

// setPolicy takes name, pattern and definition (JSON), and may take priority and apply-to.
func setPolicy(v *broker.VHost, arguments []string) Response {
	if len(arguments) != 5 {
		return Response{Error: "set_policy takes name, pattern, definition, priority and apply-to"}
	}
	var settings map[string]any
	if err := json.Unmarshal([]byte(arguments[2]), &settings); err != nil {
		return Response{Error: fmt.Sprintf("the definition is not a JSON object: %v", err)}
	}
	for key, value := range settings {
		if _, ok := value.(string); !ok {
			return Response{Error: fmt.Sprintf("%q is not a text: %v", key, value)}
		}
	}
	priority, err := strconv.ParseInt(arguments[3], 10, 32)
	if err != nil {
		return Response{Error: fmt.Sprintf("priority %q is not a number", arguments[3])}
	}
	wrong := v.PutPolicy(definition.Policy{
		Name: arguments[0], Pattern: arguments[1], ApplyTo: arguments[4], Priority: priority,
		Definition: amqp.NewTable(settings),
	})
	if wrong != nil {
		return Response{Error: wrong.Text}
	}
	return Response{}
}

func clearPolicy(v *broker.VHost, arguments []string) Response {
	if len(arguments) != 1 {
		return Response{Error: "clear_policy takes the name of the policy"}
	}
	if err := v.ClearPolicy(arguments[0]); err != nil {
		return Response{Error: err.Text}
	}
	return Response{}
}

func listPolicies(v *broker.VHost, columns []string) Response {
	var rows [][]any
	for _, p := range v.Policies() {
		settings := make(map[string]any)
		p.Definition.Each(func(key []byte, value amqp.Value) bool {
			settings[string(key)] = value.Any()
			return true
		})
		text, err := json.Marshal(settings)
		if err != nil {
			return Response{Error: fmt.Sprintf("policy %q: %v", p.Name, err)}
		}
		rows = append(rows,
			[]any{v.Name(), p.Name, p.Pattern, p.ApplyTo, string(text), p.Priority})
	}
	return table([]string{"vhost", "name", "pattern", "apply-to", "definition", "priority"},
		rows, columns)
}
