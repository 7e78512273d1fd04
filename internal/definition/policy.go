package definition

import (
	"cmp"
	"maps"
	"regexp"
	"slices"

	"github.com/warrenmq/warren/amqp"
)

// Durability says when a persistent message that a durable queue takes counts as stored.
type Durability string

const (
	// Fsync: when it is on stable storage. The default.
	Fsync Durability = "fsync"
	// OS: when it has been handed to the log, which writes it with the next group. It survives
	// what kills the process after that, but not what stops the machine.
	OS Durability = "os"
)

const (
	durabilityArgument = "x-durability"
	durabilityKey      = "durability" // of a policy
)

// Policy sets what queues of a vhost do not say themselves, for those whose names match.
type Policy struct {
	Name string
	// Pattern is a regular expression that matches some part of the name.
	Pattern string
	// ApplyTo is "all", "queues" or "classic_queues"; empty means "all".
	ApplyTo string
	// Of the policies that match, the one with the highest priority counts, the first by name
	// among equals.
	Priority int64
	// Definition has what is set, by keys without "x-".
	Definition amqp.Table
}

const (
	// policiesMax is the number of policies that a vhost may have.
	policiesMax = 1000
	// patternMax is the longest pattern, in octets.
	patternMax = 4096
	// policyNameMax is the longest name of a policy, in octets.
	policyNameMax = 255
)

// policy is a Policy that is in force.
type policy struct {
	Policy
	pattern *regexp.Regexp
}

// PutPolicy makes a policy, or replaces the one of that name; it takes no memory of the
// caller's. PRECONDITION_FAILED when something in it makes no sense.
func (v *VHost) PutPolicy(p Policy) *amqp.Error {
	refuse := func(format string, args ...any) *amqp.Error {
		return amqp.NewError(amqp.PreconditionFailed, format, args...)
	}
	pattern, err := regexp.Compile(p.Pattern)
	_, replaces := v.policies[p.Name]
	switch {
	case p.Name == "" || len(p.Name) > policyNameMax:
		return refuse("a policy's name has 1 to %d octets, not %d", policyNameMax, len(p.Name))
	case len(p.Pattern) > patternMax:
		return refuse("a policy's pattern has at most %d octets, not %d", patternMax,
			len(p.Pattern))
	case err != nil:
		return refuse("pattern should be regular expression but is invalid: %v", err)
	case !slices.Contains([]string{"", "all", "queues", "classic_queues"}, p.ApplyTo):
		return refuse("apply-to should be all, queues or classic_queues, not '%s'", p.ApplyTo)
	case len(v.policies) >= policiesMax && !replaces:
		return refuse("vhost '%s' has %d policies already", v.name, policiesMax)
	}
	if wrong := checkPolicy(p.Definition); wrong != "" {
		return refuse("%s", wrong)
	}
	v.putPolicy(p, pattern)
	return nil
}

// checkPolicy says what is wrong with the settings of a policy.
func checkPolicy(settings amqp.Table) (wrong string) {
	known := 0
	settings.Each(func(key []byte, value amqp.Value) bool {
		if string(key) != durabilityKey {
			wrong = "'" + string(key) + "' is not a recognised policy setting"
			return false
		}
		known++
		if reason := checkDurability(value, nil); reason != "" {
			wrong = "'" + string(key) + "' of a policy is fsync or os: " + reason
		}
		return wrong == ""
	})
	if wrong == "" && known == 0 {
		wrong = "a policy sets nothing"
	}
	return wrong
}

func (v *VHost) putPolicy(p Policy, pattern *regexp.Regexp) {
	p.ApplyTo = cmp.Or(p.ApplyTo, "all")
	p.Definition = p.Definition.Clone()
	if v.policies == nil {
		v.policies = make(map[string]*policy)
	}
	v.policies[p.Name] = &policy{p, pattern}
	v.applyPolicies()
}

// ClearPolicy takes a policy away, and reports whether it was there.
func (v *VHost) ClearPolicy(name string) (existed bool) {
	_, existed = v.policies[name]
	delete(v.policies, name)
	v.applyPolicies()
	return existed
}

// Policies returns all policies in the order of their names.
func (v *VHost) Policies() []Policy {
	list := make([]Policy, 0, len(v.policies))
	for _, name := range slices.Sorted(maps.Keys(v.policies)) {
		list = append(list, v.policies[name].Policy)
	}
	return list
}

// applyPolicies finds the policy of each queue again.
func (v *VHost) applyPolicies() {
	for _, q := range v.queues {
		q.policy = v.policyFor(&q.Queue)
	}
}

// policyFor returns the policy that counts for a queue, nil when none does.
func (v *VHost) policyFor(q *Queue) *policy {
	var best *policy
	for _, p := range v.policies {
		if p.ApplyTo == "classic_queues" && q.Type != defaultType ||
			!p.pattern.MatchString(q.Name) {
			continue
		}
		if best == nil || p.Priority > best.Priority ||
			p.Priority == best.Priority && p.Name < best.Name {
			best = p
		}
	}
	return best
}

// PolicyOf returns the name of the policy that counts for a queue, "" when none does.
func (v *VHost) PolicyOf(queue string) string {
	if q := v.queues[queue]; q != nil && q.policy != nil {
		return q.policy.Name
	}
	return ""
}

// DurabilityOf returns what holds for a queue: its argument, else its policy, else Fsync. Types
// that keep messages by agreement sync them always.
func (v *VHost) DurabilityOf(queue string) Durability {
	q := v.queues[queue]
	if q == nil || q.Type != defaultType {
		return Fsync
	}
	value, ok := q.Arguments.Lookup(durabilityArgument)
	if !ok && q.policy != nil {
		value, ok = q.policy.Definition.Lookup(durabilityKey)
	}
	if text, _ := value.Text(); ok && Durability(text) == OS {
		return OS
	}
	return Fsync
}

// checkDurability is the rule for the argument and the key of a policy.
func checkDurability(v amqp.Value, all amqp.Table) string {
	return oneOf("invalid_durability", string(Fsync), string(OS))(v, all)
}
