package definition

import (
	"maps"
	"slices"
)

// ExchangeTypes returns the names of the exchange types that may be declared, sorted.
func (s *State) ExchangeTypes() []string { return slices.Sorted(maps.Keys(s.types)) }

// ExchangeCount returns how many exchanges the vhost has.
func (v *VHost) ExchangeCount() int { return len(v.exchanges) }

// PolicyOfExchange returns the name of the policy that counts for an exchange, "" when none does.
func (v *VHost) PolicyOfExchange(name string) string {
	if x := v.exchanges[name]; x != nil {
		return x.policy.name()
	}
	return ""
}
