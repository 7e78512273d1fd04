// Package doctor looks at what is declared and how a broker fares, and says what will hurt.
//
// Floor 7, wiring, and pure: what the HTTP API answered in, findings out. A rule is a function in
// rules.go, and a line in the table there.
package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// Object is a JSON object of the API.
type Object = map[string]any

// Severity says how much a finding matters.
type Severity string

// Serious loses messages or lets strangers in, Warning will hurt one day, Info may be meant so.
const (
	Serious Severity = "serious"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is something that a rule found.
type Finding struct {
	Severity Severity `json:"severity"`
	// Rule names the rule, Object what it is about.
	Rule   string `json:"rule"`
	Object string `json:"object"`
	// Why says what is wrong, Advice what to do.
	Why    string `json:"why"`
	Advice string `json:"advice"`
}

// Patient is everything that is looked at: answers of the API.
type Patient struct {
	Overview  Object
	Nodes     []Object
	Queues    []Object
	Exchanges []Object
	Bindings  []Object
	Policies  []Object
	Users     []Object
	Consumers []Object
}

// Examine applies all rules. The worst findings come first.
func Examine(p Patient) []Finding {
	var found []Finding
	for _, r := range rules() {
		r.find(&p, func(object, why string) {
			found = append(found, Finding{r.severity, r.name, object, why, r.advice})
		})
	}
	order := []Severity{Serious, Warning, Info}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
	})
	return found
}

// named says what an object is, for people.
func named(noun string, o Object) string {
	if vhost, ok := o["vhost"].(string); ok {
		return fmt.Sprintf("%s %q in %q", noun, o["name"], vhost)
	}
	return fmt.Sprintf("%s %q", noun, o["name"])
}

// text returns a field that is a string.
func text(o Object, key string) string {
	value, _ := o[key].(string)
	return value
}

// number returns a field that is a number, 0 for any other.
func number(o Object, key string) float64 {
	switch v := o[key].(type) {
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return f
		}
	case float64:
		return v
	}
	return 0
}

func inner(o Object, key string) Object {
	value, _ := o[key].(Object)
	return value
}

// setting finds what holds for a queue: its policy, or its argument.
func setting(o Object, key string) (any, bool) {
	if value, ok := inner(o, "arguments")["x-"+key]; ok {
		return value, true
	}
	value, ok := inner(o, "effective_policy_definition")[key]
	return value, ok
}
