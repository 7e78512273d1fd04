// Package drift compares what two brokers have declared: definitions as RabbitMQ exports them.
//
// It stands beside the tower, and is pure: two sets of definitions in, the differences out.
package drift

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Object is a JSON object; numbers in it are json.Number.
type Object = map[string]any

// Definitions are lists of objects by their kind, such as "queues". What else an export holds,
// versions above all, is not kept.
type Definitions map[string][]Object

// kind is a list of definitions: what names an object of it.
type kind struct {
	name string
	key  []string
	// kept tells that an import leaves an object alone that exists already.
	kept bool
}

// kinds in the order in which an import needs them.
func kinds() []kind {
	return []kind{
		{name: "vhosts", key: []string{"name"}},
		{name: "users", key: []string{"name"}},
		{name: "permissions", key: []string{"vhost", "user"}},
		{name: "topic_permissions", key: []string{"vhost", "user", "exchange"}},
		{name: "parameters", key: []string{"vhost", "component", "name"}},
		{name: "global_parameters", key: []string{"name"}},
		{name: "policies", key: []string{"vhost", "name"}},
		{name: "exchanges", key: []string{"vhost", "name"}, kept: true},
		{name: "queues", key: []string{"vhost", "name"}, kept: true},
		{name: "bindings", key: []string{
			"vhost", "source", "destination_type", "destination", "routing_key", "arguments",
		}, kept: true},
	}
}

// Kinds names the lists in the order in which an import needs them.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Parse reads an export, whole or of one vhost: where objects name no vhost, vhost is theirs.
func Parse(text []byte, vhost string) (Definitions, error) {
	in := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	in.UseNumber()
	var lists map[string]json.RawMessage
	if err := in.Decode(&lists); err != nil {
		return nil, fmt.Errorf("the definitions are no JSON object: %w", err)
	}
	d := Definitions{}
	for _, k := range kinds() {
		raw, ok := lists[k.name]
		if !ok {
			continue
		}
		in := json.NewDecoder(bytes.NewReader(raw))
		in.UseNumber()
		var list []Object
		if err := in.Decode(&list); err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
		for i, o := range list {
			if o == nil {
				return nil, fmt.Errorf("%s: number %d is no object", k.name, i+1)
			}
			if _, named := o["vhost"]; !named && slices.Contains(k.key, "vhost") {
				o["vhost"] = vhost
			}
		}
		d[k.name] = list
	}
	return d, nil
}

// Only returns what belongs to the vhosts, with all users and without global parameters.
func (d Definitions) Only(vhosts []string) Definitions {
	kept := Definitions{}
	for name, list := range d {
		for _, o := range list {
			of, field := "", "vhost"
			if name == "vhosts" {
				field = "name"
			}
			of, hasVHost := o[field].(string)
			switch {
			case name == "users":
			case name == "global_parameters", !hasVHost, !slices.Contains(vhosts, of):
				continue
			}
			kept[name] = append(kept[name], o)
		}
	}
	return kept
}

// Action is what a difference means.
type Action string

// Missing is in the first only, Extra in the second only, Changed in both but not alike. Kept is
// Changed where an import of the first changes nothing, since the object exists.
const (
	Missing Action = "add"
	Extra   Action = "extra"
	Changed Action = "change"
	Kept    Action = "keep"
	// Refused is what an import would not take, see Refusals.
	Refused Action = "refuse"
)

// Difference is an object that is not alike in both.
type Difference struct {
	Action Action   `json:"action"`
	Kind   string   `json:"kind"`
	VHost  string   `json:"vhost,omitempty"`
	Name   string   `json:"name"`
	Fields []string `json:"fields,omitempty"` // of Changed and Kept: "field: old -> new"
	Why    string   `json:"why,omitempty"`    // of Refused
}

