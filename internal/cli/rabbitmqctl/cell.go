package rabbitmqctl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Cells of lists are values of the API, or one of these.
type (
	// word is an atom of Erlang's: it has no quotes.
	word string
	// words is a list of atoms.
	words []string
	// process is the name of a connection or channel: <rabbit@host.1.2.0>.
	process string
	// arguments is a table of AMQP.
	arguments object
	// version is a protocol: {0,9,1}.
	protocol []int
	// states are atoms by names of nodes.
	states object
)

// cellText writes a cell for the table: text as it is, an AMQP table in Erlang's terms.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case words:
		return "[" + strings.Join(v, ", ") + "]"
	case arguments:
		return tableText(object(v))
	case protocol:
		parts := make([]string, len(v))
		for i, n := range v {
			parts[i] = strconv.Itoa(n)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case states:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = "{" + f.name + ", " + cellText(f.value) + "}"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = cellText(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		return jsonText(v)
	}
	return fmt.Sprint(v)
}

// tableText writes a table as a list of pairs: [{"x-max-length",5}].
func tableText(o object) string {
	pairs := make([]string, len(o))
	for i, f := range o {
		pairs[i] = `{"` + f.name + `",` + fieldText(f.value) + "}"
	}
	return "[" + strings.Join(pairs, ",") + "]"
}

func fieldText(v any) string {
	switch v := v.(type) {
	case nil:
		return "undefined"
	case string:
		return `"` + v + `"`
	case object:
		return tableText(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = fieldText(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(v)
}

// typeOf is the type that an AMQP table gives a value, as far as JSON tells it.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "void"
	case bool:
		return "bool"
	case string:
		return "longstr"
	case object:
		return "table"
	case []any:
		return "array"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "double"
		}
	}
	return "signedint"
}

// cellJSON turns a cell into a value of JSON as the tools write it: tables are lists of triples.
func cellJSON(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case word:
		return string(v)
	case process:
		return string(v)
	case words:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list
	case protocol:
		list := make([]any, len(v))
		for i, n := range v {
			list[i] = n
		}
		return list
	case states:
		return object(v)
	case arguments:
		return triples(object(v))
	}
	return v
}

func triples(o object) []any {
	list := make([]any, len(o))
	for i, f := range o {
		list[i] = []any{f.name, typeOf(f.value), typed(f.value)}
	}
	return list
}

// typed writes arrays as RabbitMQ does, as objects of types and values: the last of a type stays.
func typed(v any) any {
	switch v := v.(type) {
	case object:
		return triples(v)
	case []any:
		o := object{}
		for _, item := range v {
			name := typeOf(item)
			at := -1
			for i := range o {
				if o[i].name == name {
					at = i
				}
			}
			if at < 0 {
				o = append(o, field{name, typed(item)})
				continue
			}
			o[at].value = typed(item)
		}
		return o
	}
	return v
}

// cellTerm writes a cell as a term of Erlang.
func cellTerm(v any) string {
	switch v := v.(type) {
	case nil:
		return "''"
	case string:
		return binary(v)
	case words:
		return "[" + strings.Join(v, ",") + "]"
	case arguments:
		return "[" + strings.Join(tripleTerms(object(v)), ",") + "]"
	case object:
		return binary(jsonText(v))
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = cellTerm(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case states:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = "{" + f.name + "," + cellText(f.value) + "}"
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return cellText(v)
}

// binary writes text as a term: <<"text">>.
func binary(s string) string {
	if s == "" {
		return "<<>>"
	}
	return `<<"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `">>`
}

func tripleTerms(o object) []string {
	list := make([]string, len(o))
	for i, f := range o {
		list[i] = "{" + binary(f.name) + "," + typeOf(f.value) + "," + typedTerm(f.value) + "}"
	}
	return list
}

func typedTerm(v any) string {
	switch v := v.(type) {
	case nil:
		return "undefined"
	case string:
		return binary(v)
	case object:
		return "[" + strings.Join(tripleTerms(v), ",") + "]"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = "{" + typeOf(item) + "," + typedTerm(item) + "}"
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(v)
}

// cellPretty writes a cell for pretty_table, which puts the items of a list behind each other.
func cellPretty(v any) string {
	switch v := v.(type) {
	case words:
		return strings.Join(v, "")
	case arguments:
		return strings.Join(tripleTerms(object(v)), "")
	case states:
		return strings.Trim(cellTerm(v), "[]")
	}
	return cellText(v)
}
