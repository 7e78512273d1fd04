package definition

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/pattern"
)

// Policy sets what queues and exchanges of a vhost do, for those whose names match. An operator
// policy has the same form; it sets limits that a policy and arguments cannot exceed.
type Policy struct {
	Name string
	// Pattern is a regular expression that matches some part of the name.
	Pattern string
	// ApplyTo is "all", "queues", "classic_queues", "quorum_queues", "streams" or "exchanges";
	// empty means "all".
	ApplyTo string
	// Of the policies that match, the one with the highest priority counts, the first by name
	// among equals.
	Priority int64
	// Definition has what is set, by keys without "x-".
	Definition amqp.Table
}

const (
	// policiesMax is the number of policies that a vhost may have, and of operator policies.
	policiesMax = 1000
	// patternMax is the longest pattern, in octets.
	patternMax = 4096
	// policyNameMax is the longest name of a policy, in octets.
	policyNameMax = 255
)

// Affected is what a change of policies touched.
type Affected struct {
	// Queues are the names of those that may have other effective settings now, in no order.
	Queues []string
	// Exchanges: messages may take other ways.
	Exchanges bool
}

// PutPolicy makes a policy, or replaces the one of that name; it takes no memory of the
// caller's. PRECONDITION_FAILED, with RabbitMQ's text, when something in it makes no sense.
func (v *VHost) PutPolicy(p Policy) (Affected, *amqp.Error) { return v.put(&v.policies, p) }

// PutOperatorPolicy is PutPolicy for operator policies, which may set limits only.
func (v *VHost) PutOperatorPolicy(p Policy) (Affected, *amqp.Error) {
	return v.put(&v.operatorPolicies, p)
}

func (v *VHost) put(set *policySet, p Policy) (Affected, *amqp.Error) {
	pattern, err := v.checkPolicy(set, &p)
	if err != nil {
		return Affected{}, err
	}
	if old := set.byName[p.Name]; old != nil && old.is(&p) {
		return Affected{}, nil
	}
	return v.putPolicy(set, p, pattern), nil
}

// checkPolicy returns the compiled pattern of a policy that may be put.
func (v *VHost) checkPolicy(set *policySet, p *Policy) (*pattern.Pattern, *amqp.Error) {
	refuse := func(format string, args ...any) (*pattern.Pattern, *amqp.Error) {
		// Not cut to what fits into a reply text: no AMQP method puts policies.
		text := fmt.Sprintf(format, args...)
		return nil, &amqp.Error{Code: amqp.PreconditionFailed, Text: text}
	}
	switch {
	case p.Name == "" || len(p.Name) > policyNameMax:
		return refuse("a policy's name has 1 to %d octets, not %d", policyNameMax, len(p.Name))
	case len(p.Pattern) > patternMax:
		return refuse("a policy's pattern has at most %d octets, not %d", patternMax,
			len(p.Pattern))
	case len(set.byName) >= policiesMax && set.byName[p.Name] == nil:
		return refuse("vhost '%s' has %d of these policies already", v.name, policiesMax)
	}
	var wrong []string
	if text := checkSettings(p.Definition, set.operator); text != "" {
		wrong = append(wrong, text)
	}
	if _, ok := kindsOf(p.ApplyTo); !ok {
		wrong = append(wrong, "apply-to '"+p.ApplyTo+"' unrecognised; should be one of: 'queues', "+
			"'classic_queues', 'quorum_queues', 'streams', 'exchanges', or 'all'")
	}
	compiled, err := pattern.Compile(p.Pattern)
	if err != nil {
		wrong = append(wrong,
			"pattern should be regular expression but is invalid: "+err.Error())
	}
	if len(wrong) > 0 {
		return refuse("Validation failed\n\n%s\n", strings.Join(wrong, "\n"))
	}
	return compiled, nil
}

func (v *VHost) putPolicy(set *policySet, p Policy, compiled *pattern.Pattern) Affected {
	p.ApplyTo = cmp.Or(p.ApplyTo, applyToAll)
	p.Definition = p.Definition.Clone()
	n := newPolicy(p, compiled)
	set.put(n)
	return v.regovern(set, n.slot, n)
}

// ClearPolicy takes a policy away, and reports whether it was there.
func (v *VHost) ClearPolicy(name string) (a Affected, existed bool) {
	return v.clear(&v.policies, name)
}

// ClearOperatorPolicy takes an operator policy away, and reports whether it was there.
func (v *VHost) ClearOperatorPolicy(name string) (a Affected, existed bool) {
	return v.clear(&v.operatorPolicies, name)
}

func (v *VHost) clear(set *policySet, name string) (a Affected, existed bool) {
	p := set.byName[name]
	if p == nil {
		return Affected{}, false
	}
	set.remove(p)
	return v.regovern(set, p.slot, nil), true
}

// regovern finds out whom the policy in a slot counts for, nil for one that is gone. It asks
// each name once whether the one pattern matches: it remembers which others do.
func (v *VHost) regovern(set *policySet, slot int, p *policy) (a Affected) {
	for _, q := range v.queues {
		if q.by(set).update(set, slot, p.covers(kindOfQueue(q.Type), q.Name)) {
			a.Queues = append(a.Queues, q.Name)
		}
	}
	for _, x := range v.exchanges {
		if !x.by(set).update(set, slot, p.covers(onExchanges, x.Name)) {
			continue
		}
		was := x.alternate
		x.alternate = x.findAlternate()
		a.Exchanges = a.Exchanges || x.alternate != was
	}
	return a
}

// Policies returns all policies in the order of their names.
func (v *VHost) Policies() []Policy { return v.policies.sorted() }

// OperatorPolicies returns all operator policies in the order of their names.
func (v *VHost) OperatorPolicies() []Policy { return v.operatorPolicies.sorted() }
