package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/drift"
	"github.com/warrenmq/warren/internal/exchange"
)

// judge says what an import would refuse: with the broker's own rules, tried on an empty vhost,
// and the exchange types that the node names.
type judge struct {
	types map[string]bool
	try   *definition.VHost
}

func newJudge(ctx context.Context, api *apiclient.Client) (*judge, error) {
	var overview struct {
		Types []struct{ Name string } `json:"exchange_types"`
	}
	if err := api.Get(ctx, "/overview", &overview); err != nil {
		return nil, err
	}
	state := definition.New(exchange.Standard())
	state.PutVHost("/")
	j := &judge{types: map[string]bool{}}
	j.try, _ = state.VHost("/")
	for _, t := range overview.Types {
		j.types[t.Name] = true
	}
	return j, nil
}

// why says what is wrong with an object of definitions, "" if nothing is.
func (j *judge) why(kind string, o drift.Object) string {
	switch kind {
	case "exchanges":
		if name, _ := o["type"].(string); !j.types[name] {
			return fmt.Sprintf("is of the type %v, which the node does not know", o["type"])
		}
	case "queues":
		return j.whyNotQueue(o)
	case "policies":
		return j.whyNotPolicy(o, j.try.PutPolicy)
	case "parameters":
		value, _ := o["value"].(drift.Object)
		switch o["component"] {
		case "operator_policy":
			return j.whyNotPolicy(withName(value, o["name"]), j.try.PutOperatorPolicy)
		case "policy":
			return j.whyNotPolicy(withName(value, o["name"]), j.try.PutPolicy)
		}
	case "permissions", "topic_permissions":
		for _, right := range []string{"configure", "write", "read"} {
			pattern, _ := o[right].(string)
			if err := auth.CheckPattern(pattern); err != nil {
				return fmt.Sprintf("%s: %v", right, err)
			}
		}
	}
	return ""
}

// withName is the value of a parameter that is a policy, with the name of the parameter.
func withName(value drift.Object, name any) drift.Object {
	named := drift.Object{"name": name}
	for key, field := range value {
		if key != "name" {
			named[key] = field
		}
	}
	return named
}

func (j *judge) whyNotQueue(o drift.Object) string {
	arguments, why := tableOf(o, "arguments")
	if why != "" {
		return why
	}
	q := definition.Queue{Arguments: arguments}
	q.Name, _ = o["name"].(string)
	q.Durable, _ = o["durable"].(bool)
	q.AutoDelete, _ = o["auto_delete"].(bool)
	q.Generated = strings.HasPrefix(q.Name, "amq.")
	j.try.Clear()
	_, _, err := j.try.DeclareQueue(q)
	return reasonOf(err)
}

func (j *judge) whyNotPolicy(
	o drift.Object, put func(definition.Policy) (definition.Affected, *amqp.Error),
) string {
	pattern, ok := o["pattern"].(string)
	if !ok {
		return "has no pattern"
	}
	if o["definition"] == nil {
		return "has no definition"
	}
	settings, why := tableOf(o, "definition")
	if why != "" {
		return why
	}
	p := definition.Policy{Pattern: pattern, Definition: settings}
	p.Name, _ = o["name"].(string)
	p.ApplyTo, _ = o["apply-to"].(string)
	j.try.Clear()
	_, err := put(p)
	return reasonOf(err)
}

// tableOf reads a field as a table.
func tableOf(o drift.Object, field string) (t amqp.Table, why string) {
	if o[field] == nil {
		return nil, ""
	}
	text, err := json.Marshal(o[field])
	if err == nil {
		t, err = amqp.ParseTableJSON(text)
	}
	if err != nil {
		return nil, fmt.Sprintf("%s: %v", field, err)
	}
	return t, ""
}

// reasonOf writes a refusal of the broker in one line.
func reasonOf(err *amqp.Error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Text, "Validation failed")), " ")
}

// refusals lists what the node would not take of an import, also for want of a vhost or a user.
// Definitions of a single vhost do not say which there are.
func (s *session) refusals(
	ctx context.Context, api *apiclient.Client, wanted, present drift.Definitions,
) ([]drift.Difference, error) {
	j, err := newJudge(ctx, api)
	if err != nil {
		return nil, err
	}
	vhosts, users := wanted.Named("vhosts"), wanted.Named("users")
	for name := range present.Named("vhosts") {
		vhosts[name] = true
	}
	for name := range present.Named("users") {
		users[name] = true
	}
	return drift.Refusals(wanted, present, func(kind string, o drift.Object) string {
		vhost, inVHost := o["vhost"].(string)
		if inVHost && s.vhost == "" && !vhosts[vhost] {
			return fmt.Sprintf("there is no vhost %q", vhost)
		}
		user, ofUser := o["user"].(string)
		if ofUser && s.vhost == "" && !users[user] {
			return fmt.Sprintf("there is no user %q", user)
		}
		return j.why(kind, o)
	}), nil
}
