package warren

import (
	"cmp"
	"slices"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

// forBroker returns the seed as the broker takes it.
func (s *Seed) forBroker() broker.Seed {
	seed := broker.Seed{
		VHost: s.VHost, Tags: s.Tags, Configure: s.Configure, Write: s.Write, Read: s.Read,
	}
	for _, u := range s.Users {
		seed.Users = append(seed.Users, broker.SeedUser{
			VHosts: u.Pattern, Name: u.Name, Password: u.Password, Tags: u.Tags,
			Configure: u.Configure, Write: u.Write, Read: u.Read,
		})
	}
	byName := func(a, b SeedLimits) int { return cmp.Compare(a.Name, b.Name) }
	for _, l := range slices.SortedFunc(slices.Values(s.VHostLimits), byName) {
		limits := definition.Limits{}
		if l.Connections > 0 {
			limits[definition.MaxConnections] = l.Connections
		}
		if l.Queues > 0 {
			limits[definition.MaxQueues] = l.Queues
		}
		seed.Limits = append(seed.Limits, broker.SeedLimits{VHosts: l.Pattern, Limits: limits})
	}
	for _, p := range s.OperatorPolicies {
		policy := definition.Policy{
			Name: p.Name, Pattern: p.Queues, ApplyTo: cmp.Or(p.ApplyTo, "queues"),
			Definition: amqp.NewTable(p.Definition),
		}
		seed.OperatorPolicies = append(seed.OperatorPolicies, broker.SeedPolicy{
			VHosts: p.VHosts, Policy: policy,
		})
	}
	return seed
}
