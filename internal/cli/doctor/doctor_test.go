package doctor

import (
	"slices"
	"strings"
	"testing"
)

// sick has everything that the rules find.
func sick() Patient {
	args := func(pairs ...any) Object {
		o := Object{}
		for i := 0; i < len(pairs); i += 2 {
			o[pairs[i].(string)] = pairs[i+1]
		}
		return o
	}
	queue := func(name string, arguments Object, more ...any) Object {
		o := args(more...)
		o["name"], o["vhost"], o["arguments"], o["durable"] = name, "/", arguments, true
		return o
	}
	transient := queue("transient", args("x-max-length", 1.0, "x-dead-letter-exchange", "x"))
	transient["durable"] = false
	return Patient{
		Overview: Object{
			"listeners": []any{Object{"protocol": "amqp", "ip_address": "0.0.0.0"}},
			"churn_rates": Object{
				"connection_created_details": Object{"rate": 50.0},
			},
		},
		Nodes: []Object{{"name": "n", "mem_alarm": true, "fd_used": 90.0, "fd_total": 100.0}},
		Queues: []Object{
			queue("dlx", args("x-dead-letter-exchange", "gone", "x-expires", 1.0)),
			queue("ttl", args("x-message-ttl", 1.0)),
			queue("full", args("x-max-length", 1.0)),
			queue("damaged", args("x-expires", 1.0), "state", "quarantined"),
			queue("waiting", args(), "messages_ready", 20000.0),
			transient,
		},
		Exchanges: []Object{
			{"name": "x", "vhost": "/", "arguments": args("alternate-exchange", "gone")},
			{"name": "lonely", "vhost": "/"},
		},
		Policies: []Object{{"name": "p", "vhost": "/", "pattern": "^none", "apply-to": "queues"}},
		Users:    []Object{{"name": "guest"}},
		Consumers: []Object{{"consumer_tag": "c", "ack_required": true, "prefetch_count": 0.0,
			"queue": Object{"name": "ttl", "vhost": "/"}}},
	}
}

// TestEachRuleFindsItsTrouble: no rule is blind.
func TestEachRuleFindsItsTrouble(t *testing.T) {
	found := Examine(sick())
	for _, r := range rules() {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == r.name }) {
			t.Errorf("the rule %s finds nothing", r.name)
		}
	}
	if found[0].Severity != Serious || found[len(found)-1].Severity != Info {
		t.Errorf("the worst does not come first: %v", found)
	}
	for _, f := range found {
		if strings.Contains(f.Object+f.Why, "%!") || f.Advice == "" {
			t.Errorf("badly said: %+v", f)
		}
	}
}

// TestTheHealthyAreLeftAlone: what is set up as it should be is not complained about.
func TestTheHealthyAreLeftAlone(t *testing.T) {
	well := Patient{
		Overview: Object{},
		Nodes:    []Object{{"name": "n", "mem_used": 1.0, "mem_limit": 100.0}},
		Queues: []Object{{"name": "q", "vhost": "/", "durable": true, "type": "quorum",
			"effective_policy_definition": Object{
				"max-length": 10.0, "dead-letter-exchange": "x",
			}}},
		Exchanges: []Object{{"name": "x", "vhost": "/"}},
		Bindings:  []Object{{"vhost": "/", "source": "x"}},
		Policies: []Object{
			{"name": "p", "vhost": "/", "pattern": "^q", "apply-to": "quorum_queues"},
		},
	}
	if found := Examine(well); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}