// Compare says how second would have to change to be as first is, in the order of an import.
func Compare(first, second Definitions) []Difference {
	var found []Difference
	for _, k := range kinds() {
		want, have := k.byKey(first[k.name]), k.byKey(second[k.name])
		keys := slices.Sorted(maps.Keys(want))
		for _, key := range keys {
			other, ok := have[key]
			if !ok {
				found = append(found, k.difference(Missing, want[key]))
				continue
			}
			if fields := differing(want[key], other); len(fields) > 0 {
				change := k.difference(Changed, want[key])
				if k.kept {
					change.Action = Kept
				}
				change.Fields = fields
				found = append(found, change)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(have)) {
			if _, ok := want[key]; !ok {
				found = append(found, k.difference(Extra, have[key]))
			}
		}
	}
	return found
}

// identity is a parameter that each broker has for itself.
const identity = "internal_cluster_id"

// MigrationParameter is the global parameter in which a broker remembers what was moved to it; it
// means nothing to another.
const MigrationParameter = "warren_migration"

// limits is the component whose parameter is left empty by some versions when the last limit of a
// vhost is lifted.
const limits = "vhost-limits"

func (k kind) byKey(list []Object) map[string]Object {
	byKey := make(map[string]Object, len(list))
	for _, o := range list {
		if k.name == "global_parameters" &&
			(o["name"] == identity || o["name"] == MigrationParameter) ||
			k.name == "parameters" && o["component"] == limits && empty(o["value"]) {
			continue
		}
		parts := make([]any, len(k.key))
		for i, field := range k.key {
			parts[i] = o[field]
			if field == "arguments" {
				parts[i] = text(normal(o[field]))
			}
		}
		byKey[text(parts)] = o
	}
	return byKey
}

func (k kind) difference(action Action, o Object) Difference {
	d := Difference{Action: action, Kind: k.name}
	d.VHost, _ = o["vhost"].(string)
	var parts []string
	for _, field := range k.key {
		if value := o[field]; field != "vhost" && !empty(value) {
			word, isText := value.(string)
			if !isText {
				word = text(value)
			}
			parts = append(parts, word)
		}
	}
	d.Name = strings.Join(parts, " ")
	return d
}

// differing lists the fields that are not alike.
func differing(want, have Object) []string {
	names := map[string]bool{}
	for name := range want {
		names[name] = true
	}
	for name := range have {
		names[name] = true
	}
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, y := normal(want[name]), normal(have[name])
		if name == "tags" {
			x, y = tags(want[name]), tags(have[name])
		}
		if empty(x) && empty(y) || text(x) == text(y) || derived(name, want, have) {
			continue
		}
		if strings.HasPrefix(name, "password") {
			fields = append(fields, name+": another") // nobody is shown a hash
			continue
		}
		fields = append(fields, name+": "+text(y)+" -> "+text(x))
	}
	return fields
}

// derived are fields that only one version of RabbitMQ writes, and that say nothing of their own.
func derived(name string, want, have Object) bool {
	_, inWant := want[name]
	_, inHave := have[name]
	return inWant != inHave && (name == "metadata" || name == "type" || name == "tracing" ||
		name == "hashing_algorithm" || name == "default_queue_type")
}

// tags brings the two forms of a list of tags into one.
func tags(v any) any {
	var list []string
	switch v := v.(type) {
	case string:
		for tag := range strings.SplitSeq(v, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				list = append(list, tag)
			}
		}
	case []any:
		for _, tag := range v {
			if word, ok := tag.(string); ok {
				list = append(list, word)
			}
		}
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

// normal writes equal values in one way: an argument 1.0 is the number 1, and an empty list is
// what some versions write for an empty object.
func normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v
		}
		if f, err := v.Float64(); err == nil {
			return json.Number(fmt.Sprint(f))
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = normal(v[i])
		}
		return list
	case Object:
		o := make(Object, len(v))
		for key, value := range v {
			o[key] = normal(value)
		}
		return o
	}
	return v
}

// empty tells what is the same as nothing.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == "" || v == "undefined"
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case Object:
		return len(v) == 0
	case json.Number:
		return v == "0"
	}
	return false
}

func text(v any) string {
	if list, ok := v.([]any); ok && len(list) == 0 {
		return "{}"
	}
	out, err := json.Marshal(v) // keys in their order
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(out)
}
